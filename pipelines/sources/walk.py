"""Folders of photographs: the files of a folder of any depth, listed in one order on every machine.

Whatever is no folder counts as a photograph until it is read, including hidden files and files without a suffix; only
files of a file manager do not, and are counted. Links to files are read; links to folders are followed unless they form
a loop. A broken link, a pipe, a socket or a device counts as a photograph that cannot be used, and folders that cannot
be read are listed apart, so that nothing is skipped silently.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .file_managers import is_of_file_manager


class Found(NamedTuple):
    """The file names of every folder with files, and why the other folders cannot be read, by path below the root; the
    number of files that were passed over."""

    files: dict[str, list[str]]
    unreadable: dict[str, str]
    passed_over: int = 0


def walk(root: Path) -> Found:
    """All files below the root; one system call per folder, none per file.

    Raises:
        OSError: the root itself cannot be read.
    """
    found, passed_over = Found({}, {}), 0
    todo: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while todo:
        path, passed = todo.pop()
        try:
            with os.scandir(root / path) as entries:
                names, folders = _sort_out(entries, passed)
        except OSError as error:
            if not path:
                raise
            found.unreadable[path] = error.strerror or str(error)
            continue
        within = path + "/" if path else ""
        todo += [(within + name, trail) for name, trail in folders]
        photographs = [name for name in names if not is_of_file_manager(name)]
        passed_over += len(names) - len(photographs)
        if photographs:
            found.files[path] = photographs
    return found._replace(passed_over=passed_over)


def _sort_out(
    entries: Iterable[os.DirEntry[str]], passed: tuple[str, ...]
) -> tuple[list[str], list[tuple[str, tuple[str, ...]]]]:
    """A folder's files and subfolders, each with the folders whose links were followed to it."""
    names: list[str] = []
    folders: list[tuple[str, tuple[str, ...]]] = []
    for entry in entries:
        if entry.is_symlink():
            if not os.path.isdir(entry.path):  # noqa: PTH112  a million Paths cost seconds
                names.append(entry.name)
            elif (trail := _follow(entry.path, passed)) is not None:
                folders.append((entry.name, trail))
        elif entry.is_dir(follow_symlinks=False):
            folders.append((entry.name, passed))
        else:
            names.append(entry.name)
    return names, folders


def _follow(link: str, passed: tuple[str, ...]) -> tuple[str, ...] | None:
    """The folders visited after this link is followed; None for a loop."""
    here = os.path.realpath(os.path.dirname(link))  # noqa: PTH120
    target = os.path.realpath(link)
    trail = (*passed, here)
    if any(place == target or place.startswith(target.rstrip(os.sep) + os.sep) for place in trail):
        return None
    return trail
