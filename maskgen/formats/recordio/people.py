"""The person of each picture of a RecordIO set, read without the pictures.

InsightFace's sets start with a header record, number 0, whose labels are (end of the pictures' numbers, end of the
people's numbers): pictures are 1, 2, ...; then follows one record per person, whose labels are (first, end) of that
person's pictures. Without a header the .lst beside the file names the people; without a .lst each record is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from ..any_path import AnyPath
from ..faults import ContainerError
from ..range_reads import RangeReader, ReadAhead
from .index import Numbers, RecordIndex
from .stream import FIRST, MAGIC, WHOLE, Record, label_text, read_record, unpack

Labels = NDArray[np.float64]
_EXACT = 1 << 24  # a header's numbers are float32, exact for whole numbers up to here
_SAMPLE = 64  # records whose own label is compared with the header or list
_HEAD = struct.Struct("<IIIfQQf")


@dataclass(frozen=True, slots=True)
class RecordPeople:
    """The pictures of a RecordIO set by person: `labels`, float64 (n,), sorted, and each picture's record.

    `ids`, `offsets` and `sizes` are int64 (n,); ids are ascending for each person.
    """

    labels: Labels
    ids: Numbers
    offsets: Numbers
    sizes: Numbers


def record_people(rec: AnyPath, pieces: RangeReader, index: RecordIndex) -> RecordPeople:
    """The person of each picture.

    Raises:
        ContainerError: the header or the .lst contradicts the records.
    """
    header = _header(pieces, index)
    if header is not None and header[1] < _EXACT and (people := _by_ranges(pieces, index, *header)) is not None:
        return people
    pictures = _taken(index, index.ids != 0) if header is not None else index
    labels = _by_list(rec, pictures)
    if labels is None:
        labels, pictures = _by_looking(pieces, pictures)
    _compare(pieces, pictures, labels, rec.with_suffix(".lst").name)
    return _grouped(labels, pictures)


def _header(pieces: RangeReader, index: RecordIndex) -> tuple[int, int] | None:
    """(end of the pictures' numbers, end of the people's numbers), None if record 0 is missing or a picture."""
    found = index.find(0)
    first = _record(pieces, *found) if found is not None else None
    if first is None or first.picture or not first.many or not all(np.isfinite(first.labels)):
        return None
    end = int(first.labels[0])
    return end, int(first.labels[1]) if len(first.labels) > 1 else end


def _record(pieces: RangeReader, offset: int, size: int) -> Record | None:
    try:
        return unpack(read_record(pieces, offset, min(size, 1 << 16)))
    except ContainerError:
        return None


def _by_ranges(pieces: RangeReader, index: RecordIndex, end: int, people_end: int) -> RecordPeople | None:
    """Pictures by the number ranges of the people's records; None if the ranges do not cover them."""
    pictures = _taken(index, (index.ids > 0) & (index.ids < end))
    people = _taken(index, (index.ids >= end) & (index.ids < people_end))
    ranges = _ranges(pieces, people)
    if ranges is None:
        return None
    labels = np.full(len(pictures), np.nan)
    for person, (first, last) in enumerate(np.searchsorted(pictures.ids, ranges).tolist()):
        labels[first:last] = person
    if not len(pictures) or np.isnan(labels).any() or _differs(pieces, pictures, labels) is not None:
        return None
    return _grouped(labels, pictures)


def _ranges(pieces: RangeReader, people: RecordIndex) -> Numbers | None:
    """The numbers (first, end) of each person's pictures, int64 (n, 2); None if a record lacks them."""
    ahead = ReadAhead(pieces, 1 << 20)
    ranges = np.empty((len(people), 2), np.int64)
    for person, (offset, size) in enumerate(zip(people.offsets.tolist(), people.sizes.tolist(), strict=True)):
        one = _record(ahead, offset, size)
        if one is None or len(one.labels) < 2 or not all(np.isfinite(one.labels[:2])):
            return None
        ranges[person] = one.labels[:2]
    return ranges


