"""On which photograph a worker died: each attempt at a shard is logged until the shard is done.

A photograph can end the process that works on it (a decoder's fault, memory). Nobody has to watch for that: whoever
starts workers, joblib here, Dask or Ray elsewhere, begins the shard again somewhere, and the attempt that finds notes
of an earlier one knows that it ended badly. It then does its photographs one at a time, noting each before it is begun;
one on which two workers died is set aside, and the rest goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath

DEATHS = 2  # on one photograph, until it is set aside
FUTILE = 3  # attempts that looked out for one and ended before the first


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that ended with its worker: in which turn, and the photograph then begun, by place (None: not known)."""

    turn: int
    at: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The attempts at a shard so far, oldest first."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def poisoned(self) -> frozenset[int]:
        """Photographs on which enough workers died."""
        deaths = Counter(attempt.at for attempt in self.attempts if attempt.at is not None)
        return frozenset(at for at, times in deaths.items() if times >= DEATHS)

    def in_turn(self, turn: int) -> int:
        """How many attempts there were since the shard was handed out last."""
        return sum(attempt.turn == turn for attempt in self.attempts)

    def check(self) -> None:
        """Raise UserError where workers end without having come to a photograph."""
        if sum(attempt.at is None for attempt in self.attempts[1:]) >= FUTILE:
            raise UserError(
                "Worker processes end before their first photograph, perhaps for want of memory: give fewer --workers."
            )


class Log:
    """A shard's notes: a line for each attempt, and in all but the first one for each photograph."""

    def __init__(self, path: AnyPath) -> None:
        self.path = path

    def history(self) -> History:
        """What earlier attempts noted, that all ended with their workers."""
        try:
            return parse(self.path.read_bytes().decode("ascii", "replace").splitlines())
        except FileNotFoundError:
            return History()

    def begin(self, turn: int) -> None:
        """Note a new attempt."""
        self._note(f"begun {turn}")

    def at(self, place: int) -> None:
        """Note the photograph that is begun."""
        self._note(f"at {place}")

    def end(self) -> None:
        """Forget all: the shard is done."""
        self.path.unlink(missing_ok=True)

    def _note(self, line: str) -> None:
        if isinstance(self.path, RemotePath):  # nothing can be added to an object
            before = self.path.read_bytes() if self.path.exists() else b""
            self.path.write_bytes(before + f"{line}\n".encode("ascii"))
            return
        with self.path.open("a", encoding="ascii") as file:
            file.write(line + "\n")


def parse(lines: Iterable[str]) -> History:
    """The attempts that such lines tell of; a line that a death cut short is left out.

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
