"""Photographs of a source: a folder of any depth, a container or a table, local or in an object store."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.formats.faults import ContainerError

from ..checks import show_path
from ..folder_owner import SETTINGS, Owner, owner_of
from .file_managers import is_of_file_manager, note_of
from .folder import Folder
from .listing import Listing, with_distinct_outputs
from .output_names import escape
from .person import joined_crops, person_of_folder
from .walk import Found, walk

TABLES = (".csv", ".tsv")
# Suffixes of containers in a folder; a .bin may be any program's, so it counts only as SOURCE itself.
_CONTAINERS = (".tar", ".tar.gz", ".tgz", ".rec")
_BESIDE_REC = (".idx", ".lst")


def list_source(source: AnyPath) -> Listing:
    """List SOURCE: a folder, a container, a table of paths, or one photograph.

    Raises:
        UserError: SOURCE is absent, empty or cannot be read.
    """
    listing = _list_file(source) if source.is_file() else _list_tree(source)
    if not listing.folders:
        raise UserError(f"SOURCE {source} holds no photographs: name another.")
    return listing


def _list_tree(source: AnyPath) -> Listing:
    """Everything below a folder, including the content of containers."""
    found = _found(source)
    _check_no_run_inside(source, found)
    folders, passed_over = list[Folder](), found.passed_over
    several = sum(name.endswith(".rec") for names in found.files.values() for name in names) > 1
    for path, names in found.files.items():
        plain, containers = _apart(names)
        folders += [Folder.of(path, plain, *person_of_folder(source, path, found.files))] if plain else []
        for name in containers:
            inside, passed = _in_folder(source, f"{path}/{name}" if path else name, several)
            folders += inside
            passed_over += passed
    folders += _unreadable(found)
    folders, notes = joined_crops(folders)
    notes += note_of(passed_over)
    return Listing(source, with_distinct_outputs(sorted(folders, key=lambda folder: folder.path)), notes)


def list_folder(source: Path) -> Listing:
    """List a folder's files, or one file, of any type.

    Raises:
        UserError: SOURCE is absent, empty or cannot be read.
    """
    if source.is_file():
        return _one(source)
    found = _found(source)
    files = found.files
    folders = [Folder.of(path, names, *person_of_folder(source, path, files)) for path, names in files.items()]
    folders += _unreadable(found)
    return Listing(source, tuple(sorted(folders, key=lambda folder: folder.path)), note_of(found.passed_over))


def check_no_run(source: AnyPath) -> None:
    """Raise UserError where SOURCE is a run folder, or cannot be read."""
    try:
        is_run = (source / "settings.json").is_file() and (source / "shards").is_dir()
    except OSError as error:  # it names a file that need not exist
        raise UserError(f"SOURCE {source} cannot be read: {error.strerror}.") from error
    if is_run:
        raise UserError(
            f"SOURCE {source} is a run of `maskgen mask`: name the photographs that it was made from, or "
            f"{source / 'faces'} to mask its pictures once more."
        )


def _check_no_run_inside(source: AnyPath, found: Found) -> None:
    """Raise UserError where one of the folders below SOURCE is a run's, whose pictures would count as other people."""
    for shards in (path for path in chain(found.files, found.unreadable) if path.endswith("/shards")):
        run = shards.removesuffix("/shards")
        if SETTINGS in found.files.get(run, ()) and owner_of(source / run) is Owner.MASK:
            raise UserError(
                f"SOURCE {source} holds a run of `maskgen mask`, {show_path(source / run)}, whose pictures would count "
                "as photographs of other people: move it out of SOURCE, or name the folder of the photographs alone."
            )


def check_apart(source: AnyPath, run: AnyPath) -> None:
    """Raise UserError where the run would read its own outputs."""
    inner, outer = source.resolve(), run.resolve()
    if isinstance(inner, RemotePath) != isinstance(outer, RemotePath):
        return
    if inner == outer:
        raise UserError("SOURCE and RUN are the same folder: give RUN a folder of its own.")
    if outer.is_relative_to(str(inner)):
        raise UserError(f"RUN {run} lies inside SOURCE: give it a folder outside, or it would read its own output.")
    if inner.is_relative_to(str(outer)):
        raise UserError(f"SOURCE {source} lies inside RUN: give RUN a folder that holds nothing else.")


