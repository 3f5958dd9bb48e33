"""Files of this machine that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PART = ".part"  # how the names of files end that are being written


@contextlib.contextmanager
def atomic_file(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to that appears under its name, in a folder that is made, only when all of it is written.

    Args:
        durable: wait at the end until the disk has it.

    Raises:
        OSError: the disk is full, the folder may not be written, ...; names `path`, and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        with unfinished.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
        if durable:
            flush_folder(path.parent)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        # A full disk has no name at all; a fault of another file's keeps its own.
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(unfinished)):
            raise about(error, path) from error
        raise


def write_atomic(path: Path, data: bytes, durable: bool = False) -> None:
    """`atomic_file` for bytes that are there already."""
    with atomic_file(path, durable) as file:
        file.write(data)


def flush_folder(folder: Path) -> None:
    """Wait until the disk has a folder's entries: a rename in it is not there after a power cut until then.

    Windows opens no folders, and has nothing of this kind.
    """
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def about(error: OSError, path: object) -> OSError:
    """The same fault, of this file."""
    return OSError(error.errno, error.strerror, str(path))
