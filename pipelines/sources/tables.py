"""The photographs that a CSV lists, as folders of a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from .listing import Folder
from .names import NUL, folder_name

if TYPE_CHECKING:
    from maskgen.formats.tables import Listed


def table_folders(table: AnyPath) -> list[Folder]:
    """The photographs of a table by folder and person; paths are relative to the table's folder.

    Duplicate rows count once.

    Raises:
        UserError: it is not a valid table, is empty, or assigns a photograph to two people.
    """
    groups = _grouped(table)
    if not groups:
        raise UserError(f"{table} lists no photographs: add a row for each below the header.")
    _check_one_person_each(table, groups)
    return [
        # Taken out one by one: the names are never in memory twice.
        Folder.of(key[0], list(dict.fromkeys(_names(groups.pop(key)))), folder_name(key[1]))
        for key in sorted(groups)
    ]


def _grouped(table: AnyPath) -> dict[tuple[str, str], list[str]]:
    """The names of each folder and person; those of neighbouring rows as one text, since a name of its own takes four
    times its length."""
    groups: dict[tuple[str, str], list[str]] = {}
    folder, last, names = "", "", list[str]()
    for path, person, _ in _rows(table):
        here, slash, name = path.rpartition("/")
        if here != folder or person != last or not here:
            if names:
                groups.setdefault((folder, last), []).append(NUL.join(names))
            folder, last, names = here or slash, person, []
        names.append(name)
    if names:
        groups.setdefault((folder, last), []).append(NUL.join(names))
    return groups


def _names(packed: Sequence[str]) -> list[str]:
    return NUL.join(packed).split(NUL)


def _rows(table: AnyPath) -> Iterator[Listed]:
    from maskgen.formats.tables import read_table

    if isinstance(table, Path):
        with table.open("rb") as file:
            yield from read_table(file, str(table))
    else:
        yield from read_table(table.read_bytes(), str(table))


def _check_one_person_each(table: AnyPath, groups: Mapping[tuple[str, str], Sequence[str]]) -> None:
    """Raise UserError where a photograph is assigned to two people."""
    often = Counter(folder for folder, _ in groups)
    whose: dict[str, dict[str, str]] = {}
    for (folder, person), packed in groups.items():
        if often[folder] > 1:
            seen = whose.setdefault(folder, {})
            for name in _names(packed):
                if seen.setdefault(name, person) != person:
                    raise _twice(table, folder, name)


def _twice(table: AnyPath, folder: str, name: str) -> UserError:
    """The two lines that assign a photograph to two people."""
    path = f"{folder.rstrip('/')}/{name}" if folder else name
    (_, person, line), *others = (one for one in _rows(table) if one[0] == path)
    _, other, later = next(one for one in others if one[1] != person)
    return UserError(f"{table}, line {later}: {path} is of {other}, and of {person} in line {line}; correct one.")
