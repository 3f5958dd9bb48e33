"""Atomic writes of local files: a file is complete or does not exist."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

PART = ".part"  # suffix of unfinished files
_PART_NAME = re.compile(r"\.(.+)\.[0-9]+(-[0-9a-f]+)?\.part", re.DOTALL)  # of `atomic_file`
_LONGEST = 200  # bytes of a name to which `_unfinished` adds up to 24: 255 fit in most file systems


@contextlib.contextmanager
def atomic_file(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open a file for writing that is renamed to its name when it is complete; the folder is created.

    Args:
        durable: flush it to the disk at the end.

    Raises:
        OSError: the disk is full, the folder is not writable, ...; names `path`, and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    try:
        with unfinished.open("wb") as file:
            _mark(file)
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
        if durable:
            flush_folder(path.parent)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        # The error of a full disk has no file name; an error of another file keeps its own.
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(unfinished)):
            raise about(error, path) from error
        raise


def write_atomic(path: Path, data: bytes, durable: bool = False) -> None:
    """`atomic_file` for bytes in memory."""
    with atomic_file(path, durable) as file:
        file.write(data)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """As `atomic_file`, for a library that opens its file by name: the name to write to; the folder is created.

    Raises:
        OSError: as of `atomic_file`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        if error.errno and error.filename in (None, str(unfinished)):
            raise about(error, path) from error
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def save_array(path: Path, array: np.ndarray[Any, Any], durable: bool = True) -> None:
    """`atomic_file` for an array as .npy, with the bytes of `numpy.save`.

    `numpy.save` writes an array to a file by itself, and tells of a full disk without the system's error.
    """
    from numpy.lib import format as npy

    whole = array if array.flags.c_contiguous else array.copy("C")
    with atomic_file(path, durable) as file:
        npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(whole))
        file.write(whole.data)


def finished_name(name: str) -> str:
    """The name that an unfinished file of `atomic_file` would have got, shortened if it has more than 200 bytes; other
    names as they are.

    Example:
        >>> finished_name(".roc.png.4711.part"), finished_name("roc.png")
        ('roc.png', 'roc.png')
    """
    part = _PART_NAME.fullmatch(name)
    return part[1] if part else name


def remove_parts(folder: Path, of: str = "*") -> None:
    """Remove the unfinished files of `atomic_file` that a killed process left at any depth of a folder, and none that
    a process still writes.

    Args:
        of: the name of the finished file; by default of any.
    """
    for path in folder.rglob(f".{of}.*{PART}"):
        _remove_left(path)


def remove_parts_of(*paths: Path) -> None:
    """As `remove_parts`, of these files only."""
    for folder in dict.fromkeys(path.parent for path in paths):
        names = {_short(path.name) for path in paths if path.parent == folder}
        for path in folder.iterdir() if folder.is_dir() else ():
            finished = finished_name(path.name)
            if finished != path.name and finished in names:
                _remove_left(path)


def _unfinished(path: Path) -> Path:
    """A name that no other writer of the file has: threads, and containers on one disk, share process numbers."""
    return path.with_name(f".{_short(path.name)}.{os.getpid()}-{secrets.token_hex(4)}{PART}")


def _short(name: str) -> str:
    """A name that leaves room for more: of a long one its start, and a checksum that tells it from others."""
    data = os.fsencode(name)
    if len(data) <= _LONGEST:
        return name
    return f"{data[: _LONGEST - 9].decode('utf-8', 'ignore')}.{zlib.crc32(data):08x}"


def flush_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk: until then a power cut can undo a rename in it.

    Windows cannot open folders and has no equivalent.
    """
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


if sys.platform == "win32":

    def _mark(file: IO[bytes]) -> None:
        """Nothing: an open file cannot be removed."""

    def _remove_left(path: Path) -> None:
        with contextlib.suppress(PermissionError):
            path.unlink(missing_ok=True)
else:
    import fcntl

    def _mark(file: IO[bytes]) -> None:
        """Lock an unfinished file, so that no other process takes it for one that was left."""
        with contextlib.suppress(OSError):  # some network drives have no locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _remove_left(path: Path) -> None:
        """Remove an unfinished file, unless a process still writes it."""
        if not _is_written(path):
            path.unlink(missing_ok=True)

    def _is_written(path: Path) -> bool:
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # gone already, unreadable, or on a drive without locks
            return False
        return False


def about(error: OSError, path: object) -> OSError:
    """The same error, with this file's name."""
    return OSError(error.errno, error.strerror, str(path))
