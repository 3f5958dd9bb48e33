"""Names whose CRC-32 a number divides: the places at which a shard may begin, of thousands of names at once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW = 64  # names that are faster one by one
_LONG = 64  # bytes of a name, beyond which names are done one by one
_MOST = 256  # a power of two up to this divides by the checksum's last eight bits


def divisible(packed: bytes, divisor: int) -> list[int]:
    r"""The places of the names whose CRC-32 the divisor divides, in order.

    Args:
        packed: names, joined by NUL.

    Example:
        >>> divisible(b"a\0b\0c", 3), [crc32(name) % 3 for name in (b"a", b"b", b"c")]
        ([2], [1, 2, 0])
    """
    stops = np.flatnonzero(np.frombuffer(packed + b"\0", np.uint8) == 0)
    lengths = np.diff(stops, prepend=-1) - 1
    if len(stops) < _FEW or lengths.max() > _LONG or divisor > _MOST or divisor & (divisor - 1):
        return [at for at, name in enumerate(packed.split(b"\0")) if crc32(name) % divisor == 0]
    low = _low_bytes(packed, stops, lengths)
    return np.flatnonzero(low & np.uint8(divisor - 1) == 0).tolist()


def _low_bytes(packed: bytes, stops: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The last eight bits of each name's CRC-32, (names,).

    A CRC is linear: that of a name is that of as many NULs, and for each byte a number which depends on the byte and on
    its distance from the end.
    """
    shortest, longest = int(lengths.min()), int(lengths.max())
    low = np.array([crc32(bytes(length)) & 255 for length in range(longest + 1)], np.uint8)[lengths]
    padded = bytes(longest + 8) + packed
    words = np.ndarray(len(packed) + longest + 1, "<u8", padded, strides=(1,))
    for before in range(0, longest, 8):  # bytes between a word and the end
        word = words[stops + (longest - before)]
        if shortest < before + 8:
            foreign = (8 * np.clip(before + 8 - lengths, 0, 8)).astype(np.uint64)  # bits of what is before the name
            word = word >> foreign << foreign
        pairs = word.view("<u2").reshape(-1, 4)
        for at in range(4):
            low ^= _pair_table(before + 6 - 2 * at).take(pairs[:, at])
    return low


@cache
def _pair_table(after: int) -> NDArray[np.uint8]:
    """What two bytes, the first one lowest, add to the checksum's last eight bits with so many bytes after them."""
    nothing = crc32(bytes(after + 2))
    first, second = (
        np.array(
            [(crc32(before + bytes([byte]) + bytes(after + 1 - len(before))) ^ nothing) & 255 for byte in range(256)],
            np.uint8,
        )
        for before in (b"", b"\0")
    )
    return (second[:, None] ^ first).ravel()
