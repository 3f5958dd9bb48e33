"""A sheet for the eye: real masks and drawn ones in any order, and which is which in a file beside it.

    python benchmarks/blind_sheet.py REAL_DIR OUT_DIR [--kinds world] [--size 160] [--seed 0] [--hide]

REAL_DIR holds SET/masked and SET/bare, as for `mask_detector.py`. Half of the crops are faces in real masks, half are
bare faces of the same sets in masks of `--kinds`. Both are found and cut by the detector in the finished picture, so
that nothing but the mask tells them apart; faces that the photograph cuts off are left out. Writes
OUT_DIR/sheet_SIZE.png, whose crops are numbered row by row from 1, and OUT_DIR/key_SIZE.csv. To judge: say of every
number whether the mask is real, before the key is opened; a guess is right
half the time.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings
from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Doubles, Image
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.upright_crop import (
    align_upright_by_five,
    face_right,
    frontal_eye_distance,
    share_inside_picture,
)

EACH, COLUMNS = 30, 10
INSIDE = 0.95  # share of the face's square that is in the photograph
# What `--hide` leaves: all above the brows, and the upper halves of the eyes. In distances between the eyes, from the
# point between them: up, down and to the sides.
BROWS, LIDS, CORNERS = 0.35, 0.0, 0.8
SMALLEST = 60.0  # pixels of a face's box, so that no crop is enlarged much


def crop(image: Image, detector: MtcnnDetector, size: int, hide: bool) -> Image | None:
    """The surest face of a picture, cut as the detector finds it; None where it finds none that is large enough."""
    found = detector.detect([image])[0]
    if not found or found[0].box[2] - found[0].box[0] < SMALLEST:
        return None
    if share_inside_picture(found[0].points5, image.shape[:2]) < INSIDE:
        return None
    cut = align_upright_by_five(image, found[0].points5, size)
    if not hide:
        return cut.image
    return without_mask(cut.image, found[0].points5 @ cut.matrix[:, :2].T + cut.matrix[:, 2])


def without_mask(face: Image, points5: Doubles) -> Image:
    """The crop, grey but for the eyes and what is above the brows, for five points (5, 2) of its pixels: neither a mask
    nor its straps are in what is left."""
    right = face_right(points5)
    away = np.indices(face.shape[:2])[::-1].transpose(1, 2, 0) - points5[:2].mean(0)
    across, below = (away @ axis / frontal_eye_distance(points5) for axis in (right, [-right[1], right[0]]))
    seen = (below < -BROWS) | ((below < LIDS) & (np.abs(across) < CORNERS))
    return np.where(seen[..., None], face, np.uint8(128))


def crops(
    photographs: list[Path], masker: Masker | None, detector: MtcnnDetector, size: int, hide: bool
) -> list[Image]:
    """EACH crops of the photographs, in masks of the masker's where there is one."""
    done: list[Image] = []
    for path in photographs:
        photo = read_photo(path)
        image = photo.image
        if masker is not None:
            (worn,) = masker.process([photo.sha256], [photo])
            if isinstance(worn, SetAsideError) or isinstance(worn[0], SetAsideError):
                continue
            image = worn[0].image
        face = crop(image, detector, size, hide)
        done += [] if face is None else [face]
        if len(done) == EACH:
            break
    return done


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kinds", default="world", help="as of maskgen mask")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hide", action="store_true", help="hide the masks, to see what the photographs tell")
    asked = parser.parse_args()
    detector = MtcnnDetector()
    masker = Masker(MaskerSettings(tuple(asked.kinds.split(",")), crop="none", seed=asked.seed), detector)
    rng = rng_for(asked.seed, "blind sheet")
    sides = {}
    for name, who in (("masked", None), ("bare", masker)):
        found = sorted(path for path in asked.real.glob(f"*/{name}/*") if path.is_file())
        sides[name] = crops([found[at] for at in rng.permutation(len(found))], who, detector, asked.size, asked.hide)
    every = [(face, name) for name, faces in sides.items() for face in faces]
    every = [every[at] for at in rng.permutation(len(every))]
    tiles = []
    for number, (face, _) in enumerate(every, 1):
        tile = np.full((asked.size + 16, asked.size, 3), 255, np.uint8)
        tile[: asked.size] = face
        cv2.putText(tile, str(number), (3, asked.size + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)]
    asked.out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(asked.out / f"sheet_{asked.size}.png"), np.vstack(rows)[..., ::-1])
    with (asked.out / f"key_{asked.size}.csv").open("w", newline="", encoding="utf-8") as file:
        said = {"masked": "real", "bare": "drawn"}
        rows_of_key = [(number, said[name]) for number, (_, name) in enumerate(every, 1)]
        csv.writer(file).writerows([("number", "mask"), *rows_of_key])
    print(f"{len(sides['masked'])} real and {len(sides['bare'])} drawn masks: {asked.out / f'sheet_{asked.size}.png'}")
