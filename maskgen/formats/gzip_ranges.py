"""Random access to the decompressed bytes of a gzip file, without unpacking it to disk.

During the first pass, the decompressor's state is stored every few megabytes; later reads start from the nearest state.
A zlib state takes 40 KB.
"""

from __future__ import annotations

import threading
import zlib
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Any

from .faults import ContainerError
from .range_reads import RangeReader

STEP = 8 << 20  # decompressed bytes between two stored states
_CHUNK = 1 << 16  # compressed bytes per step: at most 66 MB decompressed, a thousandth of that for photographs
_GZIP = 31  # zlib's wbits for gzip with a window of 32 KB
# Photographs hardly compress; a ratio of a hundred means a decompression bomb.
_MOST_GROWTH, _FREE_GROWTH = 100, 256 << 20


@dataclass(slots=True)
class _State:
    """The decompressor's position: `held` are decompressed bytes from `start` on, `packed` counts compressed bytes."""

    start: int
    held: bytes
    packed: int
    unpacker: Any

    @property
    def end(self) -> int:
        return self.start + len(self.held)


class GzipRanges:
    """Range reads of the decompressed bytes of a gzip file with one or several members."""

    def __init__(self, packed: RangeReader) -> None:
        self._packed = packed
        self._lock = threading.Lock()
        self._now = _State(0, b"", 0, zlib.decompressobj(_GZIP))
        self._kept = [_copy(self._now)]

    @property
    def weight(self) -> int:
        """The approximate memory of its states in bytes."""
        return 40_000 * len(self._kept)

    def read(self, offset: int, size: int) -> bytes:
        """See `RangeReader`.

        Raises:
            ContainerError: it is not gzip, is damaged, ends early, or is a decompression bomb.
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
        """Continue from the nearest stored state, or from the current one if that is nearer."""
        nearest = self._kept[bisect_right(self._kept, offset, key=lambda state: state.start) - 1]
        if not nearest.start <= self._now.start <= offset:
            self._now = _copy(nearest)
        while offset >= self._now.end and self._advance():
            pass

    def _advance(self) -> bool:
        """Decompress the next bytes in place of those held; False at the end."""
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
        if now.end - self._kept[-1].start >= STEP and not now.unpacker.eof:  # a state at the end cannot be copied
            self._kept.append(replace(_copy(now), start=now.end, held=b""))
        return True

    def _unpack(self, now: _State, data: bytes) -> None:
        if now.unpacker.eof:  # another gzip member follows, or zero padding of a tape block
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
