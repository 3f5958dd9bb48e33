"""How many clearly visible single faces in real masks the gallery finds.

    python benchmarks/gallery.py MASKED_DIR

MASKED_DIR holds the 80 photographs of RMFD that `real_masked_faces.csv` (beside this file) speaks of: for each with one
clear face of at least 8 pixels between the eyes, the middle between the eyes and their distance, looked at one by one.
Pictures of groups, half faces, paintings and faces in the distance are not in it. A face counts as found where the
gallery puts the eyes' middle within half an eye distance of the mark, at between 0.6 and 1.6 times the size.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.align import face_unit
from maskgen.faces.alignments import Cut
from maskgen.faces.choose import choose
from maskgen.faces.detect import MtcnnDetector
from maskgen.gallery.faces import PortraitFinder

MARKS = Path(__file__).with_name("real_masked_faces.csv")


Find = Callable[[Image], Detection]


def found(path: Path, middle: np.ndarray, eyes: float, find: Find) -> bool:
    """Whether the face that is meant is the marked one."""
    image = read_photo(path).image
    try:
        face = find(image)
    except SetAsideError:
        return False
    off = float(np.hypot(*(face.points5[:2].mean(0) - middle)))
    return off < 0.5 * eyes and 0.6 < face_unit(face.points5) / eyes < 1.6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("masked", type=Path)
    folder = parser.parse_args().masked
    detector, finder = MtcnnDetector(), PortraitFinder()

    def as_in_runs(image: Image) -> Detection:
        return choose(detector.detect([image])[0], image.shape[:2], "largest")[0]

    def as_in_the_gallery(image: Image) -> Detection:
        return finder.find(image, True, Cut(size=112)).detection

    marks = list(csv.DictReader(MARKS.open(encoding="utf-8")))
    for name, find in (("as in runs", as_in_runs), ("gallery", as_in_the_gallery)):
        missed = [
            row["file"]
            for row in marks
            if not found(folder / row["file"], np.array([row["x"], row["y"]], float), float(row["eyes"]), find)
        ]
        share = 1 - len(missed) / len(marks)
        print(f"{name}: {len(marks) - len(missed)} of {len(marks)}, {share:.3f}; missed {', '.join(missed) or 'none'}")
