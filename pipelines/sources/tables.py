"""The photographs that a CSV lists, as folders of a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from .listing import Folder
from .output_names import NUL, folder_name

if TYPE_CHECKING:
    from maskgen.formats.tables import Listed

Group = str  # a folder and a person, joined: a pair of texts takes three times the memory; they sort alike
Packed = str | list[str]  # names, joined, in one or more texts


def table_folders(table: AnyPath) -> list[Folder]:
    """The photographs of a table by folder and person; paths are relative to the table's folder.

    Duplicate rows count once.

    Raises:
        UserError: it is not a valid table, is empty, or assigns a photograph to two people.
    """
    groups = _grouped(table)
    if not groups:
        raise UserError(f"{table} lists no photographs: add a row for each below the header.")
    order = sorted(groups)
    _check_one_person_each(table, groups, order)
    order.reverse()
    folders: list[Folder] = []
    while order:  # taken out one by one: neither names nor keys are in memory twice
        key = order.pop()
        folder, person = key.split(NUL)
        folders.append(Folder.of(folder, list(set(_names(groups.pop(key)))), folder_name(person)))
    return folders


def _grouped(table: AnyPath) -> dict[Group, Packed]:
    """The names of each folder and person; those of neighbouring rows as one text, since a name of its own takes four
    times its length, and a list of one text as much as five names."""
    groups: dict[Group, Packed] = {}
    folder, last, names = "", "", list[str]()
    for path, person, _ in _rows(table):
        here, slash, name = path.rpartition("/")
        if here != folder or person != last or not here:
            if names:
                _add(groups, f"{folder}{NUL}{last}", NUL.join(names))
            folder, last, names = here or slash, person, []
        names.append(name)
    if names:
        _add(groups, f"{folder}{NUL}{last}", NUL.join(names))
    return groups


def _add(groups: dict[Group, Packed], key: Group, packed: str) -> None:
    before = groups.get(key)
    if before is None:
        groups[key] = packed
    elif isinstance(before, str):
        groups[key] = [before, packed]
    else:
        before.append(packed)


def _names(packed: Packed) -> list[str]:
    return (packed if isinstance(packed, str) else NUL.join(packed)).split(NUL)


def _rows(table: AnyPath) -> Iterator[Listed]:
    from maskgen.formats.tables import read_table

    if isinstance(table, Path):
        with table.open("rb") as file:
            yield from read_table(file, str(table))
    else:
        yield from read_table(table.read_bytes(), str(table))


def _check_one_person_each(table: AnyPath, groups: Mapping[Group, Packed], order: Sequence[Group]) -> None:
    """Raise UserError where a photograph is assigned to two people; `order` are the groups in order."""
    for folder, keys in groupby(order, lambda key: key.partition(NUL)[0]):
        several = list(keys)
        whose: dict[str, str] = {}
        for key in several if len(several) > 1 else ():
            for name in _names(groups[key]):
                if whose.setdefault(name, key) != key:
                    raise _twice(table, folder, name)


def _twice(table: AnyPath, folder: str, name: str) -> UserError:
    """The two lines that assign a photograph to two people."""
    path = f"{folder.rstrip('/')}/{name}" if folder else name
    (_, person, line), *others = (one for one in _rows(table) if one[0] == path)
    _, other, later = next(one for one in others if one[1] != person)
    return UserError(f"{table}, line {later}: {path} is of {other}, and of {person} in line {line}; correct one.")
