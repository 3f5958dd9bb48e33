"""The photographs that a CSV lists, as folders of a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from .listing import Folder
from .names import folder_name


def table_folders(table: AnyPath) -> list[Folder]:
    """The photographs of a table by folder and person; paths are relative to the table's folder.

    Duplicate rows count once.

    Raises:
        UserError: it is not a valid table, is empty, or assigns a photograph to two people.
    """
    from maskgen.formats.tables import read_table

    groups: dict[tuple[str, str], list[str]] = {}
    for path, person, _ in read_table(table.read_bytes(), str(table)):
        folder, slash, name = path.rpartition("/")
        groups.setdefault((folder or slash, person), []).append(name)
    if not groups:
        raise UserError(f"{table} lists no photographs: add a row for each below the header.")
    _check_one_person_each(table, groups)
    return [
        Folder.of(folder, list(dict.fromkeys(names)), folder_name(person))
        for (folder, person), names in sorted(groups.items())
    ]


def _check_one_person_each(table: AnyPath, groups: Mapping[tuple[str, str], Sequence[str]]) -> None:
    """Raise UserError where a photograph is assigned to two people."""
    often = Counter(folder for folder, _ in groups)
    whose: dict[str, dict[str, str]] = {}
    for (folder, person), names in groups.items():
        if often[folder] > 1:
            seen = whose.setdefault(folder, {})
            for name in names:
                if seen.setdefault(name, person) != person:
                    raise _twice(table, folder, name)


def _twice(table: AnyPath, folder: str, name: str) -> UserError:
    """The two lines that assign a photograph to two people."""
    from maskgen.formats.tables import read_table

    path = f"{folder.rstrip('/')}/{name}" if folder else name
    (_, person, line), *others = (one for one in read_table(table.read_bytes(), str(table)) if one.path == path)
    _, other, later = next(one for one in others if one.person != person)
    return UserError(f"{table}, line {later}: {path} is of {other}, and of {person} in line {line}; correct one.")
