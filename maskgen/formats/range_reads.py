"""Range reads of files, local or remote, usable by several threads and processes at once."""

from __future__ import annotations

import os
import threading
from functools import cached_property
from pathlib import Path
from typing import Protocol

from .any_path import AnyPath, RemotePath


class RangeReader(Protocol):
    """Bytes with random access."""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes from `offset` on, fewer than `size` only at the end."""
        ...


class LocalRanges:
    """An open local file, read without a shared file position, so threads and forks may share it."""

    def __init__(self, path: Path | str) -> None:
        self._handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()
        self.size = os.fstat(self._handle).st_size

    def read(self, offset: int, size: int) -> bytes:
        """See `RangeReader`."""
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        data = self._read(offset, size)
        while len(data) < size and (more := self._read(offset + len(data), size - len(data))):
            data += more
        return data

    def _read(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._handle, size, offset)
        with self._lock:  # Windows
            os.lseek(self._handle, offset, os.SEEK_SET)
            return os.read(self._handle, size)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            os.close(self._handle)


class ReopeningRanges:
    """A local file, opened for each read: a thousand of them hold no file descriptor. It costs 5 us per read."""

    def __init__(self, path: Path | str) -> None:
        self._path = path

    def read(self, offset: int, size: int) -> bytes:
        """See `RangeReader`."""
        return LocalRanges(self._path).read(offset, size)


class RemoteRanges:
    """An object in a store: one request per read."""

    def __init__(self, place: RemotePath) -> None:
        self._place = place

    @cached_property
    def size(self) -> int:
        """Its bytes."""
        return self._place.size()

    def read(self, offset: int, size: int) -> bytes:
        """See `RangeReader`."""
        try:
            return self._place.read_bytes(offset, offset + size) if size else b""
        except FileNotFoundError:
            raise
        except OSError:
            if offset < self.size:
                raise
            return b""  # stores refuse a range that starts after the end


class ReadAhead:
    """Range reads with a read-ahead block, for sequential reads where each read costs a request."""

    def __init__(self, pieces: RangeReader, block: int = 4 << 20) -> None:
        self._pieces, self._block = pieces, block
        self._start, self._held = 0, b""

    def read(self, offset: int, size: int) -> bytes:
        """See `RangeReader`."""
        if not self._start <= offset <= offset + size <= self._start + len(self._held):
            self._start, self._held = offset, self._pieces.read(offset, max(size, self._block))
        at = offset - self._start
        return self._held[at : at + size]


def open_sequential(place: AnyPath) -> LocalRanges | RemoteRanges:
    """Open a local or remote file for sequential reads."""
    return RemoteRanges(place) if isinstance(place, RemotePath) else LocalRanges(place)


def open_random(place: AnyPath) -> ReopeningRanges | RemoteRanges:
    """Open a local or remote file for occasional random reads."""
    return RemoteRanges(place) if isinstance(place, RemotePath) else ReopeningRanges(place)
