"""The photographs that a CSV lists, as folders of a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from operator import lt
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from .listing import Folder
from .output_names import NUL, folder_name

if TYPE_CHECKING:
    from maskgen.formats.table_blocks import Neighbours
    from maskgen.formats.tables import Listed

Group = str  # a folder and a person, joined: a pair of texts takes three times the memory; they sort alike
Packed = str | list[str]  # names, joined: one text of names in order, each once, or several of any


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
        folders.append(Folder.of_packed(folder, _distinct(groups.pop(key)), folder_name(person)))
    return folders


def _grouped(table: AnyPath) -> dict[Group, Packed]:
    """The names of each folder and person; those of neighbouring rows as one text, since a name of its own takes four
    times its length, and a list of one text as much as five names."""
    groups: dict[Group, Packed] = {}
    for folder, person, names, rising in _neighbours(table):
        key = f"{folder}{NUL}{person}"
        before = groups.get(key)
        if before is None:
            groups[key] = names if rising or _rises(names) else [names]
        elif isinstance(before, str):
            groups[key] = [before, names]
        else:
            before.append(names)
    return groups


def _rises(packed: str) -> bool:
    """Whether the names are in order, each once."""
    names = packed.split(NUL)
    return all(map(lt, names, islice(names, 1, None)))


def _distinct(packed: Packed) -> str:
    """The names in order, each once."""
    return packed if isinstance(packed, str) else NUL.join(sorted(set(_names(packed))))


def _names(packed: Packed) -> list[str]:
    return (packed if isinstance(packed, str) else NUL.join(packed)).split(NUL)


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


def _check_one_person_each(table: AnyPath, groups: Mapping[Group, Packed], order: Sequence[Group]) -> None:
    """Raise UserError where a photograph is assigned to two people; `order` are the groups in order."""
    for folder, several in _of_several(order):
        whose: dict[str, str] = {}
        for key in several:
            for name in _names(groups[key]):
                if whose.setdefault(name, key) != key:
                    raise _twice(table, folder, name)


def _of_several(order: Sequence[Group]) -> Iterator[tuple[str, list[Group]]]:
    """The folders that several people have photographs in, and their groups."""
    begun = 0
    for at, key in enumerate(order):
        folder = key[: key.index(NUL) + 1]
        if at + 1 == len(order) or not order[at + 1].startswith(folder):
            if at > begun:
                yield folder[:-1], list(order[begun : at + 1])
            begun = at + 1


def _twice(table: AnyPath, folder: str, name: str) -> UserError:
    """The two lines that assign a photograph to two people."""
    path = f"{folder.rstrip('/')}/{name}" if folder else name
    (_, person, line), *others = (one for one in _rows(table) if one[0] == path)
    _, other, later = next(one for one in others if one[1] != person)
    return UserError(f"{table}, line {later}: {path} is of {other}, and of {person} in line {line}; correct one.")
