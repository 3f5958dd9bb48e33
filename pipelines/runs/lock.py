"""The lock of a run folder: one process at a time, by a lock of the operating system, which ends with the process.

An object store has no locks. There an object names the owner and the start time. A killed process leaves it behind, and
only the user can decide that it is stale (`--take-over`).
"""

from __future__ import annotations

import json
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath

LOCK = ".lock"

_held: set[int] = set()  # this process's locks
_FAR = 1 << 30  # Windows locks bytes against reading too: lock a byte after the owner's name


@contextmanager
def hold(path: AnyPath, take_over: bool = False, keep: bool = True) -> Iterator[None]:
    """Hold the lock file while the block runs.

    Args:
        take_over: in an object store, take the lock even if another process seems to hold it.
        keep: leave the file there at the end, as a folder that only this program writes may.

    Raises:
        UserError: another process holds it; names process and machine.
    """
    with _mark(path, take_over) if isinstance(path, RemotePath) else _hold(path, keep):
        yield


@contextmanager
def _mark(path: RemotePath, take_over: bool) -> Iterator[None]:
    owner = json.dumps({**_me(), "since": datetime.now(UTC).isoformat(timespec="seconds"), "mark": uuid.uuid4().hex})
    try:
        path.write_bytes(owner.encode(), new=not take_over)
    except FileExistsError:
        raise UserError(
            f"{_named(path)} is marked as working in {path.parent}: wait for it, or, if it was killed, "
            "give --take-over too."
        ) from None
    except FileNotFoundError:
        raise UserError(f"{path.parent} cannot be written: there is no such bucket.") from None
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            # A process that took over has its own mark there.
            if path.read_text() == owner:
                path.unlink()


def _named(path: RemotePath) -> str:
    try:
        owner = json.loads(path.read_text())
        return f"Another run (process {owner['pid']} on {owner['host']}, since {owner['since']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "Another run"


def _me() -> dict[str, object]:
    return {"pid": os.getpid(), "host": socket.gethostname()}


@contextmanager
def _hold(path: Path, keep: bool) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # A file that its holder removed at the end locks nothing any more.
        if not _lock(handle) or not os.fstat(handle).st_nlink:
            raise UserError(f"{_owner(handle)} is working in {path.parent}: wait for it, or choose another folder.")
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(_me()).encode())
        _held.add(handle)
        try:
            yield
        finally:
            _held.discard(handle)
            os.ftruncate(handle, 0)
            if not keep and sys.platform != "win32":  # Windows removes no open file
                path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _owner(handle: int) -> str:
    try:
        owner = json.loads(os.pread(handle, 4096, 0) if hasattr(os, "pread") else os.read(handle, 4096))
        return f"Another run (process {owner['pid']} on {owner['host']})"
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return "Another run"


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _let_go() -> None:
        """Release the lock in a forked process: it may outlive a killed parent by some seconds."""
        while _held:
            os.close(_held.pop())

    os.register_at_fork(after_in_child=_let_go)
