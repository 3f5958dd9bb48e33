"""Tries of a part, their outcomes, and damage to bytes."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from maskgen.core.seeding import rng_for

HANG = 120  # seconds that a try may take, of kills ten times as many: they start the program twice


@dataclass
class Tally:
    """The outcomes of one part."""

    name: str
    first: int = 0
    hang: int = HANG
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def line(self, seconds: float) -> str:
        """One line for a terminal."""
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(self.outcomes.items()))
        return f"{self.name:<12}{self.outcomes.total():>7,} tries  {len(self.faults)} faults  {seconds:.0f} s   {told}"


class HangError(Exception):
    """A try took longer than it may."""


def tries(tally: Tally, count: int, until: float, one: Callable[[np.random.Generator, int], str], seed: int) -> None:
    """Try so many times, until a time; `one` gives the name of the outcome."""

    def late(*_: object) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, late)
    for number in range(tally.first, count):
        if time.monotonic() > until:
            return
        signal.alarm(tally.hang)
        try:
            outcome = one(rng_for(seed, tally.name, number), number)
        except (Exception, SystemExit) as error:  # what is looked for
            outcome = "fault"
            tally.faults.append(f"{tally.name} {number}: {type(error).__name__}: {str(error)[-400:]}")
        finally:
            signal.alarm(0)
        tally.outcomes[outcome] += 1


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, a stretch taken out, doubled, emptied or swapped, or the end cut off."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        size = len(out)
        if not size:
            break
        start = int(rng.integers(min(size, 256) if rng.random() < 0.5 else size))
        end = min(size, start + int(rng.integers(1, 64)))
        how = int(rng.integers(6))
        if how == 0:
            out[start] = int(rng.integers(256))
        elif how == 1:
            del out[start:end]
        elif how == 2:
            out[start:start] = out[start:end]
        elif how == 3:
            out[start:end] = bytes(end - start)
        elif how == 4:
            out[start:end] = rng.bytes(end - start)
        else:
            del out[int(rng.integers(size)) :]
    return bytes(out)
