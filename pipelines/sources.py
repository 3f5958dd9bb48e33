"""Where photographs come from: the files of a folder of any depth, listed in one order on every machine.

Every regular file is a photograph until reading it says otherwise, hidden ones and those without a suffix
too. Links to files are read; links to folders are followed unless they lead back to where the walk already
is. A link that leads nowhere and a folder that cannot be listed count as photographs that cannot be read,
so that nothing is left out without a word. Pipes, sockets and devices are no files and are passed over.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from maskgen.core.reasons import UserError

_NUL = "\0"  # the one character that no file name holds
_ESCAPED = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})")
_AWKWARD = re.compile(r"[\\\ud800-\udfff]")


class Item(NamedTuple):
    """One photograph to be done.

    `key` is its path below the source, `/` between folders, as the file system names it; `person` and `out`
    (where its outputs go, without the kind and the suffix) are text that any file can hold.
    """

    key: str
    person: str
    out: str


@dataclass(frozen=True, slots=True)
class Folder:
    """The files right in one folder: its path below the source ("" for itself) and their sorted names.

    The names are kept in one text, since 2.5 million names as strings of their own take 180 MB more.
    """

    path: str
    packed: str

    @classmethod
    def of(cls, path: str, names: Sequence[str]) -> Folder:
        """The folder with these names, sorted by code point, which no locale changes."""
        return cls(path, _NUL.join(sorted(names)))

    @property
    def names(self) -> list[str]:
        """The file names, in order."""
        return self.packed.split(_NUL)

    def __len__(self) -> int:
        return self.packed.count(_NUL) + 1


@dataclass(frozen=True, slots=True)
class Listing:
    """All photographs of a source: folders that hold any, sorted by path."""

    root: Path
    folders: tuple[Folder, ...]

    def __len__(self) -> int:
        return sum(map(len, self.folders))

    def person(self, folder: Folder) -> str:
        """Whose photographs a folder holds: its path below the source.

        Files right in the source belong to a person named as the source, or `.` where that would be
        another's name.
        """
        if folder.path:
            return escape(folder.path)
        name = self.root.resolve().name
        return "." if not name or any(other.path == name for other in self.folders) else escape(name)

    def items(self, folder: Folder) -> Iterator[Item]:
        """The photographs of a folder, in order."""
        person = self.person(folder)
        within = folder.path + "/" if folder.path else ""
        names = folder.names
        for name, stem in zip(names, output_stems(names), strict=True):
            yield Item(within + name, person, escape(within + stem))


def list_source(source: Path) -> Listing:
    """List a folder, or the one file that SOURCE names.

    Raises:
        UserError: SOURCE is absent, empty or cannot be read.
    """
    if source.is_file():
        return Listing(source.parent, (Folder.of("", [source.name]),))
    if not source.is_dir():
        raise UserError(f"SOURCE {source} does not exist: name a folder of photographs, or one photograph.")
    try:
        found = _walk(source)
    except OSError as error:
        raise UserError(f"SOURCE {source} cannot be listed: {error.strerror}.") from error
    if not found:
        raise UserError(f"SOURCE {source} holds no files: name a folder of photographs.")
    return Listing(source, tuple(Folder.of(path, found[path]) for path in sorted(found)))


def check_apart(source: Path, run: Path) -> None:
    """Raise UserError where the run would read what it writes."""
    inner, outer = source.resolve(), run.resolve()
    if inner == outer:
        raise UserError("SOURCE and RUN are the same folder: give RUN a folder of its own.")
    if outer.is_relative_to(inner):
        raise UserError(f"RUN {run} lies inside SOURCE: give it a folder outside, or it would read its own output.")
    if inner.is_relative_to(outer):
        raise UserError(f"SOURCE {source} lies inside RUN: give RUN a folder that holds nothing else.")


def output_stems(names: Sequence[str]) -> list[str]:
    """What the outputs of each file of a folder are named after: its stem, or its name where stems clash.

    Example:
        >>> output_stems(["a.jpg", "a.png", "b.c.jpg"])
        ['a.jpg', 'a.png', 'b.c']
    """
    stems = [stem_of(name) for name in names]
    count = Counter(stems)
    # A file named "a.jpg.png" has the stem "a.jpg", which is the whole name of another.
    whole = set(names)
    return [
        stem if count[stem] == 1 and (stem == name or stem not in whole) else name
        for name, stem in zip(names, stems, strict=True)
    ]


def stem_of(name: str) -> str:
    """A file name without its last suffix; `.hidden` and `name.` have none.

    `Path.stem` changed its mind about trailing dots in Python 3.14, and output names must not.
    """
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix and stem.strip(".") else name


def escape(text: str) -> str:
    r"""A file name as text that UTF-8 can hold, so that `unescape` gives it back.

    A byte that is no UTF-8 becomes `\xNN`, a lone surrogate (Windows) `\uNNNN`, and a backslash is doubled.
    """
    return _AWKWARD.sub(_escape_one, text) if _AWKWARD.search(text) else text


def unescape(text: str) -> str:
    """The file name that `escape` was given."""
    return _ESCAPED.sub(_unescape_one, text)


def _escape_one(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\\":
        return "\\\\"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _unescape_one(match: re.Match[str]) -> str:
    body = match[1]
    if body == "\\":
        return "\\"
    return chr(int(body[1:], 16) + (0xDC00 if body[0] == "x" else 0))


def _walk(root: Path) -> dict[str, list[str]]:
    """The file names of every folder below the root; one call a folder, none a file."""
    found: dict[str, list[str]] = {}
    todo: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while todo:
        path, passed = todo.pop()
        try:
            with os.scandir(root / path) as entries:
                names, folders = _sort_out(entries, passed)
        except OSError:
            if not path:
                raise
            # Listed as a photograph of the folder above, which then cannot be read.
            path, _, name = path.rpartition("/")
            names, folders = [name], []
        within = path + "/" if path else ""
        todo += [(within + name, trail) for name, trail in folders]
        if names:
            found.setdefault(path, []).extend(names)
    return found


def _sort_out(
    entries: Iterable[os.DirEntry[str]], passed: tuple[str, ...]
) -> tuple[list[str], list[tuple[str, tuple[str, ...]]]]:
    """A folder's files, and its folders, each with the places from which links were followed."""
    names: list[str] = []
    folders: list[tuple[str, tuple[str, ...]]] = []
    for entry in entries:
        if entry.is_symlink():
            if not os.path.isdir(entry.path):  # noqa: PTH112  a million Paths cost seconds
                names += [entry.name] if _is_file_or_gone(entry.path) else []
            elif (trail := _follow(entry.path, passed)) is not None:
                folders.append((entry.name, trail))
        elif entry.is_dir(follow_symlinks=False):
            folders.append((entry.name, passed))
        elif entry.is_file(follow_symlinks=False):
            names.append(entry.name)
    return names, folders


def _is_file_or_gone(path: str) -> bool:
    return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113


def _follow(link: str, passed: tuple[str, ...]) -> tuple[str, ...] | None:
    """The places passed once this link to a folder is followed; None where it leads back to one."""
    here = os.path.realpath(os.path.dirname(link))  # noqa: PTH120
    target = os.path.realpath(link)
    trail = (*passed, here)
    if any(place == target or place.startswith(target.rstrip(os.sep) + os.sep) for place in trail):
        return None
    return trail
