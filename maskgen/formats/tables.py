"""A CSV of photographs' paths and people, with any of the usual column names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from maskgen.core.reasons import UserError

PATHS = ("path", "file", "filename", "filepath", "image", "imagepath", "imagefile", "img", "imgpath", "photo", "source")
PEOPLE = ("person", "target", "label", "identity", "subject", "name", "personid", "identityid", "subjectid", "class")
_BETWEEN = (",", ";", "\t")

# One row: a photograph's path, `/` between folders, its person, and its line number.
Listed = tuple[str, str, int]


def read_table(data: bytes | BinaryIO, name: str) -> Iterator[Listed]:
    """The rows of a table with a header, separated by commas, semicolons or tabs: see `Listed`.

    Args:
        data: the file's bytes, or the file opened at its beginning, which is read as the rows are taken.
        name: the file's, for messages.

    Raises:
        UserError: it is not a valid table; names the file and the line.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    first = file.readline()
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    between = max(_BETWEEN, key=lambda one: first.count(one.encode()))
    rows = csv.reader(text, delimiter=between)
    try:
        at, whose, columns = _header(next(rows, []), name)
        for row in rows:
            if len(row) != columns:
                if not row:
                    continue
                raise _fault(f"{len(row)} values where the first line has {columns}", name, rows.line_num)
            path, person = row[at].strip(), row[whose].strip()
            if not path or not person or "\0" in path or "\0" in person:
                raise _fault(f"{'no path' if not path else 'no person'} is given", name, rows.line_num)
            # Millions of rows: a tuple takes half of the time of a dataclass.
            yield path if "/" in path else _forward(path), person, rows.line_num
    except UnicodeDecodeError:
        raise UserError(
            f"{name}, line {_undecodable(text.detach())}: it is not UTF-8 text; save the table as such."
        ) from None
    except csv.Error as error:
        raise UserError(f"{name}, line {rows.line_num}: it cannot be read ({error}); correct the line.") from None


def _undecodable(file: BinaryIO) -> int:
    """The first line that is not UTF-8."""
    file.seek(0)
    data = file.read()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data[: error.start].count(b"\n") + 1
    return 1


def _header(header: Sequence[str], name: str) -> tuple[int, int, int]:
    """The columns of paths and of people, and how many columns there are."""
    plain = ["".join(letter for letter in title.casefold() if letter.isalnum()) for title in header]
    found = []
    for what, names in (("a photograph's path", PATHS), ("its person", PEOPLE)):
        column = next((plain.index(one) for one in names if one in plain), None)
        if column is None:
            have = ", ".join(header)[:60] or "nothing"
            raise UserError(f"{name}, line 1: no column for {what} (it has {have}); name one {names[0]}.")
        found.append(column)
    return found[0], found[1], len(header)


def _fault(what: str, name: str, line: int) -> UserError:
    return UserError(f"{name}, line {line}: {what}; correct the line.")


def _forward(path: str) -> str:
    r"""A Windows path with `/`; on other systems a name may contain a backslash."""
    return path if "/" in path else path.replace("\\", "/")
