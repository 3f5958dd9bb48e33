"""What the quality gate is worth: the landmarks' true error against the trust that the catalogue gives them.

    python benchmarks/trust.py FACES_DIR [--landmarks own]

FACES_DIR holds NAME.jpg and NAME.pts (68 lines "x y"). Each photograph, and each of 60 drawn people, is looked at as
it is and harmed in seven ways: small, tiny, dark, soft, turned by 40 degrees, half out of the picture, an object before
the mouth. Prints, for photographs and for drawn people, one line for each value of --min-trust:

    kept            share of the faces found that are kept
    error, p99      mean and 99th percentile of the kept faces' mean point error, in eye distances
    off, of them    faces whose error is over 0.15 and how many of them are set aside
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.images import read_photo
from maskgen.core.records import Face, Image
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarkers.by_name import landmarker_by_name
from maskgen.faces.locate import faces_with_landmarks
from maskgen.faces.trust import trust
from maskgen.people import sample_people

OFF = 0.15
Marked = tuple[Image, np.ndarray]


def eyes_apart(points: np.ndarray) -> float:
    """Pixels between the eyes' middles."""
    return float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))


def smaller(image: Image, points: np.ndarray, apart: float) -> Marked:
    """The picture with so many pixels between the eyes."""
    times = min(1.0, apart / eyes_apart(points))
    return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_AREA), (points + 0.5) * times - 0.5


def turned(image: Image, points: np.ndarray, degrees: float) -> Marked:
    """The picture turned about the face."""
    x, y = points.mean(0)
    matrix = cv2.getRotationMatrix2D((float(x), float(y)), degrees, 1)
    image = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return image, points @ matrix[:, :2].T + matrix[:, 2]


def hidden(image: Image, points: np.ndarray, rng: np.random.Generator) -> Marked:
    """A brown disc somewhere over the mouth."""
    apart = eyes_apart(points)
    x, y = points[48:68].mean(0) + rng.normal(0, 0.3 * apart, 2)
    return cv2.circle(image.copy(), (int(x), int(y)), int(0.7 * apart), (40, 60, 90), -1), points


def harmed(image: Image, points: np.ndarray, rng: np.random.Generator) -> Iterator[Marked]:
    """The picture as it is and in seven worse states."""
    apart = eyes_apart(points)
    yield image, points
    yield smaller(image, points, 12)
    yield smaller(image, points, 8)
    yield (image * 0.12 + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8), points
    yield cv2.GaussianBlur(image, (0, 0), 0.12 * apart), points
    yield turned(image, points, float(rng.choice([-40, 40])))
    yield np.ascontiguousarray(image[:, : max(int(points[27, 0] + 0.1 * apart), 40)]), points
    yield hidden(image, points, rng)


def measured(marked: Iterator[Marked], name: str) -> np.ndarray:
    """Trust and mean point error, (n, 2), of each face that is found in each state of each picture."""
    detector, landmarker, rng = MtcnnDetector(), landmarker_by_name(name), rng_for(0, "trust")
    rows = []
    for image, points in marked:
        for worse, at in harmed(image, points, rng):
            face = faces_with_landmarks([worse], detector.detect([worse], True), "largest", landmarker)[0][0]
            if isinstance(face, Face):
                error = np.linalg.norm(face.points68 - at, axis=1).mean() / eyes_apart(at)
                rows.append((trust(face), error))
    return np.array(rows)


def tell(name: str, rows: np.ndarray) -> None:
    """Print the curve."""
    print(f"{name}: {len(rows)} faces found\nmin trust     kept    error      p99      off  of them set aside")
    for least in (0.0, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9):
        kept, off = rows[:, 0] >= least, rows[:, 1] > OFF
        errors = rows[kept, 1]
        mean, most = (errors.mean(), np.quantile(errors, 0.99)) if len(errors) else (np.nan, np.nan)
        print(f"{least:9.2f} {kept.mean():8.3f} {mean:8.3f} {most:8.3f} {off.sum():8d} {(off & ~kept).sum():8d}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--landmarks", default="dlib", help="dlib or own")
    options = parser.parse_args()
    marks = sorted(options.faces.glob("*.pts"))
    photographs = ((read_photo(m.with_suffix(".jpg")).image, np.loadtxt(m)) for m in marks)
    tell("photographs", measured(photographs, options.landmarks))
    people = ((p.image, p.points68) for _, _, p in sample_people(20, 3, seed=8))
    tell("drawn people", measured(people, options.landmarks))
