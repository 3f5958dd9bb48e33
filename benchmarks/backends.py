"""What Dask and Ray cost beside joblib's own processes: the same run on each, in turns, starting up told apart.

    python benchmarks/backends.py SOURCE [--workers 2] [--rounds 3] [--backends loky,dask,ray] [-- OPTIONS]

Every run is the command itself, in an empty folder. After start-up: from the moment at which the workers had loaded
their networks (the mean of theirs) to the last shard. Starting up is all the rest of the command, its end included. A
ratio is to loky's run of the same round. A busy machine moves single rounds; the processor's time of the workers moves
less. OPTIONS are those of maskgen mask.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mask_run import cost, mask_run, parsed


@dataclass(frozen=True)
class Run:
    """One run: photographs a second once started, seconds of all else, the workers' processor ms a photograph."""

    rate: float
    start: float
    cpu: float


def measure(source: Path, backend: str, workers: int, options: Sequence[str]) -> Run:
    begun = time.perf_counter()
    timing = mask_run(source, workers, [*options, "--backend", backend])
    whole = time.perf_counter() - begun
    each = cost(timing)
    return Run(1 / each.wall, whole - each.wall * timing["photographs"], 1e3 * each.cpu)


def show(name: str, run: Run, first: Run) -> None:
    print(
        f"{name:<12}{run.rate:>16.1f}{first.rate / run.rate:>8.3f}{run.cpu:>18.3f}{run.cpu / first.cpu:>8.3f}"
        f"{run.start:>14.1f}",
        flush=True,
    )


def middle(runs: Sequence[Run]) -> Run:
    """The median of each number."""
    return Run(*(statistics.median(getattr(run, name) for run in runs) for name in ("rate", "start", "cpu")))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backends", default="loky,dask,ray", help="the first is what the others are compared with")
    asked, options = parsed(parser)
    names = asked.backends.split(",")
    found: dict[str, list[Run]] = {name: [] for name in names}
    print(f"{'':<12}{'photographs/s':>16}{'time':>8}{'processor ms each':>18}{'time':>8}{'starting s':>14}")
    for round_ in range(asked.rounds):
        for name in names:
            found[name].append(measure(asked.source, name, asked.workers, options))
            show(f"{name} {round_ + 1}", found[name][-1], found[names[0]][-1])
    print("median, and the median of the rounds' ratios of time")
    for name, runs in found.items():
        ratio = statistics.median(first.rate / run.rate for first, run in zip(found[names[0]], runs, strict=True))
        show(name, middle(runs), middle(found[names[0]]))
        print(f"{'':<12}{'':>16}{ratio:>8.3f}")


if __name__ == "__main__":
    main()
