"""Draw what the landmark network of our own learns from, see `benchmarks/own_landmarks_fit.py`: drawn people only.

    python benchmarks/own_landmarks.py --draw DRAWN --first 0 --pictures 8000

Writes parts of 240 pictures as DRAWN/NUMBER.npz and skips those that are there: crops of drawn people
(`maskgen.people.varied`), an eighth of them in drawn masks, their 68 points, which of these are seen, their pose, and
the five points that the detector finds in half of them. A part is the same whatever was drawn before.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.plan import plan_mask
from maskgen.people.portrait import Portrait
from maskgen.people.varied.draw import varied_person, varied_scene
from maskgen.people.varied.layered import Layers, paint_layered

SIZE = 140  # pixels of a drawn picture
PART = 240  # pictures of a part
EACH = 4  # pictures of a person, with one expression
MASKED = 0.12
SEARCHED = 0.25  # share of the pictures in which the detector searches
COLUMNS = ("images", "shares", "normals", "points68", "outline", "seen", "poses", "points5")
NOT_FOUND = np.full((5, 2), np.nan, np.float32)


def masked(portrait: Portrait, rng: np.random.Generator) -> Image:
    """The picture, or one with a mask on where one fits."""
    if rng.random() >= MASKED:
        return portrait.image
    kind = load_kind(str(rng.choice(kind_names())))
    try:
        return analyse_and_apply(portrait.image, portrait.points68, plan_mask(rng), kind).image
    except SetAsideError:
        return portrait.image


def found_in(image: Image, portrait: Portrait, detector: MtcnnDetector) -> np.ndarray:
    """The detector's five points of the drawn face, NaN where it finds none."""
    middle = portrait.points68.mean(0)
    faces = [one for one in detector.detect([image])[0] if np.linalg.norm(one.points5.mean(0) - middle) < 0.2 * SIZE]
    return faces[0].points5 if faces else NOT_FOUND


def portraits(people: range) -> Iterator[tuple[Portrait, Layers, np.random.Generator]]:
    """All pictures of some people, each with a generator for what is done to it."""
    for number in people:
        rng = rng_for(0, "own landmarks", number)
        person = varied_person(rng)
        for portrait, layers in paint_layered(person, [varied_scene(rng, SIZE) for _ in range(EACH)]):
            yield portrait, layers, rng


def draw_part(number: int, folder: Path, detector: MtcnnDetector) -> None:
    """Draw one part."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    for portrait, layers, rng in portraits(range(number * PART // EACH, (number + 1) * PART // EACH)):
        image, pose = masked(portrait, rng), portrait.pose
        five = found_in(image, portrait, detector) if rng.random() < SEARCHED else NOT_FOUND
        angles = np.float32([pose.yaw, pose.pitch, pose.roll, pose.scale])
        row = (
            image,
            layers.shares,
            layers.normals,
            portrait.points68,
            layers.outline,
            portrait.visible68,
            angles,
            five,
        )
        for name, value in zip(COLUMNS, row, strict=True):
            columns[name].append(value)
    np.savez(folder / f"part{number}.npz", **{name: np.stack(values) for name, values in columns.items()})
    (folder / f"part{number}.npz").rename(folder / f"{number}.npz")


def draw(folder: Path, first: int, pictures: int) -> None:
    """Draw what is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    detector = MtcnnDetector()
    for number in range(first // PART, (first + pictures) // PART):
        if not (folder / f"{number}.npz").exists():
            draw_part(number, folder, detector)
            print(f"part {number}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--pictures", type=int, default=8000)
    options = parser.parse_args()
    if options.draw:
        draw(options.draw, options.first, options.pictures)


if __name__ == "__main__":
    main()
