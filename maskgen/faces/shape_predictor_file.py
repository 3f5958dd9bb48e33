"""The numbers in a dlib shape predictor's file, read without dlib.

The file is one stream of integers, each a byte that says how many follow and the sign, then these, lowest first; a
float is two of them, mantissa and exponent to the base of two. Where one begins is known only when those before it are
read, so 16 million would be read one by one; but the leaves of the trees all begin with the same four bytes. They are
found by these and read side by side, and where one ends the next must begin, else the file is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats

Ints = NDArray[np.int64]
LANDMARKS = 68  # points of the usual model
MOST_BYTES = 1 << 30
PAD = 8  # bytes that are read at a time
CHUNK = 2048  # leaves read side by side: what the processor's cache holds


@dataclass(frozen=True, slots=True)
class RegressionForests:
    """A cascade of forests of complete trees.

    Attributes:
        mean: the first guess, float32 (values,), x before y of each point, in shares of the box.
        first, second: (cascades, trees, splits), which two of the cascade's pixels each split compares.
        threshold: float32 (cascades, trees, splits).
        leaves: float32 (cascades, trees, leaves, values), what is added to the guess.
        anchors: (cascades, pixels), the point that each pixel lies near.
        deltas: float32 (cascades, pixels, 2), where it lies from there.

    Raises:
        ValueError: an index that points at nothing, trees that are not complete.
    """

    mean: Floats
    first: Ints
    second: Ints
    threshold: Floats
    leaves: Floats
    anchors: Ints
    deltas: Floats

    def __post_init__(self) -> None:
        for index, most in (
            (self.first, self.anchors.shape[1]),
            (self.second, self.anchors.shape[1]),
            (self.anchors, len(self.mean) // 2),
        ):
            if index.min() < 0 or index.max() >= most:
                raise ValueError("a pixel or a point that there is not")
        splits = self.first.shape[-1]
        if splits & (splits + 1) or self.leaves.shape[2] != splits + 1:
            raise ValueError("trees that are not complete")


def load_forests(path: Path, points: int = LANDMARKS) -> RegressionForests:
    """Read a shape predictor of so many points, at most 127.

    Raises:
        ValueError: the file is none.
        OSError: it cannot be read.
    """
    data, values = _padded(path), 2 * points
    leaf = bytes([0x81, values, 0x81, 1])  # a matrix of values x 1: its sides, negative
    starts = np.array([match.start() for match in re.finditer(re.escape(leaf), data.data)], np.int64)
    head = _Tokens(data[: int(starts[1])].tobytes()) if len(starts) > 1 else None
    if head is None or [head.integer() for _ in range(3)] != [1, -values, -1]:
        raise ValueError(f"no shape predictor of {points} points")
    mean = np.array([head.real() for _ in range(values)], np.float32)
    (cascades, trees), starts = (head.integer(), head.integer()), starts[1:]
    if min(cascades, trees) < 1 or len(starts) % (cascades * trees):
        raise ValueError("trees of unequal sizes")
    each = len(starts) // (cascades * trees)
    many = _Many(data)
    leaves, ends = many.leaves(starts + len(leaf), values)
    heads = np.concatenate([[head.at], ends[each - 1 : -1 : each]])
    heads[trees::trees] = many.expected(heads[trees::trees], trees)
    splits, after = many.splits(many.expected(heads, each - 1), each - 1)
    if each & (each - 1) or (many.expected(after, each) != starts[::each]).any() or not _joined(starts, ends, each):
        raise ValueError("trees that are not complete")
    tail = _Tokens(data[ends[-1] : -PAD].tobytes())
    anchors, deltas = _pixels(tail, cascades)
    if tail.left:
        raise ValueError("more follows")
    shape = (cascades, trees, -1)
    first, second, threshold = (part.reshape(shape) for part in splits)
    return RegressionForests(
        mean,
        first.astype(np.int64),
        second.astype(np.int64),
        threshold.astype(np.float32),
        leaves.reshape(cascades, trees, each, values),
        anchors,
        deltas,
    )


def _padded(path: Path) -> NDArray[np.uint8]:
    """A file's bytes and PAD zeros."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError("larger than any shape predictor")
    data = np.zeros(size + PAD, np.uint8)
    with path.open("rb") as file:
        file.readinto(data[:size].data)
    return data


class _Tokens:
    """The stream read one number after the other.

    Raises:
        ValueError: it ends early or is none.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes are not read."""
        return len(self._data) - self.at

    def integer(self) -> int:
        """The next integer."""
        control = self._data[self.at] if self.at < len(self._data) else 0
        many = control & 0x0F
        if not 1 <= many <= 8 or control & 0x70 or self.at + many >= len(self._data):
            raise ValueError("no stream of packed integers")
        value = int.from_bytes(self._data[self.at + 1 : self.at + 1 + many], "little")
        self.at += 1 + many
        return -value if control & 0x80 else value

    def real(self) -> float:
        """The next float."""
        mantissa, exponent = self.integer(), self.integer()
        return float(mantissa) * 2.0 ** max(min(exponent, 1000), -1000)


