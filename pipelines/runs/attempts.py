"""Finds the photograph that kills workers: each attempt at a shard is logged until the shard is finished.

A photograph can kill the process that works on it (a fault of a decoder, memory). The pool of workers then retries the
shard on another one. An attempt that finds the log of an earlier one knows that its worker died. It processes the
photographs one at a time and logs each before it starts it. A photograph on which two workers died is set aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath

DEATHS = 2  # deaths on one photograph before it is set aside
FUTILE = 3  # attempts in single steps that ended before their first photograph


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt whose worker died: its turn, and the index of the photograph at work (None: unknown)."""

    turn: int
    at: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The failed attempts at a shard, oldest first."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def poisoned(self) -> frozenset[int]:
        """Photographs on which the maximum of workers died."""
        deaths = Counter(attempt.at for attempt in self.attempts if attempt.at is not None)
        return frozenset(at for at, times in deaths.items() if times >= DEATHS)

    def in_turn(self, turn: int) -> int:
        """The number of attempts since the shard was last queued."""
        return sum(attempt.turn == turn for attempt in self.attempts)

    def check(self) -> None:
        """Raise UserError where workers die before their first photograph."""
        if sum(attempt.at is None for attempt in self.attempts[1:]) >= FUTILE:
            raise UserError(
                "Worker processes die before their first photograph, possibly out of memory: give fewer --workers."
            )


class Log:
    """A shard's log: a line for each attempt, and from the second attempt on a line for each photograph."""

    def __init__(self, path: AnyPath) -> None:
        self.path = path

    def history(self) -> History:
        """The earlier attempts, whose workers all died."""
        try:
            return parse(self.path.read_bytes().decode("ascii", "replace").splitlines())
        except FileNotFoundError:
            return History()

    def begin(self, turn: int) -> None:
        """Log a new attempt."""
        self._note(f"begun {turn}")

    def at(self, place: int) -> None:
        """Log the photograph that is started."""
        self._note(f"at {place}")

    def end(self) -> None:
        """Remove the log: the shard is finished."""
        self.path.unlink(missing_ok=True)

    def _note(self, line: str) -> None:
        if isinstance(self.path, RemotePath):  # an object in a store cannot be appended to
            before = self.path.read_bytes() if self.path.exists() else b""
            self.path.write_bytes(before + f"{line}\n".encode("ascii"))
            return
        with self.path.open("a", encoding="ascii") as file:
            file.write(line + "\n")


def parse(lines: Iterable[str]) -> History:
    """The attempts in a log; a line cut short by a death is left out.

    Example:
        >>> parse(["begun 0", "begun 0", "at 3", "at 4"]).attempts
        (Attempt(turn=0, at=None), Attempt(turn=0, at=4))
    """
    attempts: list[Attempt] = []
    for line in lines:
        word, _, number = line.partition(" ")
        if not number.isdecimal():
            continue
        if word == "begun":
            attempts.append(Attempt(int(number)))
        elif attempts:
            attempts[-1] = Attempt(attempts[-1].turn, int(number))
    return History(tuple(attempts))
