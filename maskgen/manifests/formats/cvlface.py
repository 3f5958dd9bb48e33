"""Files for CVLface beside train.rec and train.idx: train.tsv, and the five landmarks of each picture.

train.tsv         number of the record, path, target; tabs between, no header
ldmk_5points.csv  idx,ldmk_0,...,ldmk_9: the picture from 0, x and y of each point as shares of the side

Source: `MXFaceDataset` and `RepeatedWithLdmkThetaMXDataset` of CVLface, commit d3d09c9.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskgen.core.atomic_writes import atomic_file
from maskgen.core.records import Doubles

from ..schema import Ints
from .recordio_set import one_cell

TSV, LANDMARKS = "train.tsv", "ldmk_5points.csv"


def save_tsv(folder: Path, targets: Ints, paths: Iterable[str]) -> None:
    """Write train.tsv: without it CVLface reads every record once, and writes the file itself.

    Args:
        targets: int64 (n,), of each picture of train.rec.
        paths: a name for each picture; CVLface reads the column and never opens the path. Tabs, line breaks and
            quotation marks are written as %09, %0A, %0D and %22.
    """
    with atomic_file(folder / TSV) as file:
        for at, (target, path) in enumerate(zip(targets.tolist(), paths, strict=True), 1):
            file.write(f"{at}\t{one_cell(path)}\t{target}\n".encode())


def save_landmarks(folder: Path, points: Doubles) -> None:
    """Write ldmk_5points.csv.

    Args:
        points: float64 (n, 5, 2), x and y between 0 and 1 of the side: eyes, nose, corners of the mouth.
    """
    with atomic_file(folder / LANDMARKS) as file:
        file.write(("idx," + ",".join(f"ldmk_{at}" for at in range(10)) + "\n").encode())
        for at, row in enumerate(points.reshape(-1, 10).tolist()):
            file.write((f"{at}," + ",".join(f"{value:.5f}" for value in row) + "\n").encode())
