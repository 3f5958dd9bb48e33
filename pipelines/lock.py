"""One run in a folder at a time: a lock of the system's, which a killed process cannot leave behind."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskgen.core.reasons import UserError

_FAR = 1 << 30  # Windows locks bytes against reading too: lock one beyond the owner's name


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock file for as long as the block runs.

    Raises:
        UserError: another process holds it; says which, on which machine.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _lock(handle):
            raise UserError(f"{_owner(handle)} is working in {path.parent}: wait for it, or choose another RUN.")
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _owner(handle: int) -> str:
    try:
        owner = json.loads(os.pread(handle, 4096, 0) if hasattr(os, "pread") else os.read(handle, 4096))
        return f"Another run (process {owner['pid']} on {owner['host']})"
    except (ValueError, KeyError, OSError):
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