def _by_list(rec: AnyPath, pictures: RecordIndex) -> Labels | None:
    """Labels by the .lst: lines of (number, label, path) in any order, or of (1, path, label) in the records' order."""
    lst = rec.with_suffix(".lst")
    if not lst.is_file():
        return None
    data = lst.read_bytes()
    fields = data[: data.find(b"\n") if b"\n" in data else None].split(b"\t")
    if len(fields) < 3:
        return None
    if _is_number(fields[1]):
        return _numbered(_columns(data, len(fields), 0, 1), pictures)
    labels = _columns(data, len(fields), 2) if _is_number(fields[2]) else None
    return labels[0] if labels is not None and len(labels[0]) == len(pictures) else None


def _numbered(columns: list[Labels] | None, pictures: RecordIndex) -> Labels | None:
    """Labels of these records from (numbers, labels); None if one is missing."""
    if columns is None:
        return None
    order = np.argsort(columns[0], kind="stable")
    numbers, labels = columns[0][order], columns[1][order]
    at = np.searchsorted(numbers, pictures.ids).clip(max=max(len(numbers) - 1, 0))
    return labels[at] if len(numbers) and bool((numbers[at] == pictures.ids).all()) else None


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _columns(data: bytes, fields: int, *wanted: int) -> list[Labels] | None:
    """Columns of a tab-separated table as numbers; None if they are not numbers."""
    names = [str(number) for number in range(fields)]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pa_csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=pa_csv.ConvertOptions(
                include_columns=[str(number) for number in wanted],
                column_types={str(number): pa.float64() for number in wanted},
                null_values=[],
            ),
        )
    except pa.ArrowException:
        return None
    return [table[name].to_numpy() for name in table.column_names]


def _by_looking(pieces: RangeReader, index: RecordIndex) -> tuple[Labels, RecordIndex]:
    """Labels from the records' headers, and the records that hold a picture."""
    labels = np.zeros(len(index))
    empty = np.zeros(len(index), np.bool_)
    order = np.argsort(index.offsets, kind="stable")
    for at in order.tolist():
        labels[at], empty[at] = _look(pieces.read(int(index.offsets[at]), _HEAD.size))
    unnamed = np.flatnonzero(~np.isfinite(labels) & ~empty)
    if len(unnamed):
        first = unnamed[0]
        raise ContainerError(f"record {index.ids[first]} has the label {labels[first]}, which names no person")
    return labels[~empty], _taken(index, ~empty)


def _look(head: bytes) -> tuple[float, bool]:
    """A record's first label, and whether it holds no picture; an unreadable record fails later, when it is read."""
    magic, word, many, label, _, _, first = _HEAD.unpack(head.ljust(_HEAD.size, b"\0"))
    if magic != MAGIC or word >> 29 not in (WHOLE, FIRST):
        return 0.0, False
    length = word & ((1 << 29) - 1)
    whole = word >> 29 == WHOLE
    return (first if many else label), whole and length <= 24 + 4 * many


def _compare(pieces: RangeReader, pictures: RecordIndex, labels: Labels, name: str) -> None:
    """Raise ContainerError where a record of a sample has another label."""
    differing = _differs(pieces, pictures, labels)
    if differing is not None:
        number, listed, own = differing
        raise ContainerError(f"{name} has label {listed} for record {number}, whose own label is {own}")


def _differs(pieces: RangeReader, pictures: RecordIndex, labels: Labels) -> tuple[int, str, str] | None:
    """A sampled record with a contradicting label: its number, the listed label, and its own."""
    count = min(len(pictures), _SAMPLE)
    for at in (np.arange(count) * len(pictures) // max(count, 1)).tolist():
        head = pieces.read(int(pictures.offsets[at]), _HEAD.size)
        if len(head) == _HEAD.size and head[:4] == struct.pack("<I", MAGIC):
            own, _ = _look(head)
            if own != labels[at]:
                return int(pictures.ids[at]), label_text(labels[at]), label_text(own)
    return None


def _taken(index: RecordIndex, mask: NDArray[np.bool_]) -> RecordIndex:
    return RecordIndex(index.ids[mask], index.offsets[mask], index.sizes[mask])


def _grouped(labels: Labels, pictures: RecordIndex) -> RecordPeople:
    order = np.argsort(labels, kind="stable")
    return RecordPeople(labels[order], pictures.ids[order], pictures.offsets[order], pictures.sizes[order])
