"""How well chips of masked faces are aligned, by each source of five points, where MFR2 has no part.

    python benchmarks/masked_alignment.py WORK DRAWN [--photographs REAL_DIR] [--marks RMFD_DIR] [--count 240]

WORK/kept_five and WORK/kept_world are the runs of `masked_recogniser.py` on people who are kept back: the true chip of
a masked crop is that of the 68 points of the bare photograph. They are judged as they are cut, and as tight crops:
turned, moved, scaled and cut off close to the face, as MFR2's are. DRAWN holds drawn people with known points
(`own_landmarks.py`; parts whose number ends in 9), of which those in masks are judged, by yaw. RMFD_DIR holds the
photographs of `real_masked_faces.csv`: where the middle between the eyes should be. REAL_DIR holds photographs of
people in real masks without any truth: each is cut twice, at random, and the two chips should be the same.

Printed are the mean distance of the chip's corners from the true ones in shares of the chip's side, and the share of
pictures in which it is more than a tenth and more than a quarter; of the marks the distance in eye distances.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from maskgen.core.images import decode, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.core.seeding import rng_for
from maskgen.embedders.chip_alignment import CHIP, POINTS5, ChipAligner, chip_matrix, fixed_matrix
from maskgen.faces.choose import most_prominent
from maskgen.faces.detect import LENIENT_THRESHOLDS, MtcnnDetector
from maskgen.faces.landmarkers.own import OwnLandmarker
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.upright_crop import align_upright, five_points, frontal_eye_distance
from maskgen.gallery.multi_view import MultiViewDetector
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.plan import plan_mask

SIDE = 160  # of the crops
CORNERS = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]) * CHIP - 0.5
Matrices, Points = list[np.ndarray], list[np.ndarray | None]
SEARCHED = "searched again in views"
MARKS = Path(__file__).with_name("real_masked_faces.csv")


class Ways:
    """Every way to find chips: crops to the matrices to their chips."""

    def __init__(self) -> None:
        self._detector = MtcnnDetector(aligned=True, thresholds=LENIENT_THRESHOLDS)
        self._views, self._dlib, self._own = MultiViewDetector(), Landmarker(), OwnLandmarker()
        self.by_name: dict[str, Callable[[Sequence[Image]], Matrices]] = {
            "MTCNN's five": lambda crops: chips(crops, self._five(crops)),
            SEARCHED: lambda crops: chips(crops, [self._searched(crop) for crop in crops]),
            "68 points, dlib": lambda crops: chips(crops, self._of68(crops, self._dlib)),
            "68 points, own": lambda crops: chips(crops, self._of68(crops, self._own)),
            "half MTCNN, half dlib": lambda crops: chips(crops, self._half(crops)),
            "the program's aligner": ChipAligner().matrices,
        }

    def first(self, image: Image) -> Detection | None:
        """The face of a photograph, roughly."""
        faces = self._views.detect([image])[0]
        return most_prominent(image, faces) if faces else None

    def _faces(self, crops: Sequence[Image]) -> list[Detection | None]:
        found = zip(crops, self._detector.detect(crops), strict=True)
        return [most_prominent(crop, faces) if faces else None for crop, faces in found]

    def _five(self, crops: Sequence[Image]) -> Points:
        return [None if face is None else face.points5 for face in self._faces(crops)]

    def _searched(self, crop: Image) -> np.ndarray | None:
        """Searched again in turned, enlarged, padded and darkened views where MTCNN is not sure."""
        (best,) = self._faces([crop])
        if best is None or best.score < 0.95:
            again = self._views.search(crop)
            best = most_prominent(crop, again) if again else best
        return None if best is None else best.points5

    def _of68(self, crops: Sequence[Image], landmarker: Landmarker) -> Points:
        faces = self._faces(crops)
        there = [(crop, face) for crop, face in zip(crops, faces, strict=True) if face is not None]
        found = iter(landmarker.points68_of(there))
        return [None if face is None else _of(face, next(found)) for face in faces]

    def _half(self, crops: Sequence[Image]) -> Points:
        both = zip(self._five(crops), self._of68(crops, self._dlib), strict=True)
        return [None if one is None or two is None else (one + two) / 2 for one, two in both]


def _of(face: Detection, found: Points68 | SetAsideError) -> np.ndarray:
    return face.points5 if isinstance(found, SetAsideError) else five_points(found.xy)


def chips(crops: Sequence[Image], points: Points) -> Matrices:
    return [fixed_matrix(crop) if own is None else chip_matrix(own) for crop, own in zip(crops, points, strict=True)]


def corners_off(found: np.ndarray, true: np.ndarray) -> float:
    """Mean distance of the chip's corners, in its sides."""
    back = np.linalg.inv(np.vstack([true, [0, 0, 1]]))[:2]
    there = CORNERS @ back[:, :2].T + back[:, 2]
    return float(np.linalg.norm(there @ found[:, :2].T + found[:, 2] - CORNERS, axis=1).mean() / CHIP)


