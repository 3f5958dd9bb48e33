"""The bytes inside a gzip file, read from anywhere in them without unpacking it to disk.

While it is unpacked for the first time, the unpacker's state is kept every few megabytes; a later piece is reached
from the state before it. zlib's states hold 40 KB each.
"""

from __future__ import annotations

import threading
import zlib
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Any

from .faults import ContainerError
from .range_reads import RangeReader

STEP = 8 << 20  # unpacked bytes between two kept states
_CHUNK = 1 << 16  # packed bytes at a time: at most 66 MB unpacked, a thousandth of that for photographs
_GZIP = 31  # zlib's number for gzip with a window of 32 KB
# Photographs hardly shrink; an archive that grows a hundredfold is made to fill memory or disk.
_MOST_GROWTH, _FREE_GROWTH = 100, 256 << 20


@dataclass(slots=True)
class _State:
    """Where the unpacker is: `held` are the unpacked bytes from `start` on, `packed` what it has taken."""

    start: int
    held: bytes
    packed: int
    unpacker: Any

    @property
    def end(self) -> int:
        return self.start + len(self.held)


class GzipRanges:
    """RangeReader of what a gzip file, of one member or several, unpacks to."""

    def __init__(self, packed: RangeReader) -> None:
        self._packed = packed
        self._lock = threading.Lock()
        self._now = _State(0, b"", 0, zlib.decompressobj(_GZIP))
        self._kept = [_copy(self._now)]

    @property
    def weight(self) -> int:
        """About how many bytes of memory its states take."""
        return 40_000 * len(self._kept)

    def read(self, offset: int, size: int) -> bytes:
        """See `RangeReader`.

        Raises:
            ContainerError: it is no gzip, is damaged, ends early, or unpacks to far more than photographs do.
        """
        found = []
        with self._lock:
            self._go_to(offset)
            while size > 0:
                if offset >= self._now.end and not self._advance():
                    break
                at = offset - self._now.start
                piece = self._now.held[at : at + size]
                found.append(piece)
                offset, size = offset + len(piece), size - len(piece)
        return b"".join(found)

    def _go_to(self, offset: int) -> None:
        """Go on from the nearest kept state, or from here where that is nearer."""
        nearest = self._kept[bisect_right(self._kept, offset, key=lambda state: state.start) - 1]
        if not nearest.start <= self._now.start <= offset:
            self._now = _copy(nearest)
        while offset >= self._now.end and self._advance():
            pass

    def _advance(self) -> bool:
        """Unpack the next bytes in place of those held; False at the end."""
        now = self._now
        now.start, now.held = now.end, b""
        while not now.held:
            data = self._packed.read(now.packed, _CHUNK)
            if not data:
                self._check_end(now)
                return False
            self._unpack(now, data)
        if now.end > _FREE_GROWTH + _MOST_GROWTH * now.packed:
            raise ContainerError("it unpacks to a hundred times its size, which no photographs do")
        if now.end - self._kept[-1].start >= STEP and not now.unpacker.eof:  # one at its end cannot be copied
            self._kept.append(replace(_copy(now), start=now.end, held=b""))
        return True

    def _unpack(self, now: _State, data: bytes) -> None:
        if now.unpacker.eof:  # another gzip follows the one that ended, or zeros that fill a tape's block
            rest = data.lstrip(b"\0")
            now.packed += len(data) - len(rest)
            data, now.unpacker = rest, zlib.decompressobj(_GZIP) if rest else now.unpacker
            if not rest:
                return
        try:
            now.held = now.unpacker.decompress(data)
        except zlib.error:
            what = "is damaged" if now.packed or now.start else "is no gzip file"
            raise ContainerError(f"it {what}") from None
        now.packed += len(data) - len(now.unpacker.unused_data)

    def _check_end(self, now: _State) -> None:
        if not now.unpacker.eof:
            raise ContainerError("it ends early" if now.packed else "it is no gzip file")


def _copy(state: _State) -> _State:
    return replace(state, unpacker=state.unpacker.copy())
