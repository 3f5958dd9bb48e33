"""Each photograph of a table once and with one person, however its path is spelt: `a.jpg`, `./a.jpg`, `b/../a.jpg`."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from .packed_folders import END

if TYPE_CHECKING:
    from maskgen.formats.tables import Listed

_SLASH = b"/"
_MARKS = bytes(byte if byte in b"./" else ord("a") for byte in range(256))  # all others are letters
_Plain = Callable[[bytes], bytes]  # of a folder


def each_once(table: AnyPath, records: list[bytes], rows: Callable[[], Iterable[Listed]]) -> list[bytes]:
    """The records with each photograph once, in the first of the spellings in which a person has it.

    Args:
        table: the file; the table's paths are relative to its folder.
        records: of `PackedFolders`, one or more.
        rows: the table's rows, read again for the message.

    Raises:
        UserError: a photograph is assigned to two people.
    """
    plain = _plain_folder(table)
    spelt = list(_of_several_spellings(records, plain)) if isinstance(table, Path) else []
    _check_people(table, chain(_of_several(records), spelt), rows, plain)
    fewer = {record: _without_names(record, there) for several in spelt for record, there in _earlier(several)}
    if not fewer:
        return records
    return [record for record in (fewer.get(one, one) for one in records) if record]


def _earlier(several: Sequence[bytes]) -> Iterator[tuple[bytes, set[bytes]]]:
    """Of the records of one folder, one of which may be there twice, those with names of an earlier one, and these."""
    seen: set[bytes] = set()
    for record in sorted(set(several)):
        names = set(record.split(END)[2:])
        if seen & names:
            yield record, seen & names
        seen |= names


def _without_names(record: bytes, names: Collection[bytes]) -> bytes:
    """A record without these names; empty if it has no other."""
    folder, person, *own = record.split(END)
    left = [name for name in own if name not in names]
    return END.join((folder, person, *left)) if left else b""


def _check_people(
    table: AnyPath, groups: Iterable[list[bytes]], rows: Callable[[], Iterable[Listed]], plain: _Plain
) -> None:
    """Raise UserError where a photograph of one of these groups of records is assigned to two people."""
    for several in groups:
        whose: dict[bytes, bytes] = {}
        for record in several:
            folder, person, *names = record.split(END)
            twice = {name.decode() for name in names if whose.setdefault(name, person) != person}
            if twice:
                raise _twice(table, rows, lambda path: plain(_folder(path).encode()), plain(folder), person, twice)


def _of_several(records: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The records of each folder that several people have photographs in."""
    several: list[bytes] = []
    for one, other in pairwise(records):
        if other.startswith(one[: one.index(END) + 1]):
            several += [other] if several else [one, other]
        elif several:
            yield several
            several = []
    if several:
        yield several


def _plain_folder(table: AnyPath) -> _Plain:
    """What gives a folder of the table in one spelling: absolute, without `.`, `..` and doubled slashes.

    Links are not looked up. In an object store every spelling is another name.
    """
    if not isinstance(table, Path):
        return lambda folder: folder
    base = os.fsencode(table.parent.absolute()) + _SLASH

    def plain(folder: bytes) -> bytes:
        whole = posixpath.normpath(folder if folder.startswith(_SLASH) else base + folder)
        return whole[1:] if whole.startswith(2 * _SLASH) else whole  # normpath keeps two slashes

    return plain


def _of_several_spellings(records: Sequence[bytes], plain: _Plain) -> Iterable[list[bytes]]:
    """The records of each folder that is listed in several spellings.

    Of millions of folders, nearly all of which are spelt plainly, only the others are worked on one by one.
    """
    shared = _shared(records)
    found: dict[bytes, list[bytes]] = {}
    for record in _oddly_spelt(records, shared):
        found.setdefault(plain(record[: record.index(END)]), []).append(record)
    if not found:
        return ()
    # Below the folder that all share, a plain spelling is the rest of the folder's path.
    above = plain(shared).rstrip(_SLASH) + _SLASH
    spelt = {
        shared + folder[len(above) :]: several
        for folder, several in found.items()
        if (folder + _SLASH).startswith(above)
    }
    for record in records:
        if (several := spelt.get(record[: record.index(END)])) is not None:
            several.append(record)
    return (several for several in found.values() if len(several) > 1)


def _shared(records: Sequence[bytes]) -> bytes:
    """What the folders of all records, which are in order, begin with, up to a slash."""
    first, last = (one[: one.index(END)] for one in (records[0], records[-1]))
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[: first.rfind(_SLASH, 0, same) + 1]


def _oddly_spelt(records: Sequence[bytes], shared: bytes) -> list[bytes]:
    """The records whose folder may have another spelling, which a plain one below the shared folder has not."""
    begun = len(shared)
    return [
        record
        for record in records
        if not (rest := record[begun : record.index(END)]).translate(_MARKS).isalnum() and _is_odd(rest, shared)
    ]


def _is_odd(rest: bytes, shared: bytes) -> bool:
    if not rest:
        return shared not in (b"", _SLASH)
    return rest[:1] in (b".", _SLASH) or b"//" in rest or b"/." in rest or rest.endswith(_SLASH)


def _twice(
    table: AnyPath,
    rows: Callable[[], Iterable[Listed]],
    place: Callable[[str], bytes],
    folder: bytes,
    person: bytes,
    names: Collection[str],
) -> UserError:
    """The two lines that assign a photograph to two people: of these, which are another's too, the first that is listed
    as this person's."""
    path = next(
        path for path, whose, _ in rows() if _name(path) in names and whose.encode() == person and place(path) == folder
    )
    listed = [one for one in rows() if _name(one[0]) == _name(path) and place(one[0]) == folder]
    spelt, first, line = listed[0]
    path, other, later = next(one for one in listed if one[1] != first)
    spelling = "" if spelt == path else f", as {spelt}"
    return UserError(
        f"{table}, line {later}: {path} is of {other}, and of {first} in line {line}{spelling}; correct one."
    )


def _folder(path: str) -> str:
    """The folder of a path as `read_neighbours` gives it."""
    folder, slash, _ = path.rpartition("/")
    return folder or slash


def _name(path: str) -> str:
    return path.rpartition("/")[2]
