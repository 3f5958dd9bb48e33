"""Interrupts (Ctrl+C) while large libraries are imported, which can lose them.

PyTorch and what it imports catch any exception in some places, and go on, or wait for ever for what was not finished.
Where a command has not written anything yet, an interrupt therefore ends the process instead of being raised.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

INTERRUPTED = 130  # exit code
SENTENCE = "Interrupted. The same command starts again."
_TIDIES: list[Callable[[], None]] = []  # see `tidied`


@contextmanager
def tidied(tidy: Callable[[], None]) -> Iterator[None]:
    """While the block runs, this is called where `ends_at_once` ends the process; otherwise it is not."""
    _TIDIES.append(tidy)
    try:
        yield
    finally:
        _TIDIES.remove(tidy)


@contextmanager
def ends_at_once(sentence: str = SENTENCE) -> Iterator[None]:
    """While the block runs, an interrupt ends the process with this sentence, if any, and the exit code 130: nothing in
    it may need to be put in order but what `tidied` says. A process that ignores interrupts, or handles them in its own
    way, goes on so."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        for tidy in reversed(_TIDIES):
            with suppress(OSError):
                tidy()
        with suppress(OSError):
            os.write(2, f"\n{sentence}\n".encode() if sentence else b"")
        os._exit(INTERRUPTED)

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
