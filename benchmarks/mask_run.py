"""What `maskgen mask` costs: by stage, beside the codecs alone, one worker against two, a mask more, memory.

    python benchmarks/mask_run.py SOURCE [--workers 1,2] [--repeat N] [-- OPTIONS OF maskgen mask]
    python benchmarks/mask_run.py --rates 1=224,2=377      only the table of docs/scaling.md, from these rates

Every run is the command itself, in a process of its own and an empty folder. Decoding and encoding alone goes over the
same files on as many processes right before it. A share is the codecs' processor time over the run's: another machine,
or a busy one, repeats it where photographs a second are not repeated. Starting up is shown apart.
"""

from __future__ import annotations

import argparse
import atexit
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config

from maskgen.core.reasons import SetAsideError
from maskgen.pipelines.sources.source import list_source

COMMAND = [sys.executable, "-P", "-c", "from maskgen.pipelines.cli import main; main()", "mask"]
FEW = 1000  # photographs of the short run that memory is compared with
SETS = {"CASIA-WebFace": 494_414, "VGGFace2": 3_300_000}
CORES = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of the processor, a photograph."""

    wall: float
    cpu: float


def decode_and_encode(paths: Sequence[Path]) -> float:
    """What any program must do to each photograph; returns the processor's seconds."""
    import cv2

    from maskgen.core.images import encode_image, read_photo

    cv2.setNumThreads(1)
    begun = time.process_time()
    for path in paths:
        try:
            encode_image(read_photo(path, max_pixels=100_000_000).image, "jpg", 95)
        except SetAsideError:
            continue
    return time.process_time() - begun


def codecs(paths: Sequence[Path], workers: int) -> Cost:
    """The codecs alone, with the processes already started."""
    stretches = [paths[start : start + 64] for start in range(0, len(paths), 64)]
    with parallel_config(backend="loky", inner_max_num_threads=1), Parallel(n_jobs=workers) as pool:
        pool(delayed(decode_and_encode)(paths[:8]) for _ in range(workers))
        begun = time.perf_counter()
        spent = pool(delayed(decode_and_encode)(stretch) for stretch in stretches)
        return Cost((time.perf_counter() - begun) / len(paths), sum(spent) / len(paths))


def mask_run(source: Path, workers: int, options: Sequence[str]) -> dict[str, Any]:
    """timing.json of one run of the command."""
    folder = Path(tempfile.mkdtemp(dir=runs_folder()))
    command = [*COMMAND, str(source), str(folder / "run"), "--workers", str(workers), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(done.stderr or done.stdout)
    timing: dict[str, Any] = json.loads((folder / "run" / "timing.json").read_text("utf-8"))
    return timing


@cache
def runs_folder() -> Path:
    """Where the runs write. It is removed at the end: for minutes after files are deleted, ext4 takes ten times as long
    to create others."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return folder


def cost(timing: dict[str, Any]) -> Cost:
    """A run's, starting up left out."""
    steady = timing["seconds"] - timing["start_up_seconds"]
    count = max(timing["photographs"], 1)
    return Cost(steady / count, timing["cpu_seconds"] / count)


@contextmanager
def linked(paths: Sequence[Path], root: Path, repeat: int) -> Iterator[Path]:
    """A folder of links to these photographs, as often as asked, under other names."""
    folder = Path(tempfile.mkdtemp())
    try:
        for time_ in range(repeat):
            for path in paths:
                link = folder / str(time_) / path.relative_to(root)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path.resolve())
        yield folder
    finally:
        shutil.rmtree(folder)


def show_workers(source: Path, paths: Sequence[Path], counts: Sequence[int], options: Sequence[str]) -> list[Any]:
    print(f"{'':>8}{'photographs/s':^24}{'processor ms a photograph':^28}")
    print(
        f"{'workers':>8}{'masked':>12}{'codecs':>12}{'masked':>14}{'codecs':>14}{'share':>8}{'start-up s':>12}{'MB':>7}"
    )
    timings = []
    for workers in counts:
        alone = codecs(paths, workers)
        timing = mask_run(source, workers, options)
        timings.append(timing)
        run = cost(timing)
        print(
            f"{workers:>8}{1 / run.wall:>12.0f}{1 / alone.wall:>12.0f}{1e3 * run.cpu:>14.2f}{1e3 * alone.cpu:>14.3f}"
            f"{alone.cpu / run.cpu:>8.1%}{timing['start_up_seconds']:>12.1f}"
            f"{timing['worker_peak_mb']:>7.0f}"
        )
    if len(timings) > 1:
        first, last = cost(timings[0]), cost(timings[-1])
        fair = first.cpu / last.cpu * timings[-1]["workers"] / timings[0]["workers"]
        print(f"{counts[-1]} workers against {counts[0]}: {first.wall / last.wall:.2f} times by the clock,")
        print(f"    {fair:.2f} times were every worker given a core of its own")
    return timings


