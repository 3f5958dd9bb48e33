"""Where each record of a RecordIO file begins: from the .idx beside it, or else by going through the file.

Five million records are two arrays of 40 MB each, never a table of Python's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from ..any_path import AnyPath
from ..faults import ContainerError
from ..range_reads import LocalRanges, RangeReader, ReadAhead, RemoteRanges
from .stream import FIRST, LAST, MAGIC, MIDDLE, MOST_PART, WHOLE

Numbers = NDArray[np.int64]
_CHECKED, _CHECKED_FAR = 4096, 64  # records behind which a missing one is looked for; each costs a read or a request
_HEAD_AND_PICTURE = struct.Struct("<IIIfQ")  # a record's head, and of a picture's: flag, label, id


@dataclass(frozen=True, slots=True)
class RecordIndex:
    """Records by their number: `ids`, rising, and `offsets`, both int64 (n,); `sizes` is room that each has at most."""

    ids: Numbers
    offsets: Numbers
    sizes: Numbers

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, number: int) -> tuple[int, int] | None:
        """The offset and size of a record, None where there is none of this number."""
        at = int(np.searchsorted(self.ids, number))
        if at == len(self.ids) or self.ids[at] != number:
            return None
        return int(self.offsets[at]), int(self.sizes[at])


def load_index(rec: AnyPath, pieces: LocalRanges | RemoteRanges) -> RecordIndex:
    """The index of a .rec: its .idx where that is there, else what going through the file finds.

    Raises:
        ContainerError: the .idx is no index, or lacks records of the file, or no records begin the file.
    """
    if pieces.read(0, 4) != struct.pack("<I", MAGIC):
        raise ContainerError("it is no RecordIO file" if pieces.size else "it is empty")
    idx = rec.with_suffix(".idx")
    if idx.is_file():
        ids, offsets = _read_idx(idx.read_bytes(), idx.name)
        _refuse_gaps(offsets, pieces, idx.name)
        return _indexed(ids, offsets, pieces.size)
    return scan_index(pieces)


def _refuse_gaps(offsets: Numbers, pieces: LocalRanges | RemoteRanges, name: str) -> None:
    """Refuse an index between whose records, or after whose last one, the file holds others.

    Up to `_CHECKED` records all are looked at; of more, the last and those with the most room behind them, since a
    record that is not listed leaves its room to the one before it.
    """
    starts = np.unique(offsets[(offsets >= 0) & (offsets < pieces.size)])
    rooms = np.diff(np.append(starts, pieces.size))
    if not len(starts) or starts[0] > 0:
        raise _gap(name, 0)
    most = _CHECKED if isinstance(pieces, LocalRanges) else _CHECKED_FAR
    largest = np.argsort(rooms, kind="stable")[-most:].tolist()
    for at in sorted({*largest, len(starts) - 1}):
        end = _end_of(pieces, int(starts[at]))
        if end is not None and end < starts[at] + rooms[at]:
            raise _gap(name, end)


def _gap(name: str, at: int) -> ContainerError:
    return ContainerError(
        f"its index {name} lacks the record at byte {at}: have it made again, or remove it and the file is gone through"
    )


def _end_of(pieces: RangeReader, at: int) -> int | None:
    """Where the record that begins at `at` ends; None where none begins there, or it is cut off."""
    parts = 0
    while len(head := pieces.read(at, 8)) == 8:
        magic, word = struct.unpack("<II", head)
        flag = word >> 29
        if magic != MAGIC or flag > LAST or (flag in (MIDDLE, LAST)) != bool(parts):
            return None
        at += 8 + -(-(word & (MOST_PART - 1)) // 4) * 4
        if flag in (WHOLE, LAST):
            return at
        parts += 1
    return None


def _read_idx(data: bytes, name: str) -> tuple[Numbers, Numbers]:
    """The columns of an .idx: number, tab, offset."""
    if not data.strip():
        raise ContainerError(f"its index {name} is empty")
    options = {
        "read_options": pa_csv.ReadOptions(column_names=["id", "offset"], use_threads=False),
        "parse_options": pa_csv.ParseOptions(delimiter="\t", quote_char=False),
        "convert_options": pa_csv.ConvertOptions(column_types={"id": pa.int64(), "offset": pa.int64()}, null_values=[]),
    }
    try:
        table = pa_csv.read_csv(pa.BufferReader(data), **options)
    except pa.ArrowException:
        raise ContainerError(f"its index {name} does not hold two whole numbers a line") from None
    return table["id"].to_numpy(), table["offset"].to_numpy()


def scan_index(pieces: RangeReader) -> RecordIndex:
    """The index of a .rec without an .idx: its records by their own ids, or by place where ids are there twice.

    Raises:
        ContainerError: it is no RecordIO; one that ends early is read as far as its records are whole.
    """
    found = list(scan(pieces))
    if not found:
        raise ContainerError("it is no RecordIO file")
    columns = np.array([(number, offset) for number, _, offset, _ in found], np.int64)
    end = found[-1][3]
    ids = columns[:, 0]
    if len(np.unique(ids)) < len(ids):
        ids = np.arange(len(ids), dtype=np.int64)
    return _indexed(ids, columns[:, 1], end)


def scan(pieces: RangeReader) -> Iterator[tuple[int, float, int, int]]:
    """Go through a .rec: each record's id, first label where it stands in the head, offset and end."""
    at = 0
    ahead = ReadAhead(pieces, 1 << 16)
    while len(head := ahead.read(at, _HEAD_AND_PICTURE.size)) >= 8:
        magic, word = struct.unpack_from("<II", head)
        flag, length = word >> 29, word & (MOST_PART - 1)
        if magic != MAGIC:
            raise ContainerError(f"no record begins at byte {at}" if at else "it is no RecordIO file")
        end = at + 8 + -(-length // 4) * 4
        if flag in (WHOLE, FIRST) and len(head) == _HEAD_AND_PICTURE.size:
            _, _, _, label, number = _HEAD_AND_PICTURE.unpack(head)
            yield min(number, 2**63 - 1), label, at, end
        at = end


def _indexed(ids: Numbers, offsets: Numbers, end: int) -> RecordIndex:
    """Sorted by number; a record has room up to where the next one begins."""
    order = np.argsort(ids, kind="stable")
    offsets = np.where(offsets < 0, end, offsets)  # where nothing is found
    starts = np.append(np.unique(offsets), end)
    nexts = starts[np.searchsorted(starts, offsets, side="right").clip(max=len(starts) - 1)]
    sizes = np.maximum(nexts - offsets, 0)
    last = order[np.append(np.diff(ids[order]) != 0, True)]  # of a number that is there twice, as MXNet has it
    return RecordIndex(ids[last], offsets[last], sizes[last])
