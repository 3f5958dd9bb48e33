"""Containers (tar, RecordIO, .bin), opened once, then read by member name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .any_path import AnyPath
from .bin_sets import load_bin
from .faults import ContainerError
from .gzip_ranges import GzipRanges
from .range_reads import LocalRanges, RangeReader, ReadAhead, RemoteRanges, open_random, open_sequential
from .recordio.index import load_index
from .recordio.stream import read_record, unpack
from .tars.members import Member, members

MOST_BYTES = 1 << 30  # larger than any picture


class Container(Protocol):
    """A file that holds pictures by name.

    `weight` is its approximate memory in bytes; `forks` says whether a forked process may use it.
    """

    weight: int
    forks: bool

    def has(self, name: str) -> bool:
        """Whether it has a picture of this name."""
        ...

    def read(self, name: str) -> bytes:
        """A picture's file.

        Raises:
            KeyError: the name does not exist.
            ContainerError: it cannot be read.
        """
        ...


class TarContainer:
    """A tar, with or without gzip. Of two members of one name the last counts, as in tar.

    Of a damaged one the members before the damage are there; reading any other name raises ContainerError. Its index
    takes 24 bytes per member: names are stored as 64-bit hashes.
    """

    def __init__(self, path: AnyPath) -> None:
        opened = open_tar(path)
        ahead = ReadAhead(opened) if isinstance(opened, RemoteRanges) else opened
        self._fault = ""
        self._hashes, self._offsets, self._sizes = _hashed(self._before_fault(members(ahead)))
        if self._fault and not len(self._hashes):
            raise ContainerError(self._fault)
        self.weight = 24 * len(self._hashes)
        self.forks = not isinstance(opened, GzipRanges)
        self._pieces: RangeReader = open_random(path)
        if isinstance(opened, GzipRanges):
            self._pieces = opened
            self.weight += opened.weight

    def has(self, name: str) -> bool:
        """See `Container`."""
        return self._find(name) is not None

    def read(self, name: str) -> bytes:
        """See `Container`."""
        at = self._find(name)
        if at is None:
            raise ContainerError(self._fault) if self._fault else KeyError(name)
        if self._sizes[at] < 0:
            raise ContainerError("it is a link or a device, which are not followed")
        return read_span(self._pieces, int(self._offsets[at]), int(self._sizes[at]))

    def _before_fault(self, found: Iterator[Member]) -> Iterator[Member]:
        try:
            yield from found
        except ContainerError as fault:
            self._fault = str(fault)

    def _find(self, name: str) -> int | None:
        wanted = hash(name)
        at = int(np.searchsorted(self._hashes, wanted))
        return at if at < len(self._hashes) and self._hashes[at] == wanted else None


def read_span(pieces: RangeReader, offset: int, size: int) -> bytes:
    """A member's bytes.

    Raises:
        ContainerError: the archive ends early, or the member is larger than any picture.
    """
    if size > MOST_BYTES:
        raise ContainerError(f"{size} bytes are more than any picture has")
    data = pieces.read(offset, size)
    if len(data) < size:
        raise ContainerError("the archive ends before it does")
    return data


def _hashed(found: Iterator[Member]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The members' hashes, ascending, with offsets and sizes; the size is -1 for a member that is no plain file."""
    columns = np.fromiter(
        ((hash(one.name), one.offset, one.size if one.plain else -1) for one in found),
        np.dtype((np.int64, 3)),
    )
    order = np.argsort(columns[:, 0], kind="stable")
    last = np.append(columns[order[1:], 0] != columns[order[:-1], 0], True)[: len(order)]
    kept = columns[order[last]]
    return kept[:, 0].copy(), kept[:, 1].copy(), kept[:, 2].copy()


class RecordContainer:
    """A RecordIO file; the pictures' names are the numbers of their records."""

    def __init__(self, rec: AnyPath) -> None:
        self._index = load_index(rec, open_sequential(rec))
        self._pieces = open_random(rec)
        self.weight, self.forks = 24 * len(self._index), True

    def has(self, name: str) -> bool:
        """See `Container`."""
        return name.isdecimal() and self._index.find(int(name)) is not None

    def read(self, name: str) -> bytes:
        """See `Container`."""
        place = self._index.find(int(name)) if name.isdecimal() else None
        if place is None:
            raise KeyError(name)
        return read_picture(self._pieces, *place)


def read_picture(pieces: RangeReader, offset: int, size: int) -> bytes:
    """The picture of the record at `offset`, of at most `size` bytes if known."""
    return unpack(read_record(pieces, offset, size, MOST_BYTES)).picture


class BinContainer:
    """A .bin verification set, held in memory; the pictures' names are their numbers from 0."""

    def __init__(self, path: AnyPath) -> None:
        self._pictures, _ = load_bin(path)
        self.weight, self.forks = sum(map(len, self._pictures)), True

    def has(self, name: str) -> bool:
        """See `Container`."""
        return name.isdecimal() and int(name) < len(self._pictures)

    def read(self, name: str) -> bytes:
        """See `Container`."""
        if not self.has(name):
            raise KeyError(name)
        return self._pictures[int(name)]


def open_container(path: AnyPath) -> Container:
    """Open a container by its suffix.

    Raises:
        ContainerError: it is damaged, or not of the format of its suffix.
    """
    name = path.name.lower()
    if name.endswith(".rec"):
        return RecordContainer(path)
    if name.endswith(".bin"):
        return BinContainer(path)
    return TarContainer(path)


def open_tar(path: AnyPath) -> LocalRanges | RemoteRanges | GzipRanges:
    """The bytes of a tar, decompressed on the fly if its first bytes are gzip's."""
    pieces = open_sequential(path)
    return GzipRanges(pieces) if pieces.read(0, 2) == b"\x1f\x8b" else pieces
