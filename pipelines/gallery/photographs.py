"""The photographs of a gallery's SOURCE: a folder, or a CSV, as entries and the names that their outputs get."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from maskgen.core.reasons import UserError
from maskgen.gallery.entries import (
    COLUMNS,
    Entry,
    UnlabelledPhotograph,
    from_csv,
    from_folders,
    from_names,
    person_of_empty_folder,
    person_of_unlabelled,
)

from ..sources.file_managers import is_of_file_manager
from ..sources.listing import Item
from ..sources.output_names import escape, stem_of
from ..sources.source import list_folder
from .settings import GallerySettings


@dataclass(frozen=True, slots=True)
class Photographs:
    """The photographs of SOURCE: paths are below `root`; `names` are the output names, PERSON/bare|masked/STEM.

    `unreadable` are folders that cannot be read, each with its fault. `without` are people without an entry: their
    folders are empty or cannot be read, or no photograph of theirs says whether it shows a mask.
    `notes` are messages for the user.
    """

    root: Path
    entries: list[Entry]
    unlabelled: list[UnlabelledPhotograph]
    names: list[str]
    unreadable: list[Item]
    without: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def people(self) -> set[str]:
        """All people, also those without a photograph."""
        return {*(entry.person for entry in self.entries), *self.without}

    def digest(self) -> str:
        """A digest that changes when a photograph or a person is added, removed or modified."""
        digest = hashlib.blake2b(digest_size=16)
        for entry in self.entries:
            named = f"{escape(entry.path)}\0{escape(entry.person)}\0{entry.masked}"
            digest.update(f"{named}\0{_state(self.root / entry.path)}\n".encode())
        for person in self.without:
            digest.update(f"{escape(person)}\n".encode())
        return f"{len(self.entries)} ({digest.hexdigest()})"


def _state(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "gone"
    return f"{found.st_size} {found.st_mtime_ns}"


def list_photographs(settings: GallerySettings) -> Photographs:
    """List SOURCE.

    Raises:
        UserError: it is absent, empty, or an unreadable CSV; or a person's name is not a valid folder name.
    """
    source, unreadable, without = settings.source, list[Item](), set[str]()
    if not source.is_dir() and source.suffix.lower() != ".csv":
        state = "is one file" if source.exists() else "does not exist"
        raise UserError(
            f"SOURCE {source} {state}: name a folder of photographs, or a CSV with the columns {', '.join(COLUMNS)}."
        )
    notes: tuple[str, ...] = ()
    if source.is_file() and source.suffix.lower() == ".csv":
        if settings.masked_pattern:
            raise UserError("--masked-pattern is for a folder; a CSV says itself who is masked.")
        found, root = from_csv(_text(source), str(source)), source.parent
    else:
        listing = list_folder(source)
        root = source
        items = [item for folder in listing.folders for item in listing.items(folder)]
        without = set(_people_of_empty_folders(root, by_names=settings.masked_pattern is not None))
        unreadable = [item for item in items if item.fault]
        paths, notes = [item.key for item in items if not item.fault], listing.notes
        found = from_names(paths, settings.masked_pattern) if settings.masked_pattern else from_folders(paths)
    entries = [one for one in found if isinstance(one, Entry)]
    unlabelled = [one for one in found if isinstance(one, UnlabelledPhotograph)]
    if not entries:
        raise UserError(
            f"{source} holds no PERSON/bare and PERSON/masked folders: give --masked-pattern, or a CSV with the "
            "columns path, person and masked."
        )
    known = {entry.person for entry in entries}
    without |= set(_people_without_a_label(root, unlabelled, unreadable, known, settings.masked_pattern is not None))
    without -= known
    return Photographs(root, entries, unlabelled, output_names(entries), unreadable, sorted(without), notes)


def _people_of_empty_folders(root: Path, by_names: bool) -> Iterator[str]:
    """The people of the folders below the root that hold nothing, or nothing but files of a file manager."""
    for place, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if folders or not all(map(is_of_file_manager, files)) or Path(place) == root:
            continue
        if (person := person_of_empty_folder(Path(place).relative_to(root).as_posix(), by_names)) is not None:
            yield person


def _people_without_a_label(
    root: Path, unlabelled: Sequence[UnlabelledPhotograph], unreadable: Sequence[Item], known: set[str], by_names: bool
) -> Iterator[str]:
    """The people of photographs without a label, and of what cannot be read, a folder or a single file."""
    paths = [one.path for one in unlabelled]
    for item in unreadable:  # Path.is_dir raises in a folder whose files may not be looked up
        is_folder = os.path.isdir(root / item.key)  # noqa: PTH112
        paths.append(f"{item.key}/" if is_folder else item.key)
    for folder in sorted({path.rpartition("/")[0] for path in paths}):
        if (person := person_of_unlabelled(folder, known, by_names)) is not None:
            yield person


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text: save it as such.") from None


def output_names(entries: Sequence[Entry]) -> list[str]:
    """A unique PERSON/bare|masked/STEM for each entry; equal stems keep their suffix, then get a number."""
    plain = [f"{_folder(entry)}/{escape(stem_of(PurePosixPath(entry.path).name))}" for entry in entries]
    often = Counter(name.lower() for name in plain)
    names: list[str] = []
    taken: set[str] = set()
    for entry, name in zip(entries, plain, strict=True):
        if often[name.lower()] > 1:
            name = f"{_folder(entry)}/{escape(PurePosixPath(entry.path).name)}"
        number, free = 2, name
        while free.lower() in taken:
            number, free = number + 1, f"{name}-{number}"
        taken.add(free.lower())
        names.append(free)
    return names


def _folder(entry: Entry) -> str:
    """PERSON/bare or PERSON/masked.

    Raises:
        UserError: the person's name would lead out of OUT, or is empty.
    """
    parts = PurePosixPath(entry.person.replace("\\", "/")).parts
    if not parts or any(part in ("/", ".", "..") or "\0" in part or ":" in part for part in parts):
        raise UserError(f"{entry.path}: {entry.person!r} is no name that a folder can have.")
    return f"{escape('/'.join(parts))}/{'masked' if entry.masked else 'bare'}"
