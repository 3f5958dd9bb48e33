"""The photographs that a CSV lists, as folders of a source."""

from __future__ import annotations

from maskgen.core.reasons import UserError
from maskgen.formats.places import Place

from .listing import Folder
from .names import folder_name


def table_folders(table: Place) -> list[Folder]:
    """The photographs of a table by their folder and person; paths are taken from the table's own folder.

    A row that is there twice counts once.

    Raises:
        UserError: it is no such table, lists nothing, or gives a photograph to two people.
    """
    from maskgen.formats.tables import read_table

    seen: dict[str, tuple[str, int]] = {}
    groups: dict[tuple[str, str], list[str]] = {}
    for path, person, line in read_table(table.read_bytes(), str(table)):
        if path in seen:
            _check_same(table, path, person, line, *seen[path])
            continue
        seen[path] = person, line
        folder, slash, name = path.rpartition("/")
        groups.setdefault((folder or slash, person), []).append(name)
    if not groups:
        raise UserError(f"{table} lists no photographs: give a row for each below the first line.")
    return [Folder.of(folder, names, folder_name(person)) for (folder, person), names in sorted(groups.items())]


def _check_same(table: Place, path: str, person: str, line: int, other: str, before: int) -> None:
    if person != other:
        raise UserError(f"{table}, line {line}: {path} is {person}'s, and {other}'s in line {before}; mend one.")
