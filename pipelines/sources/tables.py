"""The photographs that a CSV lists, as folders of a source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from .packed_folders import END, PackedFolders
from .table_people import each_once

if TYPE_CHECKING:
    from maskgen.formats.table_blocks import Neighbours
    from maskgen.formats.tables import Listed

_MANY = 1_000_000  # records in no order, from which on those of one folder and person are joined


def table_folders(table: AnyPath) -> PackedFolders:
    """The photographs of a table by folder and person; paths are relative to the table's folder.

    Duplicate rows count once, also where they spell a path in several ways.

    Raises:
        UserError: it is not a valid table, is empty, or assigns a photograph to two people.
    """
    records = _records(_neighbours(table))
    if not records:
        raise UserError(f"{table} lists no photographs: add a row for each below the header.")
    return PackedFolders(each_once(table, records, lambda: _rows(table)))


def _records(neighbours: Iterable[Neighbours]) -> list[bytes]:
    """A record of each folder and person, in order: see `PackedFolders`."""
    records: list[bytes] = []
    last, in_order, most = b"", True, _MANY
    for key, names in _joined(neighbours):
        in_order = in_order and key > last
        last = key
        records.append(key + names)
        if not in_order and len(records) >= most:
            # A table in no order has a record for each row, which takes five times the names' memory.
            records = _merged(records)
            most = len(records) + _MANY
    return records if in_order else [_sorted(record) for record in _merged(records)]


def _joined(neighbours: Iterable[Neighbours]) -> Iterator[tuple[bytes, bytes]]:
    """Neighbouring rows of one folder and person: the beginning of their record, and the names, each once and in
    order. A block of lines may end between two of them."""
    last, parts, rising = b"", list[bytes](), True
    for folder, person, names, is_rising in neighbours:
        key = b"%b\0%b\0" % (folder, person)
        if key == last:
            parts.append(names)
            rising = False
            continue
        if parts:
            yield last, parts[0] if rising else _distinct(END.join(parts))
        last, parts, rising = key, [names], is_rising
    if parts:
        yield last, parts[0] if rising else _distinct(END.join(parts))


def _distinct(names: bytes) -> bytes:
    """The names in order, each once."""
    return END.join(sorted(set(names.split(END))))


def _merged(records: list[bytes]) -> list[bytes]:
    """The records in order, those of one folder and person as one, whose names are in no order."""
    records.sort()
    merged: list[bytes] = []
    parts: list[bytes] = []
    key = b""
    for record in records:
        if parts and record.startswith(key):
            parts.append(record[len(key) :])
            continue
        if parts:
            merged.append(END.join(parts))
        key, parts = _key(record), [record]
    if parts:
        merged.append(END.join(parts))
    return merged


def _key(record: bytes) -> bytes:
    """A record's folder and person."""
    return record[: record.index(END, record.index(END) + 1) + 1]


def _sorted(record: bytes) -> bytes:
    """The record with its names in order, each once."""
    key = _key(record)
    return key + _distinct(record[len(key) :])


@contextmanager
def _opened(table: AnyPath) -> Iterator[BinaryIO]:
    if isinstance(table, Path):
        with table.open("rb") as file:
            yield file
    else:
        yield BytesIO(table.read_bytes())


def _neighbours(table: AnyPath) -> Iterator[Neighbours]:
    from maskgen.formats.table_blocks import read_neighbours

    with _opened(table) as file:
        yield from read_neighbours(file, str(table))


def _rows(table: AnyPath) -> Iterator[Listed]:
    from maskgen.formats.tables import read_table

    with _opened(table) as file:
        yield from read_table(file, str(table))
