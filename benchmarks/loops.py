"""Do ear loops and head straps stand in the air beside the head, and are they in pieces?

    python benchmarks/loops.py [FACES_DIR] [--people 24] [--photographs 250] [--kinds NAME,NAME]

Masks are put on drawn people, at landmarks that the program finds, and on photographs of FACES_DIR where it is given;
each has one of the kinds in turn. What is background is known of drawn people: the picture is drawn twice, before two
backgrounds. Prints one line for each yaw of the drawn people, and one for the photographs:

    straps      mean area of ear loops and head straps on a mask, in thousandths of a squared eye distance
    in the air  share of that area that is more than a pixel beside the person
    stand off   share of masks with AIR pixels or more of it
    in pieces   share of masks with a piece of strap, of PIECE pixels or more, that is more than three
                pixels from the cloth and from its other pieces
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import Photo, encode_image, photo_of, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image, Mask
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_face, apply_mask
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import PARTS
from maskgen.people import Scene, draw_person, draw_portrait

YAWS = (0.0, 8.0, 15.0, 25.0, 40.0)
KINDS = "surgical_blue,kn95,n95,cloth_black,kf94_white"
AIR, PIECE = 6, 6  # pixels

Face = tuple[str, Image, np.ndarray, Mask | None]  # name, picture, 68 points, 1 where the background is


def drawn_people(count: int, yaw: float) -> Iterator[tuple[str, Photo, Mask]]:
    """Pictures of people who look to the left and to the right in turn, and their backgrounds."""
    for at in range(count):
        person = draw_person(rng_for(0, "loops", at))
        scene = Scene(yaw=yaw * (-1) ** at, pitch=float(rng_for(0, "loops", at, str(yaw)).uniform(-12, 8)))
        sharp = [draw_portrait(person, replace(scene, blur=0, noise=0, pattern=each)).image for each in (1, 2)]
        differs = (cv2.absdiff(*sharp).max(axis=2) > 0).astype(np.uint8)
        photo = photo_of(encode_image(draw_portrait(person, scene).image, "png"))
        yield f"{at} {yaw}", photo, cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((3, 3)))


def found(masker: Masker, name: str, photo: Photo, background: Mask | None) -> Iterator[Face]:
    """The face as the program finds it; nothing where it finds none."""
    (result,) = masker.process([photo.sha256], [photo])
    for one in result if isinstance(result, list) else []:
        if isinstance(one, Output):
            yield name, one.image, np.array(one.row["points68"], np.float32).reshape(-1, 2), background
            return


def pieces_apart(straps: Mask, cloth: Mask) -> bool:
    """Whether a piece of a strap does not touch the cloth."""
    near = cv2.dilate(cloth, np.ones((7, 7)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(straps, connectivity=8)
    held = np.unique(labels[near > 0])
    return any(at not in held and stats[at, cv2.CC_STAT_AREA] >= PIECE for at in range(1, count))


def measure(face: Face, kind: str) -> tuple[float, float, bool, bool] | None:
    """Area of the straps, and of those in the air, in eye distances; whether they stand off; whether in pieces. None
    where the face cannot wear the mask."""
    name, image, points, background = face
    try:
        analysed = analyse_face(image, points)
        worn = apply_mask(image, analysed, plan_mask(rng_for(0, name, kind)), load_kind(kind), parts=True)
    except SetAsideError:
        return None
    assert worn.parts is not None
    straps = (worn.parts == PARTS["strap"]).astype(np.uint8)
    cloth = ((worn.parts > 0) & (straps == 0)).astype(np.uint8)
    air = 0 if background is None else int((cv2.erode(background, np.ones((3, 3))) & straps).sum())
    area = analysed.camera.scale**2
    return straps.sum() / area, air / area, air >= AIR, pieces_apart(straps, cloth)


def report(title: str, faces: Iterator[Face], kinds: list[str]) -> None:
    rows = [row for at, face in enumerate(faces) if (row := measure(face, kinds[at % len(kinds)])) is not None]
    straps, air, off, pieces = np.mean(rows, axis=0)
    print(
        f"{title:16}{len(rows):8}{1000 * straps:12.2f}{air / max(straps, 1e-9):12.4f}{off:12.3f}{pieces:12.3f}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--photographs", type=int, default=250)
    parser.add_argument("--kinds", default=KINDS)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    masker, names = Masker(MaskerSettings(crop="none", unmasked_share=1.0)), asked.kinds.split(",")
    print(f"{'':16}{'masks':>8}{'straps':>12}{'in the air':>12}{'stand off':>12}{'in pieces':>12}")
    for yaw in YAWS:
        people = (each for one in drawn_people(asked.people, yaw) for each in found(masker, *one))
        report(f"drawn, yaw {yaw:g}", people, names)
    if asked.faces:
        every = sorted(path for path in asked.faces.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".jpeg"))
        some = every[:: max(1, len(every) // asked.photographs)]
        photographs = (each for path in some for each in found(masker, path.name, read_photo(path), None))
        report("photographs", photographs, names)
