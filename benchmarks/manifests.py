"""Time and memory of `maskgen pairs` at the scale of CASIA-WebFace, VGGFace2 and LFW, on names only.

    python benchmarks/manifests.py [--folder DIR] [--times 1]

Writes three catalogues (2,517,729 training and 64,811 evaluation images), then runs the command in a process
of its own, on one core, for each protocol and for the check, and prints a row for each. `--times 16` makes all sets
sixteen times as large: WebFace42M's size.
The target is 20 s and 2 GB; of 42 million images 360 s and 6 GB.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskgen.pipelines.runs.catalogue import ROW_GROUP

KINDS = np.array(["cloth_black", "kn95", "n95", "surgical_blue", "surgical_green"])
_SCHEMA = pa.schema(dict.fromkeys(("path", "source", "source_sha256", "person", "kind"), pa.string()))
# name: people, images, images a photograph
SETS = {"casia": (10_585, 492_832, 1), "vggface2": (8_631, 2_024_897, 1), "lfw": (5_749, 64_811, 5)}

_CHILD = """
import re, sys, time
from maskgen.pipelines.pairs.command import pairs_command
began, spent = time.perf_counter(), time.process_time()
try:
    pairs_command(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
# Not ru_maxrss, which a process takes over from the one that started it.
peak = int(re.findall(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[0])
print(f"{time.perf_counter() - began:.2f} {time.process_time() - spent:.2f} {peak / 1024 / 1024:.2f}")
"""


def write_catalogue(folder: Path, people: int, images: int, variants: int, seed: int) -> None:
    """A run's catalogue of made-up names: as many images as asked, spread unevenly over the people."""
    rng = np.random.default_rng(seed)
    photographs = -(-images // variants)
    extra = rng.multinomial(photographs - people, rng.dirichlet(np.full(people, 0.5)))
    person = np.repeat(np.arange(people), 1 + extra)
    number = np.arange(photographs) - np.searchsorted(person, person)
    rows = np.repeat(np.arange(photographs), variants)[:images]
    kind = np.tile(np.arange(5), photographs)[:images] if variants == 5 else rng.integers(0, 5, images)
    folder.mkdir(parents=True)
    with pq.ParquetWriter(folder / "catalogue.parquet", _SCHEMA, compression="zstd") as writer:
        for start in range(0, images, ROW_GROUP):
            part = rows[start : start + ROW_GROUP]
            whose, kinds = person[part].tolist(), KINDS[kind[start : start + ROW_GROUP]].tolist()
            keys = [f"n{p:06d}/{i:04d}_01.jpg" for p, i in zip(whose, number[part].tolist(), strict=True)]
            columns = {
                "path": [f"faces/{key[:-4]}__{name}.jpg" for key, name in zip(keys, kinds, strict=True)],
                "source": keys,
                "source_sha256": [hashlib.sha256(f"{folder.name}/{key}".encode()).hexdigest() for key in keys],
                "person": [f"n{p:06d}" for p in whose],
                "kind": kinds,
            }
            writer.write_table(pa.table(columns, schema=_SCHEMA))


def measure(arguments: list[str]) -> str:
    """Seconds of clock and processor, and GB, of one run of the command, in a process of its own on one core."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}
    command = [sys.executable, "-c", _CHILD, *arguments]
    if hasattr(os, "sched_setaffinity"):
        command = ["taskset", "-c", "0", *command]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    whole = time.perf_counter() - began
    seconds, spent, peak = done.stdout.split()[-3:]
    return f"{seconds:>8} s {spent:>8} s of the processor {whole:>8.2f} s with start-up {peak:>8} GB"


def main() -> None:
    """Write the catalogues and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep the catalogues and lists here")
    parser.add_argument("--times", type=float, default=1.0, help="how many times as many people and images")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp())
    for seed, (name, (people, images, variants)) in enumerate(SETS.items()):
        if not (folder / name).exists():
            write_catalogue(folder / name, round(asked.times * people), round(asked.times * images), variants, seed)
    sets = [
        "--train",
        str(folder / "casia"),
        "--train",
        str(folder / "vggface2"),
        "--eval",
        str(folder / "lfw"),
    ]
    common = [*sets, "--verify", "names", "--overwrite"]
    reference = ["--protocol", "reference", "--allow-same-source"]
    runs = {
        "disjoint": [*common, str(folder / "disjoint")],
        "--check": ["--check", "--verify", "names", str(folder / "disjoint")],
        "reference": [*common, *reference, str(folder / "reference")],
        "disjoint, --balance 50": [*common, "--balance", "50", str(folder / "balanced")],
    }
    for name, arguments in runs.items():
        print(f"{name:<24}{measure(arguments)}", flush=True)


if __name__ == "__main__":
    main()
