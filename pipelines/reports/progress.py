"""Progress of a run with the remaining time: a bar on a terminal, otherwise a line every half minute."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from maskgen.core.reasons import counted

EVERY_SECONDS = 30.0

Notify = Callable[[str], None]  # receives messages for the user


@dataclass(frozen=True, slots=True)
class ProgressLabels:
    """Words of the display: what is counted, what was done to it, and what failures are called."""

    thing: str = "photograph"
    done: str = ""
    fault: str = "set aside"
    always: bool = True  # whether a zero is shown too

    def whole(self, total: int) -> str:
        """The total with its words.

        Example:
            >>> PHOTOGRAPHS.whole(1), EMBEDDED.whole(9)
            ('1 photograph', '9 pictures embedded')
        """
        return f"{counted(total, self.thing)} {self.done}".rstrip()

    def faults(self, count: int) -> str:
        """The count of failures, or nothing.

        Example:
            >>> ProgressLabels().faults(3), EMBEDDED.faults(0)
            ('3 set aside', '')
        """
        return f"{count:,} {self.fault}" if count or self.always else ""


PHOTOGRAPHS = ProgressLabels()
EMBEDDED = ProgressLabels("picture", "embedded", "unreadable", always=False)
CHECKED = ProgressLabels("picture", "checked", "broken", always=False)
WRITTEN = ProgressLabels("picture", "written", "left out", always=False)


class Progress(Protocol):
    """A progress display."""

    def __enter__(self) -> Progress: ...

    def __exit__(self, *_: object) -> None: ...

    def add(self, done: int, set_aside: int) -> None:
        """Count finished photographs, and those among them that were set aside."""
        ...


def bar_size() -> dict[str, int]:
    """Columns and rows for tqdm, which is silent where a terminal tells none, as one that `docker exec -t` opens."""
    if not sys.stderr.isatty():
        return {}
    columns, rows = os.get_terminal_size(sys.stderr.fileno())
    return ({} if columns else {"ncols": 80}) | ({} if rows else {"nrows": 20})


class Bar:
    """A tqdm bar: finished, rate of this start, remaining time, set aside."""

    def __init__(self, total: int, done: int, set_aside: int, words: ProgressLabels = PHOTOGRAPHS) -> None:
        from tqdm import tqdm

        self._set_aside, self._words = set_aside, words
        shape = (
            f"{{percentage:3.0f}}% |{{bar}}| {{n:,}} of {words.whole(total)}, {{rate_noinv_fmt}}, "
            "{remaining} left{postfix}"
        )
        self._bar: Any = tqdm(total=total, initial=done, unit="", smoothing=0.1, bar_format=shape, **bar_size())
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
        self._bar.set_postfix_str(self._words.faults(self._set_aside))


class Lines:
    """The same as plain lines, one every half minute."""

    def __init__(
        self,
        total: int,
        done: int,
        set_aside: int,
        words: ProgressLabels = PHOTOGRAPHS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._done, self._set_aside, self._before = total, done, set_aside, done
        self._words, self._clock = words, clock
        self._started_at = self._printed_at = clock()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *fault: object) -> None:
        if fault[0] is None:
            self._print_line()

    def add(self, done: int, set_aside: int) -> None:
        """Count, and print a line when it is due."""
        self._done += done
        self._set_aside += set_aside
        if self._clock() - self._printed_at >= EVERY_SECONDS:
            self._print_line()

    def _print_line(self) -> None:
        self._printed_at = self._clock()
        speed = (self._done - self._before) / max(self._printed_at - self._started_at, 1e-9)
        parts = [
            f"{self._done:,} of {self._words.whole(self._total)}",
            self._words.faults(self._set_aside),
            f"{speed:,.0f} a second" if speed >= 10 else f"{speed:.1f} a second",
            time_left((self._total - self._done) / speed) if speed and self._done < self._total else "",
        ]
        print(", ".join(filter(None, parts)), file=sys.stderr, flush=True)


def time_left(seconds: float) -> str:
    """The remaining time, rounded to its precision.

    Example:
        >>> time_left(8), time_left(600), time_left(12000)
        ('about 10 s left', 'about 10 min left', 'about 3 h 20 min left')
    """
    if seconds < 55:
        return f"about {max(round(seconds / 10), 1) * 10} s left"
    minutes = max(round(seconds / 60), 1)
    hours, minutes = divmod(minutes, 60)
    return f"about {hours} h {minutes} min left" if hours else f"about {minutes} min left"


def show_progress(total: int, done: int, set_aside: int, words: ProgressLabels = PHOTOGRAPHS) -> Progress:
    """A bar on a terminal, lines in a file."""
    return (Bar if sys.stderr.isatty() else Lines)(total, done, set_aside, words)
