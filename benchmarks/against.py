"""Two revisions of this program, timed in turns on one machine: ratios that do not depend on how fast it is.

    python benchmarks/against.py REVISION SOURCE [--then REVISION] [--only one,few,...] [--avx2]
    python benchmarks/against.py --pythons OLD/bin/python,NEW/bin/python SOURCE

Each revision is checked out of git and installed into an environment of its own; --pythons names environments that
exist. Every figure is the median of three rounds, old and new in turns, each in processes of their own. Start-up is
measured once before, so that both have their caches. --avx2 keeps AVX-512 from every library. What the runs write is
removed at the end: for minutes after files are deleted, ext4 takes ten times as long to create others.

    one      one photograph, whole command
    few      1,200 photographs, whole command, two workers
    many     4,000 photographs, two workers, after start-up; and a worker's peak of memory
    scale    4,000 photographs, one worker against two, after start-up (new against new)
    mask     a further mask, encoded and written, processor time
    call     `mask_photo` called again, processor time

Revisions that it installs are also told by the size of their environments on disk.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROUNDS = 3
NO_AVX512 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "OPENCV_CPU_DISABLE": "AVX512F,AVX512-SKX,AVX512-ICL,AVX512-CLX,AVX512-CNL,AVX512-COMMON",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL",
    "OPENBLAS_CORETYPE": "Haswell",
    "ARROW_USER_SIMD_LEVEL": "AVX2",
}
CALL = """
import time, numpy, cv2
import maskgen
from skimage.data import astronaut
cv2.setNumThreads(1)
picture = numpy.ascontiguousarray(astronaut()[:280, 100:380])
for _ in range(2):
    maskgen.mask_photo(picture, "n95")
begun = time.process_time()
for seed in range(5):
    maskgen.mask_photo(picture, "n95", seed=seed)
print((time.process_time() - begun) / 5)
"""


@dataclass
class Build:
    """One installed revision, and what was measured of it by name."""

    name: str
    python: Path
    folder: Path
    found: dict[str, list[float]] = field(default_factory=dict)

    def mask(self, source: Path, workers: int, *options: str) -> tuple[float, dict[str, Any]]:
        """Seconds by the clock of one run of the command, and its timing.json."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        start = "from maskgen.pipelines.cli import main; main()"
        command = [self.python, "-P", "-c", start, "mask", source, folder / "run", "--workers", str(workers)]
        begun = time.perf_counter()
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=folder)
        seconds = time.perf_counter() - begun
        if done.returncode not in (0, 3):
            sys.exit(done.stderr or done.stdout)
        return seconds, json.loads((folder / "run" / "timing.json").read_text("utf-8"))

    def call(self) -> float:
        """Seconds of the processor that `mask_photo` takes."""
        done = subprocess.run(
            [self.python, "-P", "-c", CALL], capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD
        )
        return float(done.stdout.split()[-1])

    def note(self, name: str, value: float) -> None:
        """Keep a figure of one round."""
        self.found.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """Of the rounds."""
        return statistics.median(self.found[name])


ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Sources:
    """Folders of links to photographs of SOURCE: one, 1,200 and 4,000, or as many as there are."""

    one: Path
    few: Path
    many: Path


def steady(timing: dict[str, Any]) -> float:
    """Photographs a second after start-up."""
    return float(timing["photographs"] / max(timing["seconds"] - timing["start_up_seconds"], 1e-9))


def measure_one(build: Build, sources: Sources) -> None:
    build.note("one photograph, whole command, s", build.mask(sources.one, 1)[0])


def measure_few(build: Build, sources: Sources) -> None:
    build.note("1,200 photographs, whole command, s", build.mask(sources.few, 2)[0])


def measure_many(build: Build, sources: Sources) -> None:
    timing = build.mask(sources.many, 2)[1]
    build.note("4,000 photographs, two workers, a second", steady(timing))
    build.note("a worker's peak, MB", timing["worker_peak_mb"])