def _list_file(source: AnyPath) -> Listing:
    name = source.name.lower()
    if name.endswith(_BESIDE_REC) and source.with_suffix(".rec").is_file():
        raise UserError(f"SOURCE {source} is only the index of {source.with_suffix('.rec').name}: name that file.")
    try:
        if name.endswith(TABLES):
            from .tables import table_folders

            return Listing(source.parent, with_distinct_outputs(table_folders(source)))
        if name.endswith((*_CONTAINERS, ".bin")):
            folders, passed_over = _contained(source, source.name, several=False)
            return Listing(source.parent, with_distinct_outputs(folders), note_of(passed_over))
    except ContainerError as fault:
        raise UserError(f"SOURCE {source} cannot be read: {fault}.") from fault
    return _one(source)


def _one(source: AnyPath) -> Listing:
    parent = source.resolve().parent.name
    return Listing(source.parent, (Folder.of("", [source.name], escape(parent) or ".", ""),))


def _found(source: AnyPath) -> Found:
    """The files below the source."""
    if not source.is_dir():
        raise UserError(f"SOURCE {source} does not exist: name a folder of photographs, or one photograph.")
    try:
        found = _by_folder(source.walk()) if isinstance(source, RemotePath) else walk(source)
    except OSError as error:
        raise UserError(f"SOURCE {source} cannot be listed: {error.strerror}.") from error
    if not found.files and not found.unreadable:
        raise UserError(f"SOURCE {source} holds no photographs: name a folder of photographs.")
    return found


def _by_folder(paths: Sequence[str]) -> Found:
    files: dict[str, list[str]] = {}
    passed_over = 0
    for path in paths:
        folder, _, name = path.rpartition("/")
        if is_of_file_manager(name):
            passed_over += 1
        else:
            files.setdefault(folder, []).append(name)
    return Found(files, {}, passed_over)


def _unreadable(found: Found) -> list[Folder]:
    """The folders that cannot be read, as unreadable photographs of the people who may be in them."""
    folders = []
    for path, why in sorted(found.unreadable.items()):
        within, _, name = path.rpartition("/")
        faults = {name: f"the folder cannot be read: {why}"}
        folders.append(Folder(within, name, escape(path), escape(path), faults=faults))
    return folders


def _apart(names: list[str]) -> tuple[list[str], list[str]]:
    """A folder's photographs and its containers; the files of a .rec (.idx, .lst) belong to it."""
    containers = [name for name in names if name.endswith(_CONTAINERS)]
    if not containers:
        return names, []
    recs = [name[:-4] for name in containers if name.endswith(".rec")]
    beside = {rec + suffix for rec in recs for suffix in _BESIDE_REC} | ({"property"} if recs else set())
    return [name for name in names if name not in {*containers, *beside}], sorted(containers)


def _in_folder(source: AnyPath, path: str, several: bool) -> tuple[list[Folder], int]:
    """As `_contained`; an invalid container counts as an unreadable file, like any that cannot be opened."""
    container = source / path
    try:
        if isinstance(container, Path) and container.exists() and not container.is_file():
            return [broken(path, "it is not a regular file")], 0  # a pipe would be waited for
        return _contained(container, path, several)
    except ContainerError as fault:
        return [broken(path, str(fault))], 0
    except OSError as fault:
        if isinstance(source, RemotePath) and not isinstance(fault, (FileNotFoundError, PermissionError)):
            raise  # the store cannot be reached
        return [broken(path, fault.strerror or str(fault))], 0


def broken(path: str, fault: str) -> Folder:
    """A container with an unreadable part, as an unreadable photograph."""
    folder, _, name = path.rpartition("/")
    return Folder(folder, name, escape(folder) or ".", escape(folder), faults={name: fault})


def _contained(container: AnyPath, path: str, several: bool) -> tuple[list[Folder], int]:
    """The photographs of one container, and how many of its files were passed over."""
    if path.lower().endswith(".rec"):
        from .recordio_sets import record_folders

        return record_folders(container, path, several), 0
    if path.lower().endswith(".bin"):
        from .recordio_sets import bin_folders

        return bin_folders(container, path), 0
    from .tars import tar_folders

    folders, passed_over, fault = tar_folders(container, path)
    return folders + ([broken(path, fault)] if fault else []), passed_over
