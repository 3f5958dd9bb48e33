"""How exact the 68 points are that are found from given five points or a given box, beside those of a search.

    python benchmarks/given_points.py FACES_DIR

FACES_DIR/landmarks68 holds NAME.jpg and NAME.pts, 68 hand-marked points, an "x y" a line. The five points are the
hand-marked ones; the boxes are those around the hand-marked points (tight), and the same with 0.3 of their height more
above, as people mark faces up to the hair. Prints of how many photographs a face was had with a trust of 0.4, and the
error of its points: the mean distance to the hand-marked ones over that between the outer corners of the eyes, median
and 90th percentile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from maskgen.core.images import read_photo
from maskgen.core.kindspec import DEFAULT_MIN_TRUST
from maskgen.core.records import Face, Floats, Image
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarks import Landmarker
from maskgen.faces.locate import detect_for, faces_with_landmarks
from maskgen.faces.trust import trust
from maskgen.faces.upright_crop import five_points
from maskgen.points.given_faces import faces_from_marks
from maskgen.points.mark import Mark


def box_of(points: Floats, above: float) -> Floats:
    low, high = points.min(0), points.max(0)
    return np.float32([low[0], low[1] - above * (high[1] - low[1]), *high])


WAYS: dict[str, Callable[[Floats], Mark]] = {
    "five points": lambda points: Mark(points=five_points(points)),
    "tight box": lambda points: Mark(box_of(points, 0.0)),
    "box up to the hair": lambda points: Mark(box_of(points, 0.3)),
}


def error(face: Face, truth: Floats) -> float:
    return float(np.linalg.norm(face.points68 - truth, axis=1).mean() / np.linalg.norm(truth[36] - truth[45]))


def show(way: str, found: list[list[Face]], truth: list[Floats]) -> None:
    errors = [error(face, own) for (face, *_), own in ((f, t) for f, t in zip(found, truth, strict=True) if f)]
    low, high = np.percentile(errors, [50, 90])
    print(f"{way:<20}{len(errors):>4} of {len(truth)}   median {low:.4f}   90 % {high:.4f}")


def main() -> None:
    paths = sorted((Path(sys.argv[1]) / "landmarks68").glob("*.jpg"))
    images: list[Image] = [read_photo(path).image for path in paths]
    truth = [np.loadtxt(path.with_suffix(".pts"), np.float32) for path in paths]
    searcher, cutter, landmarker = MtcnnDetector(), MtcnnDetector(aligned=True), Landmarker()

    def usable(faces: object) -> list[Face]:
        return [one for one in faces if isinstance(one, Face) and trust(one) >= DEFAULT_MIN_TRUST]  # type: ignore[attr-defined]

    searched = faces_with_landmarks(images, detect_for(searcher, images, "subject"), "subject", landmarker)
    show("search", [usable(own) for own in searched], truth)
    for way, mark in WAYS.items():
        marks = [[mark(points)] for points in truth]
        given = faces_from_marks(images, marks, "subject", cutter, landmarker)
        show(way, [usable(own) for own in given], truth)


if __name__ == "__main__":
    main()
