"""How many clearly visible single faces in real masks the gallery finds, and what it doubts.

    python benchmarks/gallery.py MASKED_DIR                             # what is found
    python benchmarks/gallery.py --doubts bare=DIR masked=DIR ...       # what `--doubtful drop` sets aside

MASKED_DIR holds the 80 photographs of RMFD that `real_masked_faces.csv` (beside this file) speaks of: for each with one
clear face of at least 8 pixels between the eyes, the middle between the eyes and their distance, looked at one by one.
Pictures of groups, half faces, paintings and faces in the distance are not in it. A face counts as found where the
gallery puts the eyes' middle within half an eye distance of the mark, at between 0.6 and 1.6 times the size.

--doubts takes folders of photographs that are all bare, or all in masks, and prints for each how many faces are found,
how many of them contradict what is said of them, how many are hardly faces, and how many would contradict the opposite.
--every N takes every Nth photograph.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.choose import choose_faces
from maskgen.faces.crop_by_alignment import CropSettings
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.locate import detect_for
from maskgen.faces.upright_crop import frontal_eye_distance
from maskgen.gallery.label_checks import contradiction
from maskgen.gallery.portrait_finder import PortraitFinder
from maskgen.pipelines.gallery.photograph_checks import doubts_of

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
    return off < 0.5 * eyes and 0.6 < frontal_eye_distance(face.points5) / eyes < 1.6


def as_in_runs(image: Image) -> Detection:
    (face,) = choose_faces(image, detect_for(DETECTOR, [image], "subject")[0], "subject")
    if isinstance(face, SetAsideError):
        raise face
    return face


def as_in_the_gallery(image: Image) -> Detection:
    return FINDER.find(image, True, CropSettings(size=112)).detection


def tell_found(folder: Path) -> None:
    marks = list(csv.DictReader(MARKS.open(encoding="utf-8")))
    for name, find in (("as in runs", as_in_runs), ("gallery", as_in_the_gallery)):
        missed = [
            row["file"]
            for row in marks
            if not found(folder / row["file"], np.array([row["x"], row["y"]], float), float(row["eyes"]), find)
        ]
        share = 1 - len(missed) / len(marks)
        print(f"{name}: {len(marks) - len(missed)} of {len(marks)}, {share:.3f}; missed {', '.join(missed) or 'none'}")


def tell_doubts(masked: bool, folder: Path, every: int) -> None:
    counts: Counter[str] = Counter()
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[::every]
    for path in paths:
        try:
            face = FINDER.find(read_photo(path).image, masked, CropSettings(size=112))
        except SetAsideError:
            continue
        counts["found"] += 1
        counts.update({str(doubt.reason) for doubt in doubts_of(face, masked)})
        counts["wrong label told"] += bool(contradiction(face.mask_score, not masked))
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    print(f"{'masked' if masked else 'bare'} {folder}: {len(paths)} photographs, {told}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("masked", type=Path, nargs="?")
    parser.add_argument("--doubts", nargs="+", default=[], metavar="STATE=DIR")
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    DETECTOR, FINDER = MtcnnDetector(), PortraitFinder()
    if asked.masked:
        tell_found(asked.masked)
    for text in asked.doubts:
        state, _, place = text.partition("=")
        tell_doubts(state == "masked", Path(place), asked.every)
