"""Random access to the decompressed bytes of a gzip file, without unpacking it to disk.

During the first pass, the decompressor's state is stored every few megabytes; later reads start from the nearest state.
A zlib state takes 40 KB. Of a damaged file all bytes before the damage can be read, in any order.
"""

from __future__ import annotations

import threading
import zlib
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

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


class _Damage(NamedTuple):
    """Why no decompressed byte from `start` on can be read."""

    start: int
    why: str


class GzipRanges:
    """Range reads of the decompressed bytes of a gzip file with one or several members."""

    def __init__(self, packed: RangeReader) -> None:
        self._packed = packed
        self._lock = threading.Lock()
        self._now = _State(0, b"", 0, zlib.decompressobj(_GZIP))
        self._kept = [_copy(self._now)]
        self._damage: _Damage | None = None

    @property
    def weight(self) -> int:
        """The approximate memory of its states in bytes."""
        return 40_000 * len(self._kept)

    def read(self, offset: int, size: int) -> bytes:
        """See `RangeReader`.

        Raises:
            ContainerError: it is not gzip, or before the last of these bytes it is damaged, ends early, or turns out to
                be a decompression bomb.
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

    def check_rest(self) -> None:
        """Decompress the rest: gzip's checksum of all bytes is at the end.

        Raises:
            ContainerError: see `read`.
        """
        with self._lock:
            while self._advance():
                pass

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
            if self._damage is not None and now.start >= self._damage.start:
                raise ContainerError(self._damage.why)
            data = self._packed.read(now.packed, _CHUNK)
            if not data:
                self._check_end(now)
                return False
            self._unpack(now, data)
            if now.end > _FREE_GROWTH + _MOST_GROWTH * now.packed:
                self._stop(now, b"", "it unpacks to a hundred times its size, which no photographs do")
        at_rest = self._damage is None and not now.unpacker.eof  # a state at the end cannot be copied
        if at_rest and now.end - self._kept[-1].start >= STEP:
            self._kept.append(replace(_copy(now), start=now.end, held=b""))
        return True

    def _unpack(self, now: _State, data: bytes) -> None:
        if now.unpacker.eof:  # another gzip member follows, or zero padding of a tape block
            rest = data.lstrip(b"\0")
            now.packed += len(data) - len(rest)
            data, now.unpacker = rest, zlib.decompressobj(_GZIP) if rest else now.unpacker
            if not rest:
                return
        before = now.unpacker.copy()
        try:
            now.held = now.unpacker.decompress(data)
        except zlib.error as error:
            sound = _before_error(before, data)
            self._stop(now, sound, _why(error) if now.packed or sound else "it is no gzip file")
            return
        now.packed += len(data) - len(now.unpacker.unused_data)

    def _stop(self, now: _State, held: bytes, why: str) -> None:
        """Note that no byte after these can be read, so that every later pass stops at the same byte."""
        now.held = held
        self._damage = _Damage(now.end, why)

    def _check_end(self, now: _State) -> None:
        if not now.unpacker.eof:
            raise ContainerError("it ends early" if now.packed else "it is no gzip file")


def _why(error: zlib.error) -> str:
    if str(error).endswith(("incorrect data check", "incorrect length check")):  # zlib gives no number for these
        return "its checksum is wrong, so any of its members may be damaged"
    return "it is damaged"


def _before_error(unpacker: Any, data: bytes) -> bytes:
    """What decompresses of data that hold an error: zlib gives nothing of a piece with one, so each byte is a piece."""
    sound: list[bytes] = []
    with suppress(zlib.error):
        for at in range(len(data)):
            sound.append(unpacker.decompress(data[at : at + 1]))
    return b"".join(sound)


def _copy(state: _State) -> _State:
    return replace(state, unpacker=state.unpacker.copy())
