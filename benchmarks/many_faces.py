"""What a worker needs of memory where one photograph holds very many faces, and whether each is accounted for.

    python benchmarks/many_faces.py FACES_DIR [--faces 200] [--side 250]

A montage of photographs from FACES_DIR is masked whole, every face of it, by the command itself.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import encode_image, read_photo

COLUMNS = 20
MOST_MB = 1200


def montage(folder: Path, faces: int, side: int) -> np.ndarray:
    paths = sorted(path for path in folder.rglob("*.jpg"))
    chosen = [paths[at * len(paths) // faces] for at in range(faces)]
    cells = [cv2.resize(read_photo(path).image, (side, side)) for path in chosen]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % COLUMNS)
    return np.vstack([np.hstack(cells[at : at + COLUMNS]) for at in range(0, len(cells), COLUMNS)])


def measure(folder: Path, faces: int, side: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source, run = Path(scratch, "source"), Path(scratch, "run")
        source.mkdir()
        picture = montage(folder, faces, side)
        write_atomic(source / "many.jpg", encode_image(picture, "jpg", 95))
        words = ["mask", source, run, "--crop", "none", "--faces", "all", "--workers", "1"]
        subprocess.run(["maskgen", *map(str, words)], check=False)
        peak = json.loads((run / "timing.json").read_text())["worker_peak_mb"]
        report = json.loads((run / "report.json").read_text())
        with (run / "set_aside.csv").open(encoding="utf-8", newline="") as file:
            aside = sum(row["what"] == "face" for row in csv.DictReader(file))
    pixels = f"{picture.shape[1]} x {picture.shape[0]} pixels of {faces} portraits"
    print(f"{pixels}: {report['faces']} faces masked, {aside} ", end="")
    print(f"set aside; the worker's peak was {peak:.0f} MB (bar: {MOST_MB})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faces", type=int, default=200)
    parser.add_argument("--side", type=int, default=250)
    asked = parser.parse_args()
    measure(asked.folder, asked.faces, asked.side)
