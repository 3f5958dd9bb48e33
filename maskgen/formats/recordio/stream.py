"""RecordIO, the container of MXNet and InsightFace: a sequence of records, each with a length header.

    record   magic 0xced7230a, then 3 bits of flag and 29 of length, the bytes, zeros up to a multiple of four
    flag     0 a whole record; 1, 2, 3 the first, a middle and the last part of a record that contains the magic number
             at a multiple of four: it is left out between parts
    picture  flag uint32, label float32, id uint64, id2 uint64, then `flag` float32 labels, then the picture's file

All numbers are little-endian.

Source: dmlc-core's recordio.h and MXNet's recordio.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..faults import ContainerError
from ..range_reads import RangeReader

MAGIC = 0xCED7230A
MOST_PART = 1 << 29
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_HEAD = struct.Struct("<II")
_PICTURE = struct.Struct("<IfQQ")
WHOLE, FIRST, MIDDLE, LAST = range(4)


@dataclass(frozen=True, slots=True)
class Record:
    """A parsed record: `labels` (one or more numbers), its id, and the picture's file (empty in a header record)."""

    labels: tuple[float, ...]
    id: int
    picture: bytes
    many: bool = False


def label_text(label: float) -> str:
    """A label as text: a whole number without decimal point."""
    return str(int(label)) if float(label).is_integer() else str(label)


def read_record(pieces: RangeReader, offset: int, size: int | None = None, most: int = 1 << 30) -> bytes:
    """The bytes of the record at `offset`.

    Args:
        size: bytes of the first read, if the length is approximately known.
        most: maximum bytes of a record.

    Raises:
        ContainerError: no record starts there, it ends early, or it is too long.
    """
    window = pieces.read(offset, min(size, most) + _HEAD.size) if size else b""
    parts: list[bytes] = []
    at, total = offset, 0
    while True:
        head = _cut(pieces, window, offset, at, _HEAD.size)
        flag, length = _parse(head, at, bool(parts))
        total += length + (4 if parts else 0)
        if total > most:
            raise ContainerError(f"its record at byte {offset} is longer than any picture")
        data = _cut(pieces, window, offset, at + _HEAD.size, length)
        if len(data) < length:
            raise ContainerError(f"it ends in the middle of the record at byte {offset}")
        parts.append(data)
        if flag in (WHOLE, LAST):
            return _MAGIC_BYTES.join(parts) if len(parts) > 1 else data
        at += _HEAD.size + _padded(length)


def _cut(pieces: RangeReader, window: bytes, start: int, at: int, size: int) -> bytes:
    """Bytes from the read-ahead buffer, or from the file."""
    if at + size <= start + len(window):
        return window[at - start : at - start + size]
    return pieces.read(at, size)


def _parse(head: bytes, at: int, goes_on: bool) -> tuple[int, int]:
    if len(head) < _HEAD.size:
        raise ContainerError(f"it ends before byte {at + _HEAD.size}")
    magic, word = _HEAD.unpack(head)
    flag, length = word >> 29, word & (MOST_PART - 1)
    if magic != MAGIC or flag > LAST or (flag in (MIDDLE, LAST)) != goes_on:
        raise ContainerError(f"no record begins at byte {at}")
    return flag, length


def _padded(length: int) -> int:
    return -(-length // 4) * 4


def unpack(record: bytes) -> Record:
    """Parse a record of a picture set.

    Raises:
        ContainerError: it is too short.
    """
    if len(record) < _PICTURE.size:
        raise ContainerError("its record is too short to hold a picture")
    many, label, number, _ = _PICTURE.unpack_from(record)
    start = _PICTURE.size + 4 * many
    if start > len(record):
        raise ContainerError("its record is too short for the labels that it announces")
    labels = tuple(np.frombuffer(record, "<f4", many, _PICTURE.size).tolist()) if many else (label,)
    return Record(labels, number, record[start:], bool(many))


def pack(record: Record) -> bytes:
    """Serialise a record of a picture set; a single label, or with `many` an array.

    Raises:
        ValueError: a label is not exact in float32.
    """
    exact = np.asarray(record.labels, np.float32)
    if exact.tolist() != list(record.labels):
        raise ValueError(f"the labels {record.labels} are not exact in 32 bits")
    if record.many:
        return _PICTURE.pack(len(exact), 0.0, record.id, 0) + exact.astype("<f4").tobytes() + record.picture
    return _PICTURE.pack(0, record.labels[0], record.id, 0) + record.picture


def framed(record: bytes) -> Iterator[bytes]:
    """A record with its framing, split wherever the magic number occurs at a multiple of four."""
    cuts = _magic_places(record)
    starts = [0, *(cut + 4 for cut in cuts)]
    for part, (start, end) in enumerate(zip(starts, [*cuts, len(record)], strict=True)):
        flag = WHOLE if not cuts else FIRST if part == 0 else LAST if part == len(cuts) else MIDDLE
        if end - start >= MOST_PART:
            raise ValueError(f"a record of {len(record)} bytes is longer than RecordIO holds")
        yield _HEAD.pack(MAGIC, flag << 29 | (end - start))
        yield record[start:end]
        yield bytes(_padded(end - start) - (end - start))


def _magic_places(record: bytes) -> list[int]:
    """Positions of the magic number at multiples of four, ascending."""
    found, at = [], record.find(_MAGIC_BYTES)
    while at >= 0:
        if at % 4 == 0:
            found.append(at)
        at = record.find(_MAGIC_BYTES, at + (4 if at % 4 == 0 else 1))
    return found