def measure_scale(build: Build, sources: Sources) -> None:
    one, two = (steady(build.mask(sources.many, workers)[1]) for workers in (1, 2))
    build.note("two workers against one, times", two / one)


def measure_mask(build: Build, sources: Sources) -> None:
    one, four = (build.mask(sources.few, 1, "--per-photo", many)[1] for many in ("1", "4"))
    spent = [timing["cpu_seconds"] / timing["photographs"] for timing in (one, four)]
    build.note("a further mask, processor ms", (spent[1] - spent[0]) / 3 * 1e3)


def measure_call(build: Build, sources: Sources) -> None:
    del sources
    build.note("mask_photo, processor ms a call", build.call() * 1e3)


PARTS: dict[str, Callable[[Build, Sources], None]] = {
    "one": measure_one,
    "few": measure_few,
    "many": measure_many,
    "scale": measure_scale,
    "mask": measure_mask,
    "call": measure_call,
}


def installed(revision: str, runs: Path, stack: ExitStack) -> Build:
    """A revision in an environment of its own, without the extras; `runs` is where its runs write."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    top = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True)
    archive = subprocess.run(["git", "archive", revision], capture_output=True, check=True, cwd=top.stdout.strip())
    (folder / "tree").mkdir()
    subprocess.run(["tar", "-x", "-C", folder / "tree"], input=archive.stdout, check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", folder / "tree"], check=True)
    build = Build(revision, python, runs)
    size = sum(path.stat().st_size for path in (folder / "env").rglob("*") if path.is_file() and not path.is_symlink())
    build.note("environment on disk, MB", size / 1e6)
    return build


def linked(source: Path, count: int, folder: Path) -> Path:
    """A folder of links to evenly chosen photographs, as their folders lie."""
    paths = sorted(path for path in source.rglob("*") if path.is_file() and path.suffix.lower() in (".jpg", ".png"))
    if not paths:
        sys.exit(f"{source}: no photographs")
    for path in paths[:: max(1, len(paths) // count)][:count]:
        link = folder / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    return folder


def show(builds: Sequence[Build]) -> None:
    """A line a figure: old, new, and new over old."""
    old, new = builds
    print(f"{'':<44}{old.name[:10]:>12}{new.name[:10]:>12}{'new / old':>12}")
    for name in new.found:
        before, after = old.median(name), new.median(name)
        print(f"{name:<44}{before:>12.2f}{after:>12.2f}{after / before:>12.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", help="the older revision; not with --pythons")
    parser.add_argument("source", type=Path)
    parser.add_argument("--then", default="HEAD", help="the newer revision")
    parser.add_argument("--pythons", help="OLD,NEW: interpreters of two environments that exist, instead of revisions")
    parser.add_argument("--only", default=",".join(PARTS), help="some of the parts, with commas between them")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--avx2", action="store_true", help="keep AVX-512 from every library")
    asked = parser.parse_args()
    if not asked.pythons and not asked.revision:
        parser.error("name a REVISION, or --pythons")
    if unknown := [part for part in asked.only.split(",") if part not in PARTS]:
        parser.error(f"--only: {', '.join(unknown)} is none of {', '.join(PARTS)}")
    if asked.avx2:
        os.environ.update(NO_AVX512)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if asked.pythons:
            # As they are named: an environment's interpreter is a link, and knows by its path which it is.
            names = [Path(name).absolute() for name in asked.pythons.split(",")]
            builds = [Build(name, python, folder) for name, python in zip(("old", "new"), names, strict=True)]
        else:
            builds = [installed(revision, folder, stack) for revision in (asked.revision, asked.then)]
        sources = Sources(*(linked(asked.source, count, folder / str(count)) for count in (1, 1200, 4000)))
        for build in builds:
            build.mask(sources.one, 1)  # caches
        for _ in range(asked.rounds):
            for part in asked.only.split(","):
                for build in builds:
                    PARTS[part](build, sources)
        show(builds)


if __name__ == "__main__":
    main()