def moved(image: Image, points: np.ndarray, rng: np.random.Generator) -> tuple[Image, np.ndarray]:
    """A tight crop: turned, moved and scaled, and cut off at 0.35 to 1 eye distances around the five points."""
    more = cv2.getRotationMatrix2D((SIDE / 2 - 0.5,) * 2, float(rng.uniform(-20, 20)), float(rng.uniform(0.8, 1.3)))
    more[:, 2] += rng.uniform(-0.08, 0.08, 2) * SIDE
    points = points @ more[:, :2].T + more[:, 2]
    image = cv2.warpAffine(image, more, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    apart = np.linalg.norm(points[0] - points[1]) + 8
    x0, y0 = np.clip(points.min(0) - rng.uniform(0.35, 1.0, 2) * apart, 0, SIDE - 40).astype(int)
    x1, y1 = np.clip(points.max(0) + rng.uniform(0.35, 1.0, 2) * apart, 40, SIDE).astype(int)
    side = SIDE / max(x1 - x0, y1 - y0)
    out = cv2.resize(image[y0:y1, x0:x1], None, fx=side, fy=side, interpolation=cv2.INTER_LINEAR)
    return out, (points - [x0, y0] + 0.5) * side - 0.5


Case = tuple[Image, np.ndarray]


def of_runs(work: Path, count: int, tight: bool, bare: bool = False) -> list[Case]:
    rng = rng_for(0, "masked alignment", "tight" if tight else "as cut")
    rows = [
        (work / run / row["path"], np.array(row["points5"], np.float32).reshape(5, 2))
        for run in ("kept_five", "kept_world")
        for row in pq.read_table(work / run / "catalogue.parquet").sort_by("path").to_pylist()
        if (row["kind"] == "bare") == bare
    ]
    chosen = [rows[at] for at in rng.choice(len(rows), count, replace=False)]
    cases = [(decode(path.read_bytes()), points) for path, points in chosen]
    return [moved(*case, rng) for case in cases] if tight else cases


def drawn_cases(folder: Path) -> dict[str, list[Case]]:
    """Held-out drawn people, in masks where one fits, by yaw and pitch in degrees."""
    rng, cases, poses = rng_for(0, "drawn in masks"), [], []
    for part in (np.load(path) for path in sorted(folder.glob("*9.npz"))):
        for image, points, pose in zip(part["images"], part["points68"], part["poses"], strict=True):
            kind = load_kind(str(rng.choice(kind_names())))
            try:
                worn = analyse_and_apply(image, points, plan_mask(rng), kind).image
            except SetAsideError:
                continue
            crop = align_upright(worn, points, SIDE)
            cases.append((crop.image, five_points(crop.carry(points))))
            poses.append(np.abs(pose[:2]))
    out = {
        f"drawn, yaw {low} to {high}": [case for case, (yaw, _) in zip(cases, poses, strict=True) if low <= yaw < high]
        for low, high in ((0, 30), (30, 60), (60, 95))
    }
    return {**out, "drawn, pitch beyond 20": [case for case, (_, up) in zip(cases, poses, strict=True) if up > 20]}


def cut_around(image: Image, between: np.ndarray, eyes: float, rng: np.random.Generator) -> tuple[Image, np.ndarray]:
    """A crop about a face, somewhat off, turned and scaled, and the matrix (2, 3) to it."""
    scale = SIDE / (3.3 * eyes * float(np.exp(rng.normal(0, 0.15))))
    matrix = cv2.getRotationMatrix2D((0, 0), float(rng.uniform(-15, 15)), scale)
    matrix[:, 2] += np.array([0.5, 0.37]) * SIDE + rng.normal(0, 0.05, 2) * SIDE - matrix[:, :2] @ between
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), matrix


