"""The shard plan: shards of a listing, cut by the names of the photographs, independent of the workers.

Boundaries depend on checksums of names (content-defined chunking), so an added or removed photograph moves only the
boundaries next to it, and the other shards stay finished. A shard's id is a digest of everything on its photographs
that its outputs depend on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from zlib import crc32

from ..sources.listing import Item, Listing


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
        names = folder.names
        cutter.add(index, (folder.path, folder.person, folder.into), names, folder.stems(names))
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

    def add(self, index: int, titles: tuple[str, ...], names: list[str], stems: list[str]) -> None:
        """Add one folder, closing shards at boundaries."""
        begun, least, before = 0, self.least, self.count
        at = max(least - before, 0)  # a boundary only where there are enough
        while at < len(names):
            if before + at - begun >= self.most or crc32(names[at].encode("utf-8", "surrogatepass")) % least == 0:
                self._take(titles, names[begun:at], stems[begun:at])
                self.count = before + at - begun
                self._close(index, at)
                begun, before = at, 0
                at += least
            else:
                at += 1
        self.count = before + len(names) - begun
        self._take(titles, names[begun:], stems[begun:])

    def _take(self, titles: tuple[str, ...], names: list[str], stems: list[str]) -> None:
        if names:
            text = "\0".join([*titles, *names, "", *stems, ""])
            self.digest.update(text.encode("utf-8", "surrogatepass"))

    def _close(self, folder: int, name: int) -> None:
        if self.count:
            self.shards.append(Shard(self.digest.hexdigest(), self.count, self.folder, self.name))
        self._start(folder, name)

    def finish(self) -> list[Shard]:
        self._close(0, 0)
        return self.shards


def _items_from(listing: Listing, folder: int, name: int) -> Iterator[Item]:
    yield from islice(listing.items(listing.folders[folder]), name, None)
    for later in listing.folders[folder + 1 :]:
        yield from listing.items(later)
