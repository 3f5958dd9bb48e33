"""Whether a worker's memory stays flat: one long run over the same photographs under many names, watched as it goes.

    python benchmarks/flat_memory.py SOURCE [--photographs 100000] [--workers 2] [-- OPTIONS OF maskgen mask]

Links in a folder, gone through as often as it takes, are the photographs; each time under another person's name. Now is
what the largest worker holds at the moment, peak the most that one ever held, as the system counts both. The command is
the process that hands the work out. Linux only.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from mask_run import COMMAND, parsed

from maskgen.pipelines.sources.source import list_source

POINTS = sorted(step * 10**power for power in range(3, 7) for step in (1, 2, 5))
EVERY = 0.5  # seconds between two looks


def link_all(paths: Sequence[Path], root: Path, folder: Path, count: int) -> None:
    """So many links to these photographs, as often through them as it takes."""
    for number, path in enumerate(islice(cycle(paths), count)):
        link = folder / f"{number // len(paths):03}" / path.relative_to(root)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())


class Watch:
    """The workers of a command and its run folder, looked at again and again."""

    def __init__(self, command: subprocess.Popen[str], run: Path) -> None:
        self.command, self.shards = command, run / "shards"
        self.seen: set[str] = set()
        self.done = 0

    def look(self) -> int:
        """How many photographs are done; reads only the reports that came since."""
        for report in self.shards.glob("*.json"):
            if report.name not in self.seen:
                self.seen.add(report.name)
                self.done += json.loads(report.read_text("utf-8"))["photographs"]
        return self.done

    def line(self) -> str:
        """MB of the largest worker now and at its peak, and of the command at its peak."""
        workers = [memory(pid) for pid in children(self.command.pid)]
        now, peak = (max((one[at] for one in workers), default=0.0) for at in (0, 1))
        return f"{self.done:>12,}{now:>12.0f}{peak:>12.0f}{memory(self.command.pid)[1]:>12.0f}"


def children(parent: int) -> list[int]:
    """The processes that a process started."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    try:
        return [int(pid) for pid in path.read_text().split()]
    except OSError:  # at an end
        return []


def memory(pid: int) -> tuple[float, float]:
    """MB of a process now and at its peak."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return tuple(int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 2**10 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]
    except (OSError, IndexError):  # at an end
        return 0.0, 0.0


def watch(source: Path, run: Path, workers: int, options: Sequence[str]) -> None:
    """Do the run, and print a line at each point."""
    command = [*COMMAND, str(source), str(run), "--workers", str(workers), *options]
    begun = time.perf_counter()
    with subprocess.Popen(command, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        seen = Watch(process, run)
        points = iter(POINTS)
        point = next(points)
        print(f"{'photographs':>12}{'now MB':>12}{'peak MB':>12}{'command MB':>12}{'seconds':>10}", flush=True)
        while process.poll() is None:
            time.sleep(EVERY)
            if seen.look() >= point:
                print(f"{seen.line()}{time.perf_counter() - begun:>10.0f}", flush=True)
                point = next(one for one in points if one > seen.done)
    timing = json.loads((run / "timing.json").read_text("utf-8"))
    print(f"{timing['photographs']:>12,}{'':>12}{timing['worker_peak_mb']:>12.0f}{'':>12}", end="")
    print(f"{time.perf_counter() - begun:>10.0f}   {timing['photographs_per_second']:.0f} a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--photographs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    asked, options = parsed(parser)
    listing = list_source(asked.source)
    paths = [listing.root / item.key for folder in listing.folders for item in listing.items(folder)]
    folder = Path(tempfile.mkdtemp())
    try:
        link_all(paths, listing.root, folder / "photographs", asked.photographs)
        watch(folder / "photographs", folder / "run", asked.workers, options)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
