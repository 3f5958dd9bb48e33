"""A training list with its pictures for InsightFace's trainers: train.rec, train.idx, train.lst, property.

Record 0 is the header: its labels are (end of the pictures' numbers, end of the people's numbers). Picture i of the
list, from 1, is record i with its target as label; then follows one record per person, in order of the targets, whose
labels are (first, end) of that person's pictures.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from maskgen.core.atomic_writes import atomic_file
from maskgen.core.reasons import UserError
from maskgen.formats.recordio.stream import Record, framed, pack

from ..schema import Ints

REC, IDX, LST, PROPERTY = "train.rec", "train.idx", "train.lst", "property"
_CODES = {ord(letter): f"%{ord(letter):02X}" for letter in '\t\r\n"'}
_MOST = 1 << 24  # labels are float32, exact for whole numbers up to here


def save_recordio_set(folder: Path, pictures: Iterable[bytes], targets: Ints, paths: Iterable[str], size: int) -> None:
    """Write the four files; the index comes last.

    Args:
        pictures: encoded pictures of size x size pixels.
        targets: int64 (n,), the person of each, from 0, sorted.
        paths: the names of the pictures in train.lst, see `one_cell`.

    Raises:
        UserError: there are more pictures and people than the format can number.
    """
    counts = np.bincount(targets)
    end = len(targets) + 1
    if end + len(counts) > _MOST:
        raise UserError(f"RecordIO's labels number {_MOST:,} pictures and people at most: give a smaller --balance.")
    offsets = array("q")
    with atomic_file(folder / REC) as file, atomic_file(folder / LST) as lst:
        _add(file, offsets, Record((float(end), float(end + len(counts))), 0, b"", many=True))
        for at, (picture, target, path) in enumerate(zip(pictures, targets.tolist(), paths, strict=True), 1):
            _add(file, offsets, Record((float(target),), at, picture))
            lst.write(f"{at}\t{target}\t{one_cell(path)}\n".encode())
        first = 1
        for at, count in enumerate(counts.tolist(), end):
            _add(file, offsets, Record((float(first), float(first + count)), at, b"", many=True))
            first += count
    with atomic_file(folder / PROPERTY) as file:
        file.write(f"{len(counts)},{size},{size}".encode())
    with atomic_file(folder / IDX) as file:
        file.writelines(f"{number}\t{offset}\n".encode() for number, offset in enumerate(offsets))


def one_cell(path: str) -> str:
    """A path as a cell of a table with tabs: what would end or quote the cell is written as a URL would.

    Example:
        >>> one_cell('Ann "A"/1.jpg')
        'Ann %22A%22/1.jpg'
    """
    return path.translate(_CODES)


def _add(file: IO[bytes], offsets: array[int], record: Record) -> None:
    offsets.append(file.tell())
    file.writelines(framed(pack(record)))
