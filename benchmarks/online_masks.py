"""What a mask costs that the loader puts on while it reads: masks a second and core, and beside the codecs alone.

    maskgen mask PHOTOGRAPHS RUN --bare --size 112
    OPENBLAS_NUM_THREADS=1 python benchmarks/online_masks.py RUN [--kinds KIND,KIND,...] [--pictures 1000]

Each bare crop of RUN is decoded and gets a mask as `maskgen train --set data.masks=online` does it, in batches, by one
process on one thread: in the first epoch each face is analysed, later its analysis is read. The codecs' pass decodes
and encodes the same crops. Processor time, median of three rounds in turns, after one round that fills the caches.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from maskgen.core.images import decode, encode_image
from maskgen.core.seeding import rng_for
from maskgen.pipelines.train.folder import ANALYSES
from maskgen.pipelines.train.kept_analyses import KeptAnalyses
from maskgen.pipelines.train.online_masks import FACE, OnlineMasker

KINDS = "surgical_green,surgical_blue,n95,kn95,kf94_white,cloth_black,duckbill_white,pitta_grey"

BATCH = 64
PASSES = ("codecs alone", "masked, first epoch", "masked, later epochs")


def spent(work: Callable[[], None]) -> float:
    """Seconds of the processor."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measure(run: Path, kinds: tuple[str, ...], most: int) -> None:
    """Print a line for each of the passes."""
    table = pq.read_table(run / "catalogue.parquet", columns=["path", "kind", "points68"])
    rows = [row for row in table.to_pylist() if row["kind"] == "bare"][:most]
    files = [(run / row["path"]).read_bytes() for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        points = Path(folder) / "points.npy"
        faces = np.zeros(len(rows), FACE)
        faces["points"] = np.array([row["points68"] for row in rows]).reshape(-1, 68, 2)
        np.save(points, faces)
        kept = KeptAnalyses.begin(Path(folder) / ANALYSES, len(rows), 1.0)
        first, later = (OnlineMasker(points, kinds, 1.0, one) for one in (None, kept))
        changed = masked(later, files)  # fills the caches
        rounds = [
            (spent(lambda: codecs(files)), spent(lambda: masked(first, files)), spent(lambda: masked(later, files)))
            for _ in range(3)
        ]
    seconds = [statistics.median(one) for one in zip(*rounds, strict=True)]
    side = decode(files[0]).shape[0]
    print(f"{len(files):,} crops of {side} pixels, {len(kinds)} kinds, {changed:,} masked")
    for name, count, one in zip(PASSES, (len(files), changed, changed), seconds, strict=True):
        per_crop = f"{1e3 * one / len(files):>8.2f} ms, {one / seconds[0]:>5.1f} times the codecs"
        print(f"{name:<21} {count / one:>8,.0f} a second and core {per_crop}")


def codecs(files: Sequence[bytes]) -> None:
    """Decode and encode each picture."""
    for data in files:
        encode_image(decode(data), "jpg", 95)


def masked(masker: OnlineMasker, files: Sequence[bytes]) -> int:
    """Decode each picture and mask it; how many got a mask."""
    changed = 0
    for first in range(0, len(files), BATCH):
        images = [decode(data) for data in files[first : first + BATCH]]
        at = range(first, first + len(images))
        found = masker(images, [{"row": row} for row in at], [rng_for(0, "augment", 0, row) for row in at])
        changed += sum(one is not other for one, other in zip(found, images, strict=True))
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--kinds", default=KINDS)
    parser.add_argument("--pictures", type=int, default=1000)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    measure(asked.run, tuple(asked.kinds.split(",")), asked.pictures)


if __name__ == "__main__":
    main()
