"""Photographs a second of `maskgen mask`, where the time goes, and memory, beside the codecs alone.

    python benchmarks/mask_run.py SOURCE [--workers 1,2] [-- OPTIONS OF maskgen mask]

Every run is the command itself, in a process of its own and an empty folder. Decoding and encoding alone goes
over the same files on as many processes in the same minutes, so the share is a figure that another machine
repeats where the seconds are not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config

from maskgen.core.reasons import SetAsideError
from maskgen.pipelines.sources import list_source

COMMAND = [sys.executable, "-c", "from maskgen.pipelines.cli import main; main()", "mask"]


def decode_and_encode(paths: list[Path]) -> int:
    """What any program must do to each photograph; returns how many are pictures."""
    from maskgen.core.images import encode_image, read_photo

    done = 0
    for path in paths:
        try:
            encode_image(read_photo(path, max_pixels=100_000_000).image, "jpg", 95)
            done += 1
        except SetAsideError:
            continue
    return done


def codec_speed(paths: list[Path], workers: int) -> float:
    """Photographs a second of the codecs alone, with the processes already started."""
    stretches = [paths[start : start + 64] for start in range(0, len(paths), 64)]
    with parallel_config(backend="loky", inner_max_num_threads=1), Parallel(n_jobs=workers) as pool:
        pool(delayed(decode_and_encode)(paths[:8]) for _ in range(workers))
        begun = time.perf_counter()
        pool(delayed(decode_and_encode)(stretch) for stretch in stretches)
        return len(paths) / (time.perf_counter() - begun)


def mask_run(source: Path, workers: int, options: list[str]) -> dict[str, Any]:
    """timing.json of one run of the command."""
    folder = Path(tempfile.mkdtemp())
    try:
        command = [*COMMAND, str(source), str(folder / "run"), "--workers", str(workers), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            sys.exit(done.stderr or done.stdout)
        timing: dict[str, Any] = json.loads((folder / "run" / "timing.json").read_text("utf-8"))
        return timing
    finally:
        shutil.rmtree(folder)


def show_stages(timing: dict[str, Any]) -> None:
    """Milliseconds of one core that each stage takes for a photograph."""
    count = max(timing["photographs"], 1)
    for stage, seconds in sorted(timing["stage_seconds"].items(), key=lambda one: -one[1]):
        print(f"    {stage:<12}{1000 * seconds / count:8.2f} ms a photograph")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("options", nargs="*", help="after --, options of maskgen mask")
    asked = parser.parse_args()
    listing = list_source(asked.source)
    paths = [listing.root / item.key for folder in listing.folders for item in listing.items(folder)]
    print(f"{len(paths):,} photographs of {asked.source}")
    print(
        f"{'workers':>8}{'masked/s':>10}{'codecs/s':>10}{'share':>8}{'MB a worker':>13}{'start-up s':>12}{'then/s':>8}"
    )
    timings = []
    for workers in map(int, asked.workers.split(",")):
        codecs = codec_speed(paths, workers)
        timing = mask_run(asked.source, workers, asked.options)
        timings.append(timing)
        steady = timing["photographs"] / max(
            timing["seconds"] - timing["stage_seconds"].get("load", 0.0) / workers, 1e-9
        )
        speed, start_up = timing["photographs_per_second"], timing["stage_seconds"].get("load", 0.0) / workers
        print(
            f"{workers:>8}{speed:>10.1f}{codecs:>10.0f}{speed / codecs:>8.1%}"
            f"{timing['worker_peak_mb']:>13.0f}{start_up:>12.1f}{steady:>8.0f}"
        )
    print(f"stages, {timings[-1]['workers']} workers (`mask` is all of the library's):")
    show_stages(timings[-1])


if __name__ == "__main__":
    main()
