"""Suppresses the messages of libpng, libjpeg, libtiff and OpenCV; and no message of the program's own ends its work.

These libraries write warnings on damaged files to the process's standard error, bypassing Python. A picture's fault is
reported once, as its reason. In a process that has called `quieten`, standard error is redirected to the null device
while a picture is decoded; Python's `sys.stderr` still writes to the terminal. Where it cannot, as to a log on a full
disk or a pipe whose reader has ended, messages are lost, not the work of days.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


class _Messages(io.TextIOWrapper):
    """Standard error that drops what cannot be written."""

    def write(self, text: str) -> int:
        """Write, or drop."""
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush what can be written."""
        try:
            super().flush()
        except OSError:
            return


class _Switch:
    """Redirects standard error to the null device while any thread decodes."""

    def __init__(self) -> None:
        self.ready = False
        self._lock = threading.Lock()
        self._users = 0
        self._saved = self._nowhere = -1

    def prepare(self) -> None:
        """Give Python's `sys.stderr` its own file descriptor, once."""
        if self.ready:
            return
        try:
            own = os.dup(_STDERR)
        except OSError:  # no standard error: nothing to suppress
            sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
            return
        self._nowhere = os.open(os.devnull, os.O_WRONLY)
        if _writes_to_stderr():
            sys.stderr.flush()
            pipe = os.fdopen(own, "wb")
            sys.stderr = _Messages(pipe, sys.stderr.encoding, "backslashreplace", line_buffering=True)
        else:
            os.close(own)
        self.ready = True

    def off(self) -> None:
        """One more thread decodes."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._saved = os.dup(_STDERR)
                os.dup2(self._nowhere, _STDERR)

    def on(self) -> None:
        """One thread less."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()

    def after_fork(self) -> None:
        """Reset in a forked process, which lacks the parent's other threads that may be decoding."""
        self._lock = threading.Lock()
        if self._users:
            self._users = 0
            self._restore()

    def _restore(self) -> None:
        os.dup2(self._saved, _STDERR)
        os.close(self._saved)


_switch = _Switch()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_switch.after_fork)


def quieten() -> None:
    """Enable `silenced` in this process; for commands and their workers only."""
    _switch.prepare()


@contextmanager
def silenced() -> Iterator[None]:
    """Suppress the libraries' messages while the block runs, if `quieten` was called."""
    if not _switch.ready:
        yield
        return
    _switch.off()
    try:
        yield
    finally:
        _switch.on()


def _writes_to_stderr() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.fileno() == _STDERR
    except (OSError, ValueError):
        return False
