"""The right way up: photographs turned by quarters, without a word of it in their EXIF, and how their masks would sit.

    python benchmarks/orientation.py FOLDER... --count 120 --seed 0        # three turns of each photograph
    python benchmarks/orientation.py FOLDER... --sheet wrong.png           # a picture of what is wrong
    python benchmarks/orientation.py FOLDER... --turns 0 --count 800       # photographs as they are

Takes COUNT photographs, of each folder about as many. The face that `maskgen mask` would mask in the turned photograph
is compared with the faces of the photograph as it is: hand-marked points where a NAME.pts (68 lines "x y") is beside
it, what the detector finds otherwise. Prints, for each turn:

    right       the mouth lies in the direction in which it lies in truth, and the points are on the same face
    wrong       any other face that is not set aside
    set aside   by reason
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.contact_sheets import contact_sheet
from maskgen.core.images import encode_image, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Face, Image
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarks import Landmarker
from maskgen.faces.locate import detect_for, faces_with_landmarks
from maskgen.faces.trust import trust
from maskgen.faces.upright_crop import align_upright_by_five, five_points, frontal_eye_distance

SUFFIXES = (".jpg", ".jpeg", ".png")
FARTHEST = 0.4  # mean distance of the five points from the true ones, in eye distances
MOST_OFF = 45.0  # degrees between the way down of the found face and of the true one
LEAST_TRUST = 0.4  # as `maskgen mask` has it


@dataclass(frozen=True, slots=True)
class Case:
    """One photograph in one turn, what came out ("right", "wrong" or a reason), and a picture of it."""

    path: Path
    quarters: int
    outcome: str
    trust: float
    picture: Image | None = None


def picked(folders: Sequence[Path], count: int, seed: int) -> list[Path]:
    """So many photographs, of each folder an equal share as far as it has them."""
    found: list[Path] = []
    every = [sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES) for folder in folders]
    for left, paths in zip(range(len(every), 0, -1), sorted(every, key=len), strict=True):
        share = min(len(paths), round((count - len(found)) / left))
        order = rng_for(seed, "orientation").permutation(len(paths))[:share]
        found += [paths[at] for at in sorted(order.tolist())]
    return found


def true_faces(path: Path, image: Image, detector: MtcnnDetector) -> list[np.ndarray]:
    """Five points of each face of the photograph as it is, those that are marked first."""
    found = [face.points5 for face in detector.detect([image], include_small=True)[0]]
    marks = path.with_suffix(".pts")
    return [five_points(np.loadtxt(marks).astype(np.float32)), *found] if marks.is_file() else found


def turned_back(points: np.ndarray, quarters: int, shape: tuple[int, ...]) -> np.ndarray:
    """Points of the picture turned so many quarters to the left, in pixels of the picture as it was."""
    height, width = shape[:2]
    x, y = points[:, 0], points[:, 1]
    back = {0: (x, y), 1: (width - 1 - y, x), 2: (width - 1 - x, height - 1 - y), 3: (y, height - 1 - x)}
    return np.stack(back[quarters % 4], 1)


def off(points: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Mean distance of five points from the true ones, in eye distances, and degrees between their ways down."""
    way, right = (five[3:].mean(0) - five[:2].mean(0) for five in (points, true))
    turn = np.degrees(np.arctan2(way[0] * right[1] - way[1] * right[0], way @ right))
    return float(np.linalg.norm(points - true, axis=1).mean() / max(frontal_eye_distance(true), 1e-3)), abs(float(turn))


def judged(path: Path, quarters: int, detector: MtcnnDetector, landmarker: Landmarker) -> Case:
    image = read_photo(path).image
    turned = np.ascontiguousarray(np.rot90(image, quarters))
    found = detect_for(detector, [turned], "subject")
    (face, *_) = faces_with_landmarks([turned], found, "subject", landmarker, detector)[0]
    if isinstance(face, SetAsideError):
        return Case(path, quarters, str(face.reason), 0.0)
    sure = trust(face)
    if sure < LEAST_TRUST:
        return Case(path, quarters, "doubtful_fit", sure)
    points = turned_back(five_points(face.points68), quarters, image.shape)
    apart = [off(points, true) for true in true_faces(path, image, detector)]
    right = any(far <= FARTHEST and turn <= MOST_OFF for far, turn in apart)
    return Case(path, quarters, "right" if right else "wrong", sure, drawn(turned, face))


def drawn(image: Image, face: Face) -> Image:
    """The face as it would be masked, the jaw, nose and mouth drawn on it."""
    crop = align_upright_by_five(image, face.detection.points5, 240, 1.0)
    shown = crop.image.copy()
    points = np.round(crop.carry(face.points68)).astype(int)
    for first, end, colour in ((0, 17, (0, 220, 0)), (27, 36, (0, 160, 255)), (48, 60, (220, 0, 0))):
        cv2.polylines(shown, [points[first:end]], False, colour, 1)
    return shown


def tell(cases: Sequence[Case]) -> None:
    for quarters in sorted({case.quarters for case in cases}):
        counts = Counter(case.outcome for case in cases if case.quarters == quarters)
        print(f"{90 * quarters:3d} degrees: {', '.join(f'{n} {name}' for name, n in sorted(counts.items()))}")
    totals = Counter(case.outcome for case in cases)
    aside = len(cases) - totals["right"] - totals["wrong"]
    print(f"{len(cases)} in all: {totals['right']} right, {totals['wrong']} wrong, {aside} set aside")
    for case in cases:
        if case.outcome == "wrong":
            print(f"  wrong: {case.path} turned by {90 * case.quarters} degrees, trust {case.trust:.2f}")


def main(folders: Sequence[Path], asked: argparse.Namespace) -> None:
    detector, landmarker = MtcnnDetector(), Landmarker(None)
    paths = picked(folders, asked.count, asked.seed)
    begun = time.process_time()
    cases = [judged(path, quarters, detector, landmarker) for path in paths for quarters in asked.turns]
    tell(cases)
    print(f"{1000 * (time.process_time() - begun) / max(len(cases), 1):.1f} ms of processor a case, judging among it")
    if asked.sheet:
        groups = {
            name: [c.picture for c in cases if c.outcome == name and c.picture is not None] for name in ("wrong",)
        }
        write_atomic(asked.sheet, encode_image(contact_sheet(groups, 8, 240), "png"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--turns", type=int, nargs="+", default=[1, 2, 3], choices=range(4), help="quarters")
    parser.add_argument("--sheet", type=Path)
    main(parser.parse_args().folders, parser.parse_args())
