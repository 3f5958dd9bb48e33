"""The photographs of a gallery's source, with person and mask label."""

from __future__ import annotations

import csv
import fnmatch
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from maskgen.core.reasons import UserError, csv_fault

MASKED_FOLDERS = ("masked", "mask", "with_mask")
BARE_FOLDERS = ("bare", "unmasked", "no_mask", "without_mask")
COLUMNS = ("path", "person", "masked")
_BETWEEN = (",", ";", "\t")
_SAYS = {"1": True, "true": True, "yes": True, "masked": True, "0": False, "false": False, "no": False, "bare": False}


@dataclass(frozen=True, slots=True)
class Entry:
    """One photograph: its path as given, "/" between folders, its person, and its mask label."""

    path: str
    person: str
    masked: bool


@dataclass(frozen=True, slots=True)
class UnlabelledPhotograph:
    """A photograph without a person or a mask label."""

    path: str
    detail: str


def from_folders(paths: Iterable[str]) -> list[Entry | UnlabelledPhotograph]:
    """Entries of PERSON/bare/FILE and PERSON/masked/FILE; PERSON may be several folders deep.

    Example:
        >>> from_folders(["Ann/masked/1.jpg", "Ann/1.jpg"])[0]
        Entry(path='Ann/masked/1.jpg', person='Ann', masked=True)
    """
    return [_of_folders(path) for path in paths]


def _of_folders(path: str) -> Entry | UnlabelledPhotograph:
    *person, state, _ = ("", "", *PurePosixPath(path).parts)
    whose = "/".join(part for part in person if part)
    if state.lower() not in (*MASKED_FOLDERS, *BARE_FOLDERS):
        return UnlabelledPhotograph(path, "its folder is called neither bare nor masked")
    if not whose:
        return UnlabelledPhotograph(path, "no person's folder above bare and masked")
    return Entry(path, whose, state.lower() in MASKED_FOLDERS)


def person_of_empty_folder(path: str, by_names: bool) -> str | None:
    """The person whom a folder without photographs is for, None where it is for nobody.

    Args:
        by_names: the folders are PERSON, and not PERSON/bare and PERSON/masked.

    Example:
        >>> person_of_empty_folder("Ann/bare", by_names=False), person_of_empty_folder("Ann", by_names=False)
        ('Ann', 'Ann')
    """
    *above, name = PurePosixPath(path).parts
    states = () if by_names else (*MASKED_FOLDERS, *BARE_FOLDERS)
    if any(part.lower() in states for part in above):
        return None
    return "/".join(above if name.lower() in states else (*above, name)) or None


def person_of_unlabelled(folder: str, known: Collection[str], by_names: bool) -> str | None:
    """The person of photographs without a mask label, None where they are of nobody.

    Args:
        folder: of the photographs, "" for the source itself.
        known: people who have photographs with a label. Folders inside a person's are the person's, and folders beside
            one that is PERSON/bare's are people.
        by_names: the folders are PERSON, and not PERSON/bare and PERSON/masked.

    Example:
        >>> person_of_unlabelled("Odd/stuff", {"Ann"}, by_names=False)
        'Odd'
        >>> person_of_unlabelled("team/Bo", {"team/Ann"}, by_names=False)
        'team/Bo'
    """
    if by_names or not folder:
        return folder or None
    parts = PurePosixPath(folder).parts
    for at, part in enumerate(parts):
        if part.lower() in (*MASKED_FOLDERS, *BARE_FOLDERS):
            return "/".join(parts[:at]) or None
    upwards = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
    if whose := next((one for one in upwards if one in known), None):
        return whose
    above = "/".join(parts[:-1])
    return folder if not above or any(one.startswith(f"{above}/") for one in known) else above


def from_names(paths: Iterable[str], pattern: str) -> list[Entry | UnlabelledPhotograph]:
    """Entries of PERSON/FILE; files whose name, without folders, matches the pattern (`*_mask*`) are masked.

    Case is ignored.
    """
    entries: list[Entry | UnlabelledPhotograph] = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        masked = fnmatch.fnmatchcase(name.lower(), pattern.lower())
        entries.append(
            Entry(path, folder, masked) if folder else UnlabelledPhotograph(path, "no person's folder about it")
        )
    return entries


def from_csv(text: str, file: str) -> list[Entry | UnlabelledPhotograph]:
    """Entries of a table with the columns path, person and masked (1 or 0, true or false, yes or no, masked or bare).

    Titles may be in any case. Duplicate rows count once.

    Raises:
        UserError: a column is missing, or a row cannot be read; names the file and the line.
    """
    text = text.removeprefix("\ufeff")
    between = max(_BETWEEN, key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    try:
        rows.fieldnames = [_title(name) for name in rows.fieldnames or ()]
        missing = [name for name in COLUMNS if name not in rows.fieldnames]
        if missing:
            raise UserError(f"{file}: no column {missing[0]!r}; the first line must name {', '.join(COLUMNS)}.")
        found: dict[tuple[PurePosixPath, str, bool], Entry | UnlabelledPhotograph] = {}
        for row in rows:
            one = _of_row(row, f"{file}, line {rows.line_num}")
            found.setdefault((PurePosixPath(one.path), one.person, one.masked), one)
        return list(found.values())
    except csv.Error as error:
        raise UserError(
            f"{file}, line {rows.reader.line_num}: it cannot be read ({csv_fault(error)}); correct the line."
        ) from None


def _title(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _of_row(row: Mapping[str, str | None], where: str) -> Entry:
    path, person, says = ((row[name] or "").strip() for name in COLUMNS)
    if not path or not person or "\0" in path + person or says.lower() not in _SAYS:
        raise UserError(f"{where}: expected a path, a person, and 1 or 0 for masked.")
    return Entry(path.replace("\\", "/"), person, _SAYS[says.lower()])