class _Many:
    """The stream read at many places in step."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        # Eight bytes from every place on, whatever its alignment.
        self._words = np.ndarray((len(data) - 7,), np.dtype("<u8"), data.data, 0, (1,))

    def _word(self, at: Ints) -> NDArray[np.uint64]:
        if len(at) and at.max() >= len(self._words):
            raise ValueError("it ends early")
        return self._words[at]

    def integers(self, at: Ints) -> tuple[Ints, Ints]:
        """The integers (not negative) that begin at these places, and where the next ones do."""
        word = self._word(at)
        many = word & np.uint64(0xFF)
        if ((many < 1) | (many > 7)).any():
            raise ValueError("no stream of packed integers")
        value = (word >> np.uint64(8)) & ((np.uint64(1) << (many * np.uint64(8))) - np.uint64(1))
        return value.astype(np.int64), at + 1 + many.astype(np.int64)

    def expected(self, at: Ints, value: int) -> Ints:
        """Where the next numbers begin after these, which must all be `value`."""
        found, after = self.integers(at)
        if (found != value).any():
            raise ValueError("trees of unequal sizes")
        return after

    def reals(self, at: Ints) -> tuple[NDArray[np.float64], Ints]:
        """The floats that begin at these places, and where the next ones do."""
        word = self._word(at)
        many = word & np.uint64(0x0F)
        value = ((word >> np.uint64(8)) & ((np.uint64(1) << (many * np.uint64(8))) - np.uint64(1))).astype(np.float64)
        rest = word >> ((many + np.uint64(1)) * np.uint64(8))
        # A float's mantissa has one to three bytes, its exponent one.
        if ((many < 1) | (many > 4) | (word & np.uint64(0x70) > 0) | (rest & np.uint64(0x7F) != 1)).any():
            raise ValueError("no stream of packed floats")
        exponent = ((rest >> np.uint64(8)) & np.uint64(0xFF)).astype(np.int32)
        exponent = np.where(rest & np.uint64(0x80), -exponent, exponent)
        value = np.where(word & np.uint64(0x80), -value, value)
        return np.ldexp(value, exponent), at + 3 + many.astype(np.int64)

    def leaves(self, starts: Ints, many: int) -> tuple[Floats, Ints]:
        """The values (n, many) of leaves that begin at these places, and where each ends."""
        values, ends = np.empty((len(starts), many), np.float32), np.empty_like(starts)
        for low in range(0, len(starts), CHUNK):
            at = starts[low : low + CHUNK]
            for number in range(many):
                values[low : low + CHUNK, number], at = self.reals(at)
            ends[low : low + CHUNK] = at
        return values, ends

    def splits(self, at: Ints, count: int) -> tuple[list[NDArray[np.float64]], Ints]:
        """First and second pixel and threshold, each (n, count), of the trees whose splits begin at these places."""
        found: list[NDArray[np.float64]] = [np.empty((len(at), count)) for _ in range(3)]
        for number in range(count):
            found[0][:, number], at = self.integers(at)
            found[1][:, number], at = self.integers(at)
            found[2][:, number], at = self.reals(at)
        return found, at


def _joined(starts: Ints, ends: Ints, each: int) -> bool:
    """Whether each leaf of a tree begins where the one before it ends."""
    return bool((starts.reshape(-1, each)[:, 1:] == ends.reshape(-1, each)[:, :-1]).all())


def _pixels(tail: _Tokens, cascades: int) -> tuple[Ints, Floats]:
    """Anchors (cascades, pixels) and deltas (cascades, pixels, 2), which end the file."""
    if tail.integer() != cascades:
        raise ValueError("anchors of another number of cascades")
    anchors = [[tail.integer() for _ in range(_length(tail))] for _ in range(cascades)]
    if tail.integer() != cascades:
        raise ValueError("pixels of another number of cascades")
    deltas = [[(tail.real(), tail.real()) for _ in range(_length(tail))] for _ in range(cascades)]
    if {len(one) for one in anchors} | {len(one) for one in deltas} != {len(anchors[0])}:
        raise ValueError("cascades of unequal numbers of pixels")
    return np.array(anchors, np.int64), np.array(deltas, np.float32)


def _length(tail: _Tokens) -> int:
    length = tail.integer()
    if not 1 <= length <= 1 << 16:
        raise ValueError("a number of pixels that cannot be")
    return length
