"""What it costs that a shard is on the disk before its report says so: runs with and without waiting for the disk.

    python benchmarks/durable.py SOURCE [--count 72] [--repeat 3] [--folder DIR]

Masks COUNT photographs of SOURCE, alternately with the program's calls that wait for the disk (fsync, syncfs) and with
those taken out, on one worker in this process, in new folders below DIR. Prints the seconds of each, the waits
themselves (count, and milliseconds a photograph), and the ratio. They
depend on the disk and on what else writes to it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.runs import shard_records

SUFFIXES = (".jpg", ".jpeg", ".png")


class Waits:
    """Calls that wait for the disk, with the seconds that they took."""

    def __init__(self, let: bool) -> None:
        self.let, self.count, self.seconds = let, 0, 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call timed, or nothing in its place."""

        def timed(*args: Any) -> Any:
            if not self.let:
                return None
            begun = time.perf_counter()
            result = call(*args)
            self.count, self.seconds = self.count + 1, self.seconds + time.perf_counter() - begun
            return result

        return timed


def masked(source: Path, run: Path, waits: Waits) -> float:
    """Seconds of one run."""
    fsync, persist = os.fsync, shard_records.persist
    os.fsync, shard_records.persist = waits.around(fsync), waits.around(persist)
    begun = time.perf_counter()
    try:
        run_mask(MaskSettings(source, run, workers=1), notify=lambda _: None)
    finally:
        os.fsync, shard_records.persist = fsync, persist
    return time.perf_counter() - begun


def main(source: Path, count: int, repeat: int, folder: Path | None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        few = Path(scratch) / "source"
        paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
        for path in paths[:: max(1, len(paths) // count)][:count]:
            to = few / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
        masked(few, Path(scratch) / "first", Waits(True))  # loads the networks
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(2 * repeat):
            waits = Waits(number % 2 == 0)
            times[waits.let].append(masked(few, Path(scratch) / f"{number}", waits))
            if waits.let:
                each = 1000 * waits.seconds / count
                print(f"{waits.count} waits, {each:.2f} ms a photograph, of {1000 * times[True][-1] / count:.1f} ms")
        shards = len(list((Path(scratch) / "0" / "shards").glob("*.json")))
        with_waits, without = (float(np.median(times[let])) for let in (True, False))
        print(f"{count} photographs in {shards} shards: {with_waits:.2f} s with, {without:.2f} s without the waits")
        print(f"ratio {with_waits / without:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--count", type=int, default=72)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    main(asked.source, asked.count, asked.repeat, asked.folder)
