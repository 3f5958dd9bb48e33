"""Progress of a run: a bar on a terminal, otherwise a line every half minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

EVERY_SECONDS = 30.0

Notify = Callable[[str], None]  # takes a line of text for the person who watches


class Progress(Protocol):
    """Receives counts while photographs are processed."""

    def __enter__(self) -> Progress: ...

    def __exit__(self, *_: object) -> None: ...

    def add(self, done: int, set_aside: int) -> None:
        """Count photographs just done, and those among them that were set aside."""
        ...


class Bar:
    """tqdm's bar: done, set aside, photographs a second of this start."""

    def __init__(self, total: int, done: int, set_aside: int) -> None:
        from tqdm import tqdm

        self._set_aside = set_aside
        self._bar: Any = tqdm(total=total, initial=done, unit=" photographs", smoothing=0.1)
        self._show()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def add(self, done: int, set_aside: int) -> None:
        """Move the bar."""
        self._set_aside += set_aside
        self._bar.update(done)
        self._show()

    def _show(self) -> None:
        self._bar.set_postfix_str(f"{self._set_aside:,} set aside")


class Lines:
    """The same as plain lines, one every half minute."""

    def __init__(self, total: int, done: int, set_aside: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._done, self._set_aside, self._before = total, done, set_aside, done
        self._clock = clock
        self._begun = self._told = clock()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *fault: object) -> None:
        if fault[0] is None:
            self._tell()

    def add(self, done: int, set_aside: int) -> None:
        """Count, and tell when it is time."""
        self._done += done
        self._set_aside += set_aside
        if self._clock() - self._told >= EVERY_SECONDS:
            self._tell()

    def _tell(self) -> None:
        self._told = self._clock()
        speed = (self._done - self._before) / max(self._told - self._begun, 1e-9)
        print(
            f"{self._done:,} of {self._total:,} photographs, {self._set_aside:,} set aside, {speed:,.0f} a second",
            file=sys.stderr,
            flush=True,
        )


def show_progress(total: int, done: int, set_aside: int) -> Progress:
    """A bar where a person watches, lines where a file does."""
    return (Bar if sys.stderr.isatty() else Lines)(total, done, set_aside)
