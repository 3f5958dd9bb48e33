"""The shard plan: shards of a listing, cut by the names of the photographs, independent of the workers.

Boundaries depend on checksums of names (content-defined chunking), so an added or removed photograph moves only the
boundaries next to it, and the other shards stay finished. A shard's id is a digest of everything on its photographs
that its outputs depend on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from zlib import crc32

from ..sources.listing import Folder, Item, Listing
from ..sources.output_names import NUL


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
    """The average number of photographs per shard: 16 to 256, and sixty or more shards if there are enough photographs.

    Small shards keep all workers busy at the end; large shards fill the networks' groups and have less overhead per
    row.

    Example:
        >>> shard_size(4026), shard_size(3_000_000)
        (64, 256)
    """
    size = 16
    while size < 256 and photographs // 60 >= 2 * size:
        size *= 2
    return size


def cut(listing: Listing, size: int) -> list[Shard]:
    """All shards of a listing, in order, each of `size` photographs on average, of size / 2 to 2 * size."""
    cutter = _Cutter(size)
    for index, folder in enumerate(listing.folders):
        cutter.add(index, folder)
    return cutter.finish()


class _Cutter:
    """The state of `cut`: start, length and digest of the current shard."""

    def __init__(self, size: int) -> None:
        self.least, self.most = size // 2, 2 * size
        self.shards: list[Shard] = []
        self._start(0, 0)

    def _start(self, folder: int, name: int) -> None:
        self.folder, self.name, self.count = folder, name, 0
        self.digest = hashlib.blake2b(digest_size=16)

    def add(self, index: int, folder: Folder) -> None:
        """Add one folder, closing shards at boundaries."""
        titles = NUL.join((folder.path, folder.person, folder.into))
        packed, packed_stems = folder.packed, folder.packed_stems()
        count = len(folder)
        if cuts := list(self._boundaries(packed, count)):
            names, stems = packed.split(NUL), packed_stems.split(NUL)
            for begun, at in pairwise([0, *cuts]):
                self._take(titles, NUL.join(names[begun:at]), NUL.join(stems[begun:at]), at - begun)
                self._close(index, at)
            packed, packed_stems = NUL.join(names[cuts[-1] :]), NUL.join(stems[cuts[-1] :])
            count -= cuts[-1]
        self._take(titles, packed, packed_stems, count)

    def _boundaries(self, packed: str, count: int) -> Iterator[int]:
        """The places of a folder's names at which a shard begins."""
        at, end = max(self.least - self.count, 0), self.most - self.count
        if at >= count:
            return
        names = packed.encode("utf-8", "surrogatepass").split(b"\0")
        while (at := self._boundary(names, at, end)) < count:
            yield at
            at, end = at + self.least, at + self.most

    def _boundary(self, names: Sequence[bytes], at: int, end: int) -> int:
        """The first place from `at` on whose name makes a boundary, `end` at the latest."""
        least = self.least
        found = (place for place, name in enumerate(names[at:end], at) if crc32(name) % least == 0)
        return next(found, end)

    def _take(self, titles: str, names: str, stems: str, count: int) -> None:
        """Add photographs of a folder to the shard."""
        if count:
            text = f"{titles}\0{names}\0\0{stems}\0"
            self.digest.update(text.encode("utf-8", "surrogatepass"))
            self.count += count

    def _close(self, folder: int, name: int) -> None:
        if self.count:
            self.shards.append(Shard(self.digest.hexdigest(), self.count, self.folder, self.name))
        self._start(folder, name)

    def finish(self) -> list[Shard]:
        self._close(0, 0)
        return self.shards


def _items_from(listing: Listing, folder: int, name: int) -> Iterator[Item]:
    yield from islice(listing.items(listing.folders[folder]), name, None)
    for later in range(folder + 1, len(listing.folders)):  # a slice of millions would be copied for each shard
        yield from listing.items(listing.folders[later])
