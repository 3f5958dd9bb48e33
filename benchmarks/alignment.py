"""Whether `--align arcface` cuts the crops that InsightFace's own `norm_crop` cuts, from the same points.

    pip install insightface==0.7.3 albumentations           # in an environment of its own with maskgen in it
    python benchmarks/alignment.py FACES_DIR --count 100

Takes photographs evenly from FACES_DIR, finds the face in each, and gives its five points to both, at 112, 128, 224
and 256 pixels. Prints for each size how far the corners of the crop lie apart, in pixels of the crop, and how far the
pixels differ, in steps of 0 to 255. Where a photograph is reduced to less than half, this program reduces it by areas
first and InsightFace does not: those crops are counted apart. The exit code is 1 where corners lie more than 0.01
pixels apart, or a pixel of the other crops differs by more than 3 steps.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from insightface.utils.face_align import norm_crop2

from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image
from maskgen.faces.choose import choose_faces
from maskgen.faces.crop_by_alignment import align_arcface
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.locate import detect_for
from maskgen.faces.upright_crop import shrink_factor

SIZES = (112, 128, 224, 256)
FARTHEST, MOST = 0.01, 3  # pixels, steps


def faces(folder: Path, count: int) -> Iterator[tuple[Image, np.ndarray]]:
    """Photographs with a face, and its five points, float32 (5, 2)."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    detector = MtcnnDetector()
    for path in paths[:: max(1, len(paths) // count)][:count]:
        image = read_photo(path).image
        try:
            (chosen,) = choose_faces(image, detect_for(detector, [image], "subject")[0], "subject")
        except SetAsideError as fault:
            print(f"{path}: {fault.reason}")
            continue
        if not isinstance(chosen, SetAsideError):
            yield image, chosen.points5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)  # scikit-image of insightface
    found, failed = list(faces(asked.folder, asked.count)), False
    print(f"{len(found)} photographs")
    for size in SIZES:
        corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], float)
        apart, steps, reduced = [], [], []
        for image, points5 in found:
            crop = align_arcface(image, points5, "arcface", size)
            theirs, matrix = norm_crop2(image, points5, size)
            back = np.linalg.inv(np.vstack([crop.matrix, [0, 0, 1]]))
            to_theirs = (np.asarray(matrix) @ back)[:, :2] @ corners.T + (np.asarray(matrix) @ back)[:, 2:]
            apart.append(np.abs(to_theirs.T - corners).max())
            difference = np.abs(crop.image.astype(int) - theirs)
            (reduced if shrink_factor(crop.matrix) >= 2 else steps).append((difference.max(), difference.mean()))
        failed |= bool(max(apart) > FARTHEST or any(most > MOST for most, _ in steps))
        told = "; ".join(
            f"{len(part)} crops {name}: a pixel differs by {max(m for m, _ in part)} at most, {np.mean(part, 0)[1]:.3f}"
            " in the mean"
            for name, part in (("as they are", steps), ("reduced first", reduced))
            if part
        )
        print(f"{size} pixels: corners {max(apart):.5f} pixels apart at most; {told}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
