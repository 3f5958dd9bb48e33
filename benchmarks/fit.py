"""How well the masks sit on faces whose 68 points were marked by hand, and whether their rims glow.

    python benchmarks/fit.py FACES_DIR [--found] [--save DIR] [--kinds NAME,NAME]

FACES_DIR holds NAME.jpg and NAME.pts (68 lines "x y"). Masks are put on at the marked points, or with --found at the
points that the program finds itself. Prints one line a kind:

    mouth, nose, chin   share of those marked points under the mask (higher is better)
    eye hit             share of the marked eye points under the mask
    spill               share of the mask outside the face's hull grown by 0.15 eye distances
    full cover          faces with every mouth, nose and chin point covered and no eye point hit; of shields every
                        one of these points, of glasses every eye point and no mouth point
    halo                share of the mask's border that is 25 grey levels brighter than both of its sides
    halo with loops     the same with the loops and straps counted as mask; white ones are brighter than any skin

Bandana and gaiter cover the neck, so their spill is the neck's share. A clear shield lies over the whole face and
shines along its edges: its eye hit is 1, and spill and halo say nothing of it. Glasses are meant to hit the eyes. Skin
within the cut-outs of foam masks is brighter than the dark cloth on all sides of it, and counts as halo.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import Photo, encode_image, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image, Mask
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.plan import plan_mask

NAMES = ("mouth", "nose", "chin", "eye hit", "spill", "full cover", "halo", "halo with loops")
Marked = tuple[str, Photo, np.ndarray]


def under(points: np.ndarray, mask: np.ndarray) -> float:
    """Share of the points that are in the mask."""
    height, width = mask.shape
    x, y = np.clip(np.round(points).astype(int), 0, [width - 1, height - 1]).T
    return float(mask[y, x].mean())


def outside(points: np.ndarray, mask: np.ndarray) -> float:
    """Share of the mask outside the face's hull grown by 0.15 eye distances."""
    eyes = float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))
    eyes = max(eyes, 0.4 * float(np.linalg.norm(points[27] - points[8])))
    hull = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points.astype(np.int32)), 1)
    side = 2 * int(0.15 * eyes) + 1
    grown = cv2.dilate(hull, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0
    return float((mask & ~grown).sum() / max(1, mask.sum()))


def halo(image: Image, mask: np.ndarray) -> float:
    """Share of the border's pixels that are 25 levels brighter than the mean on either side."""
    grey, solid = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float), mask.astype(np.uint8)
    ring = cv2.dilate(solid, np.ones((3, 3))) != cv2.erode(solid, np.ones((3, 3)))
    inner, outer = cv2.erode(solid, np.ones((9, 9))) * 1.0, 1.0 - cv2.dilate(solid, np.ones((9, 9)))

    def near(side: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(grey * side, (0, 0), 6) / np.maximum(cv2.GaussianBlur(side, (0, 0), 6), 1e-3)

    return float(((grey > np.maximum(near(inner), near(outer)) + 25) & ring).sum() / max(1, ring.sum()))


def measure(points: np.ndarray, image: Image, coverage: Mask, role: str = "mask") -> list[float]:
    """The row of figures for one face, in the order of NAMES."""
    mask = coverage > 127
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))) > 0
    covered = [under(points[a:b], near) for a, b in ((48, 68), (30, 36), (6, 11))]
    eyes = under(points[36:48], mask)
    full = float(
        {
            "mask": min(covered) == 1 and eyes == 0,
            "shield": min(*covered, eyes) == 1,
            "glasses": eyes == 1 and covered[0] == 0,
        }[role]
    )
    return [*covered, eyes, outside(points, mask), full, halo(image, mask), halo(image, coverage > 60)]


@cache
def masker(kind: str, landmarks: str) -> Masker:
    return Masker(MaskerSettings((kind,), crop="none", landmarks=landmarks))


def found(photo: Photo, kind: str, landmarks: str) -> tuple[Image, Mask] | None:
    """The photograph masked by the whole program; None where no face was found."""
    result = masker(kind, landmarks).process([photo.sha256], [photo])[0]
    if isinstance(result, SetAsideError):
        return None
    output = next(one for one in result if isinstance(one, Output))
    return output.image, output.coverage if output.coverage is not None else np.zeros(output.image.shape[:2], np.uint8)


def masked(name: str, photo: Photo, points: np.ndarray, kind: str, find: str | None) -> tuple[Image, Mask] | None:
    if find:
        return found(photo, kind, find)
    worn = analyse_and_apply(photo.image, points, plan_mask(rng_for(0, name, kind)), load_kind(kind))
    return worn.image, worn.coverage


def score(faces: list[Marked], kind: str, find: str | None, save: Path | None) -> str:
    """One kind's line: faces missed, then the means."""
    rows, missed = [], 0
    for name, photo, points in faces:
        result = masked(name, photo, points, kind, find)
        if result is None:
            missed += 1
            continue
        rows.append(measure(points, *result, load_kind(kind).template.role))
        if save:
            for folder, picture in zip(("images", "masks"), result, strict=True):
                (save / kind / folder).mkdir(parents=True, exist_ok=True)
                write_atomic(save / kind / folder / f"{name}.png", encode_image(picture, "png"))
    means = np.sum(rows, axis=0) / len(rows)
    means[5] = np.sum(rows, axis=0)[5] / len(faces)
    return f"{kind:16}{missed:8}" + "".join(f"{value:17.4f}" for value in means)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--found", action="store_true", help="at points that the program finds")
    parser.add_argument("--landmarks", default="dlib", help="with --found, dlib or own")
    parser.add_argument("--save", type=Path, help="keep KIND/images and KIND/masks here")
    parser.add_argument("--kinds", default=",".join(kind_names()), help="all the built-in ones by default")
    options = parser.parse_args()
    marks = sorted(options.faces.glob("*.pts"))
    if not marks:
        parser.error(f"{options.faces} holds no .pts file: FACES_DIR is a folder of NAME.jpg and NAME.pts")
    faces = [(mark.stem, read_photo(mark.with_suffix(".jpg")), np.loadtxt(mark)) for mark in marks]
    print(f"{len(faces)} faces\n{'kind':16}{'missed':>8}" + "".join(f"{name:>17}" for name in NAMES))
    for kind in options.kinds.split(","):
        print(score(faces, kind, options.landmarks if options.found else None, options.save))


if __name__ == "__main__":
    main()
