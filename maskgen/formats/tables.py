"""A CSV of photographs' paths and people, with any of the usual column names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from maskgen.core.reasons import UserError, counted, csv_fault

if TYPE_CHECKING:
    from _csv import Reader as CsvRows

PATHS = ("path", "file", "filename", "filepath", "image", "imagepath", "imagefile", "img", "imgpath", "photo", "source")
PEOPLE = ("person", "target", "label", "identity", "subject", "name", "personid", "identityid", "subjectid", "class")
_BETWEEN = (",", ";", "\t")

# One row: a photograph's path, `/` between folders, its person, and its line number.
Listed = tuple[str, str, int]


class Layout(NamedTuple):
    """How a table's lines are cut: which value is the path, which the person, of how many, separated by what."""

    path: int
    person: int
    values: int
    between: str


def read_table(data: bytes | BinaryIO, name: str) -> Iterator[Listed]:
    """The rows of a table with a header, separated by commas, semicolons or tabs: see `Listed`.

    Args:
        data: the file's bytes, or the file opened at its beginning, which is read as the rows are taken.
        name: the file's, for messages.

    Raises:
        UserError: it is not a valid table; names the file and the line.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    between = separator(file.readline())
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    rows = csv.reader(text, delimiter=between, strict=True)
    with _told(name, rows, text):
        layout = layout_of(next(rows, []), between, name)
    yield from _listed(rows, text, layout, name, 0)


def read_rest(file: BinaryIO, name: str, layout: Layout, lines: int) -> Iterator[Listed]:
    """The rows of a table from the file's place on, which is after so many lines.

    Raises:
        UserError: they are not valid; names the file and the line.
    """
    text = io.TextIOWrapper(file, "utf-8", newline="")
    yield from _listed(csv.reader(text, delimiter=layout.between, strict=True), text, layout, name, lines)


def separator(line: bytes) -> str:
    """What separates the values of a header: a comma, semicolon or tab."""
    return max(_BETWEEN, key=lambda one: line.count(one.encode()))


def _listed(rows: CsvRows, text: io.TextIOWrapper, layout: Layout, name: str, lines: int) -> Iterator[Listed]:
    at, whose, columns, _ = layout
    with _told(name, rows, text, lines):
        for row in rows:
            if len(row) != columns:
                if not row:
                    continue
                values = counted(len(row), "value")
                raise _fault(f"{values} where the first line has {columns}", name, lines + rows.line_num)
            path, person = row[at].strip(), row[whose].strip()
            if not path or not person or "\0" in path or "\0" in person:
                raise _fault(f"{'no path' if not path else 'no person'} is given", name, lines + rows.line_num)
            # Millions of rows: a tuple takes half of the time of a dataclass.
            yield path if "/" in path else _forward(path), person, lines + rows.line_num


@contextmanager
def _told(name: str, rows: CsvRows, text: io.TextIOWrapper, lines: int = 0) -> Iterator[None]:
    """Faults of a file as messages for the user; `lines` lie before `rows`."""
    try:
        yield
    except UnicodeDecodeError:
        raise UserError(
            f"{name}, line {_undecodable(text.buffer)}: it is not UTF-8 text; save the table as such."
        ) from None
    except csv.Error as error:
        raise UserError(
            f"{name}, line {lines + rows.line_num}: it cannot be read ({csv_fault(error)}); correct the line."
        ) from None


def _undecodable(file: Any) -> int:
    """The first line that is not UTF-8."""
    file.seek(0)
    data = file.read()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data[: error.start].count(b"\n") + 1
    return 1


def layout_of(header: Sequence[str], between: str, name: str) -> Layout:
    """The columns of paths and of people in a table with this header.

    Raises:
        UserError: one of them is missing.
    """
    plain = ["".join(letter for letter in title.casefold() if letter.isalnum()) for title in header]
    found = []
    for what, names in (("a photograph's path", PATHS), ("its person", PEOPLE)):
        column = next((plain.index(one) for one in names if one in plain), None)
        if column is None:
            have = ", ".join(header)[:60] or "nothing"
            raise UserError(f"{name}, line 1: no column for {what} (it has {have}): rename the column to `{names[0]}`.")
        found.append(column)
    return Layout(found[0], found[1], len(header), between)


def _fault(what: str, name: str, line: int) -> UserError:
    return UserError(f"{name}, line {line}: {what}; correct the line.")


def _forward(path: str) -> str:
    r"""A Windows path with `/`; on other systems a name may contain a backslash."""
    return path if "/" in path else path.replace("\\", "/")