def show_stages(timing: dict[str, Any]) -> None:
    """Milliseconds of one worker that each stage takes for a photograph."""
    count = max(timing["photographs"], 1)
    print(f"stages of a worker, {timing['workers']} at work (`mask` is find to wear and what lies between):")
    for stage, seconds in sorted(timing["stage_seconds"].items(), key=lambda one: -one[1]):
        if stage != "load":
            print(f"    {stage:<12}{1000 * seconds / count:8.2f} ms a photograph")


def show_sets(rates: Mapping[int, float]) -> None:
    """How long whole sets take with so many workers, each on a core; in Markdown, for docs/scaling.md.

    Args:
        rates: photographs a second, by workers, as measured; more workers get the rate that each of the most had.
    """
    sets = " | ".join(f"{name} ({count:,})" for name, count in SETS.items())
    print(f"| cores | photographs a second | {sets} | |")
    print(f"|---{'|---' * (len(SETS) + 2)}|")
    most = max(rates)
    for cores in CORES:
        rate = rates.get(cores, rates[most] / most * cores)
        times = " | ".join(duration(count / rate) for count in SETS.values())
        print(f"| {cores} | {rate:,.0f} | {times} | {'measured' if cores in rates else 'computed'} |")


def duration(seconds: float) -> str:
    """Example: 3.5 h, 12 min."""
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{max(seconds / 60, 1):.0f} min"


def show_masks(source: Path, options: Sequence[str]) -> None:
    """What each further mask of a photograph costs."""
    one, four = (cost(mask_run(source, 1, [*options, "--per-photo", many])) for many in ("1", "4"))
    print(f"a mask more: {1e3 * (four.cpu - one.cpu) / 3:.2f} ms of one core, encoded and written")


def show_memory(paths: Sequence[Path], root: Path, repeat: int, options: Sequence[str]) -> None:
    """A worker's peak in a short run and in a long one."""
    for some, times in ((list(islice(paths, FEW)), 1), (paths, repeat)):
        with linked(some, root, times) as folder:
            timing = mask_run(folder, 2, options)
        print(f"{timing['photographs']:>9,} photographs: a worker's peak is {timing['worker_peak_mb']:.0f} MB")


def parsed(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, list[str]]:
    """A benchmark's own options, and those after -- as they stand."""
    parser.epilog = "After -- follow options of maskgen mask."
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    return parser.parse_args(sys.argv[1:at]), sys.argv[at + 1 :]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("--rates", help="WORKERS=PHOTOGRAPHS A SECOND,...: print the table of whole sets from these")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--repeat", type=int, default=1, help="how often SOURCE is gone through for the memory")
    parser.add_argument("--only", choices=["workers", "masks", "memory"], help="one of the three parts")
    asked, options = parsed(parser)
    if asked.rates:
        show_sets({int(workers): float(rate) for workers, rate in (one.split("=") for one in asked.rates.split(","))})
        return
    if asked.source is None:
        parser.error("name a SOURCE")
    listing = list_source(asked.source)
    paths = [listing.root / item.key for folder in listing.folders for item in listing.items(folder)]
    print(f"{len(paths):,} photographs of {asked.source} {' '.join(options)}".rstrip())
    if asked.only in (None, "workers"):
        timings = show_workers(asked.source, paths, [*map(int, asked.workers.split(","))], options)
        show_stages(timings[-1])
        show_sets({timing["workers"]: 1 / cost(timing).wall for timing in timings})
    if asked.only in (None, "masks"):
        show_masks(asked.source, options)
    if asked.only in (None, "memory"):
        show_memory(paths, listing.root, asked.repeat, options)


if __name__ == "__main__":
    main()
