"""The shard plan: shards of a listing, cut by the names of the photographs, independent of the workers.

Boundaries depend on checksums of names (content-defined chunking), so an added or removed photograph moves only the
boundaries next to it, and the other shards stay finished. A shard's id is a digest of everything on its photographs
that its outputs depend on.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, islice

from ..sources.folder import Folder
from ..sources.listing import Item, Listing
from ..sources.name_checksums import divisible
from ..sources.packed_folders import AT_ONCE, END, PackedFolders, Texts, texts_of

WHOLE = 64  # photographs that a worker detects faces in at a time


@dataclass(frozen=True, slots=True)
class Shard:
    """A range of a listing: `count` photographs from the `name`-th of the `folder`-th folder on."""

    id: str
    count: int
    folder: int
    name: int

    def items(self, listing: Listing) -> tuple[Item, ...]:
        """Its photographs, in order."""
        return tuple(islice(_items_from(listing, self.folder, self.name), self.count))


def shard_size(photographs: int) -> int:
    """The average number of photographs per shard: 16 to 256, and thirty or more shards if there are enough.

    Small shards keep all workers busy at the end; large shards fill the networks' groups and have less overhead per
    row. Up to WHOLE photographs, from which on a worker's batches are full, fifteen shards are enough.

    Example:
        >>> shard_size(1200), shard_size(4026), shard_size(3_000_000)
        (64, 128, 256)
    """
    size = 16
    while size < 256 and photographs // (15 if size < WHOLE else 30) >= 2 * size:
        size *= 2
    return size


def cut(listing: Listing, size: int) -> list[Shard]:
    """All shards of a listing, in order, each of `size` photographs on average, of size / 2 to 2 * size."""
    cutter = _Cutter(size)
    for texts in _texts(listing.folders):
        cutter.add(texts)
    return cutter.finish()


def _texts(folders: Sequence[Folder]) -> Iterator[Texts]:
    """What the outputs of all folders depend on, of many folders at once."""
    if isinstance(folders, PackedFolders):
        yield from folders.texts()
        return
    for begun in range(0, len(folders), AT_ONCE):
        yield texts_of(folders[begun : begun + AT_ONCE])


class _Cutter:
    """The state of `cut`: start, length and digest of the current shard."""

    def __init__(self, size: int) -> None:
        self.least, self.most = size // 2, 2 * size
        self.shards: list[Shard] = []
        self.before = 0  # folders that were added
        self._start(0, 0)

    def _start(self, folder: int, name: int) -> None:
        self.folder, self.name, self.count = folder, name, 0
        self.digest = hashlib.blake2b(digest_size=16)

    def add(self, texts: Texts) -> None:
        """Add some folders, closing shards at boundaries."""
        pieces = _Pieces(texts)
        begun = 0
        for cut in self._boundaries(texts, pieces.end):
            self._take(pieces, begun, cut)
            self._close(*pieces.place(cut))
            begun = cut
        self._take(pieces, begun, pieces.end)
        self.before += len(texts.counts)

    def _boundaries(self, texts: Texts, count: int) -> list[int]:
        """The places of the folders' names at which a shard begins."""
        found: list[int] = []
        at, end = max(self.least - self.count, 0), self.most - self.count
        if at >= count:
            return found
        marks = divisible(END.join(texts.names), self.least)
        while (at := _first(marks, at, end)) < count:
            found.append(at)
            at, end = at + self.least, at + self.most
        return found

    def _take(self, pieces: _Pieces, begin: int, end: int) -> None:
        """Add photographs to the shard."""
        if begin < end:
            self.digest.update(pieces.between(begin, end))
            self.count += end - begin

    def _close(self, folder: int, name: int) -> None:
        """End a shard before a name of one of the folders that are being added."""
        if self.count:
            self.shards.append(Shard(self.digest.hexdigest(), self.count, self.folder, self.name))
        self._start(self.before + folder, name)

    def finish(self) -> list[Shard]:
        self._close(0, 0)
        return self.shards


def _first(marks: Sequence[int], at: int, end: int) -> int:
    """The first of the rising places from `at` on, `end` at the latest."""
    found = bisect_left(marks, at)
    return min(marks[found], end) if found < len(marks) else end


class _Pieces:
    """What a shard's digest is made from; photographs are numbered through all folders."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.whole = [b"%b%b\0\0%b\0" % one for one in zip(texts.titles, texts.names, texts.stems, strict=True)]
        self.starts = [0, *accumulate(texts.counts)]
        self.end = self.starts[-1]
        self._split = lru_cache(maxsize=1)(self._split_now)  # a folder of millions is split once

    def place(self, photograph: int) -> tuple[int, int]:
        """The folder that it is in, and which of its photographs it is."""
        folder = bisect_right(self.starts, photograph) - 1
        return folder, photograph - self.starts[folder]

    def between(self, begin: int, end: int) -> bytes:
        """The text of the photographs from one to before another."""
        (first, skipped), (last, left) = self.place(begin), self.place(end - 1)
        found = self.whole[first : last + 1]
        if left + 1 < self.texts.counts[last]:
            found[-1] = self._part(last, 0 if first < last else skipped, left + 1)
        if skipped and not (first == last and left + 1 < self.texts.counts[last]):
            found[0] = self._part(first, skipped, self.texts.counts[first])
        return b"".join(found)

    def _part(self, folder: int, begin: int, end: int) -> bytes:
        names, stems = (END.join(one[begin:end]) for one in self._split(folder))
        return b"%b%b\0\0%b\0" % (self.texts.titles[folder], names, stems)

    def _split_now(self, folder: int) -> tuple[list[bytes], list[bytes]]:
        return self.texts.names[folder].split(END), self.texts.stems[folder].split(END)


def _items_from(listing: Listing, folder: int, name: int) -> Iterator[Item]:
    yield from islice(listing.items(listing.folders[folder]), name, None)
    for later in range(folder + 1, len(listing.folders)):  # a slice of millions would be copied for each shard
        yield from listing.items(listing.folders[later])
