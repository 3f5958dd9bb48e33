"""The index of a RecordIO file, record offsets by number: from its .idx, or by scanning the file.

Five million records take two arrays of 40 MB each; no Python objects per record.
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
_CHECKED, _CHECKED_FAR = 4096, 64  # records whose gaps are checked; each costs a read or a request
_HEAD_AND_PICTURE = struct.Struct("<IIIfQ")  # the header of a record and of a picture: flag, label, id


@dataclass(frozen=True, slots=True)
class RecordIndex:
    """Records by number: `ids`, ascending, and `offsets`, both int64 (n,); `sizes` are upper bounds."""

    ids: Numbers
    offsets: Numbers
    sizes: Numbers

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, number: int) -> tuple[int, int] | None:
        """The offset and size of a record, None for an unknown number."""
        at = int(np.searchsorted(self.ids, number))
        if at == len(self.ids) or self.ids[at] != number:
            return None
        return int(self.offsets[at]), int(self.sizes[at])


def load_index(rec: AnyPath, pieces: LocalRanges | RemoteRanges) -> RecordIndex:
    """The index of a .rec: from its .idx if it exists, else from a scan of the file.

    Raises:
        ContainerError: the .idx is invalid or lacks records of the file, or the file does not start with a record.
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
    """Refuse an index with gaps: records of the file, between or after its own, that it does not list.

    Up to `_CHECKED` records are all checked; of more, the last one and those with the largest distance to the next one,
    because an unlisted record adds its size to the distance before it.
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
        f"its index {name} lacks the record at byte {at}: create it again, or remove it so that the file is scanned"
    )


def _end_of(pieces: RangeReader, at: int) -> int | None:
    """The end of the record that starts at `at`; None if no complete record starts there."""
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
    """The index of a .rec without an .idx: its records by their ids, or by position if ids occur twice.

    Raises:
        ContainerError: it is not RecordIO; of a truncated file the complete records are used.
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
    """Scan a .rec: each record's id, first label if it is in the header, offset and end."""
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
    """Sorted by number; the size bound of a record is the distance to the next one."""
    order = np.argsort(ids, kind="stable")
    offsets = np.where(offsets < 0, end, offsets)  # if nothing is found
    starts = np.append(np.unique(offsets), end)
    nexts = starts[np.searchsorted(starts, offsets, side="right").clip(max=len(starts) - 1)]
    sizes = np.maximum(nexts - offsets, 0)
    last = order[np.append(np.diff(ids[order]) != 0, True)]  # of a duplicate number the last counts, as in MXNet
    return RecordIndex(ids[last], offsets[last], sizes[last])