def row(way: str, off: Sequence[float], limits: Sequence[float] = (0.1, 0.25), last: str = "") -> None:
    cells = [f"{np.mean(off):.3f}", *(f"{np.mean(np.array(off) > limit):.3f}" for limit in limits)]
    print(f"| {way} | {' | '.join(cells)} |{last}", flush=True)


def tell(name: str, ways: Ways, cases: Sequence[Case], skip: Sequence[str] = ()) -> None:
    print(f"\n| {name}: {len(cases)} pictures | mean | beyond 0.1 | beyond 0.25 | ms |\n|---|---|---|---|---|")
    crops, true = [crop for crop, _ in cases], [chip_matrix(points) for _, points in cases]
    for way, find in ways.by_name.items():
        if way not in skip:
            begun = time.process_time()
            off = [corners_off(*both) for both in zip(find(crops), true, strict=True)]
            row(way, off, last=f" {(time.process_time() - begun) / len(cases) * 1000:.0f} |")


def tell_marks(folder: Path, ways: Ways) -> None:
    rng, crops, places = rng_for(0, "marks"), [], []
    for mark in csv.DictReader(MARKS.open(encoding="utf-8")):
        image, between = read_photo(folder / mark["file"]).image, np.array([mark["x"], mark["y"]], float)
        for _ in range(3):
            crop, matrix = cut_around(image, between, float(mark["eyes"]), rng)
            crops.append(crop)
            places.append((matrix[:, :2] @ between + matrix[:, 2], float(mark["eyes"]) * np.hypot(*matrix[:, 0])))
    print(f"\n| marks in real photographs: {len(crops)} crops | mean | beyond 0.25 | beyond 0.5 |\n|---|---|---|---|")
    for way, find in ways.by_name.items():
        if way != SEARCHED:
            backs = [cv2.invertAffineTransform(matrix) for matrix in find(crops)]
            found = [back[:, :2] @ POINTS5[:2].mean(0) + back[:, 2] for back in backs]
            off = [float(np.linalg.norm(one - place) / eyes) for one, (place, eyes) in zip(found, places, strict=True)]
            row(way, off, (0.25, 0.5))


def tell_real(folder: Path, ways: Ways, count: int) -> None:
    rng, crops, matrices = rng_for(0, "real"), [], []
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for path in (paths[at] for at in rng.permutation(len(paths))[:count]):
        image = read_photo(path).image
        face = ways.first(image)
        if face is not None:
            between, eyes = face.points5[:2].mean(0), frontal_eye_distance(face.points5)
            for _ in range(2):
                crop, matrix = cut_around(image, between, eyes, rng)
                crops.append(crop)
                matrices.append(matrix)
    print(f"\n| {folder}: {len(crops) // 2} pictures cut twice | mean | beyond 0.1 | beyond 0.25 |\n|---|---|---|---|")
    for way, find in ways.by_name.items():
        if way != SEARCHED:
            square = [whole(chip) @ whole(matrix) for chip, matrix in zip(find(crops), matrices, strict=True)]
            row(way, [corners_off(one[:2], two[:2]) for one, two in zip(square[::2], square[1::2], strict=True)])


def whole(matrix: np.ndarray) -> np.ndarray:
    """(3, 3)."""
    return np.vstack([matrix, [0, 0, 1]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("--photographs", type=Path, action="append", default=[])
    parser.add_argument("--marks", type=Path)
    parser.add_argument("--count", type=int, default=240)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    ways = Ways()
    tell("LFW bare, as cut", ways, of_runs(asked.work, asked.count, False, True))
    tell("LFW in drawn masks, as cut", ways, of_runs(asked.work, asked.count, False))
    tell("LFW in drawn masks, tight crops", ways, of_runs(asked.work, asked.count, True))
    for name, cases in drawn_cases(asked.drawn).items():
        if cases:
            tell(name, ways, cases, (SEARCHED,))
    if asked.marks:
        tell_marks(asked.marks, ways)
    for folder in asked.photographs:
        tell_real(folder, ways, asked.count // 2)


if __name__ == "__main__":
    main()
