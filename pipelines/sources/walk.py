"""Folders of photographs: the files of a folder of any depth, listed in one order on every machine.

Every regular file is a photograph until reading it says otherwise, hidden ones and those without a suffix
too. Links to files are read; links to folders are followed unless they lead back to where the walk already
is. A link that leads nowhere and a folder that cannot be listed count as photographs that cannot be read,
so that nothing is left out without a word. Pipes, sockets and devices are no files and are passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def walk(root: Path) -> dict[str, list[str]]:
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
