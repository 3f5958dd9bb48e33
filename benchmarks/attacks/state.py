"""Go on with runs and trainings, and load checkpoints, of which one file is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .checkpoints import loaded, saved_checkpoint
from .runs import gone_on, half_done
from .training import HalfTrained
from .tries import Tally, damaged, tries


def attack_state(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Go on with a run, and load a checkpoint, of which one file is damaged."""
    source, run, whole = half_done(folder)
    checkpoint = saved_checkpoint(folder / "checkpoint")
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and path.parent.name in ("run", "shards")]
    files += sorted(checkpoint.iterdir())

    def one(rng: np.random.Generator, number: int) -> str:
        path = files[number % len(files)]
        before = path.read_bytes()
        after = b"" if rng.random() < 0.2 else damaged(before, rng)
        path.write_bytes(after)
        try:
            if path.parent == checkpoint:
                return loaded(checkpoint, changed=before != after)
            return gone_on(source, run, whole, folder / "try")
        finally:
            path.write_bytes(before)

    tries(tally, count, until, one, seed)


def attack_training(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Go on with a training of which one file is damaged."""
    training = HalfTrained(folder / "training")
    files = training.files()

    def one(rng: np.random.Generator, number: int) -> str:
        path = files[number % len(files)]
        before = path.read_bytes()
        path.write_bytes(b"" if rng.random() < 0.2 else damaged(before, rng))
        try:
            return training.gone_on(path)
        finally:
            path.write_bytes(before)

    tries(tally, count, until, one, seed)
