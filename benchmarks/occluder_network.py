"""Draw what the network of occluders learns from, see `benchmarks/occluder_network_fit.py`: drawn people only.

    python benchmarks/occluder_network.py DRAWN --first 0 --people 1200

Writes parts of PART people as DRAWN/NUMBER.npz and skips those that are there: pictures of drawn people, the shares of
skin, clothes, hair and rims of glasses in each pixel, the surface's normals, and the 68 points. A part is the same
whatever was drawn before.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.seeding import rng_for
from maskgen.people.face_shape import build_face_shape
from maskgen.people.glasses import draw_glasses
from maskgen.people.hair import hair_of
from maskgen.people.person import GLASSES, Person, draw_person
from maskgen.people.portrait import Ready, finished, lay_in_front, prepared
from maskgen.people.scene import Scene, draw_scene
from maskgen.people.shading import Textures
from maskgen.people.varied.draw import varied_person, varied_scene
from maskgen.people.varied.layered import layers_of

SIZE = 176  # pixels of a drawn picture, 4.4 eye distances
PART = 60  # people of a part
EACH = 2  # pictures of a person, with one expression
WIDEST = 55.0  # degrees of yaw
LOOSE = 0.3  # share of people whose hair hangs on their cheeks
COLUMNS = ("images", "shares", "normals", "points68")


def drawn_scene(rng: np.random.Generator) -> Scene:
    """The circumstances of a picture, as in photographs or farther from them."""
    scene = varied_scene(rng, SIZE) if rng.random() < 0.6 else draw_scene(rng, SIZE, WIDEST)
    scale = SIZE / 4.4 * float(rng.uniform(0.9, 1.1))
    middle = (SIZE / 2 + float(rng.normal(0, 2)), SIZE * 0.46 + float(rng.normal(0, 2)))
    yaw = float(np.clip(scene.yaw, -WIDEST, WIDEST)) * float(rng.uniform(0.3, 1.0))
    return replace(scene, scale=scale, centre=middle, yaw=yaw, hand=False)


def drawn_person(rng: np.random.Generator) -> Person:
    """A person, as in photographs or farther from them."""
    person = varied_person(rng) if rng.random() < 0.6 else draw_person(rng)
    style = "loose" if rng.random() < LOOSE else person.style
    return replace(person, style=style, glasses=str(rng.choice(GLASSES)))


def rims_of(person: Person, ready: Ready) -> np.ndarray:
    """Draws glasses into the picture, in place, and gives the share of each pixel that they hide, (h, w)."""
    black, white = (np.full_like(ready.image, level) for level in (0, 255))
    if person.glasses != "none":
        for image in (ready.image, black, white):
            draw_glasses(image, person.glasses, ready.form.points68, ready.stage.camera, ready.drawing)
    return 1 - (white - black)[..., 1] / np.float32(255)


def rows(people: range) -> Iterator[tuple[np.ndarray, ...]]:
    """The columns of each picture of some people."""
    for number in people:
        rng = rng_for(0, "occluders", number)
        person, scenes = drawn_person(rng), [drawn_scene(rng) for _ in range(EACH)]
        form, hair = build_face_shape(person, scenes[0].expression, scenes[0].scale), hair_of(person)
        pictures = Textures.of(person, form, hair, scenes[0])
        for scene in scenes:
            ready = prepared(person, scene, form, hair, pictures)
            rims = cv2.resize(rims_of(person, ready), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
            lay_in_front((ready.image,), replace(person, glasses="none"), scene, ready)
            portrait = finished(scene, ready)
            layers = layers_of(portrait, scene, ready, pictures)
            seen = np.rint(rims * (255.0 - layers.shares[..., 2])).astype(np.uint8)
            yield portrait.image, np.dstack([layers.shares, seen]), layers.normals, portrait.points68


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--people", type=int, default=1200)
    asked = parser.parse_args()
    asked.drawn.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for number in range(asked.first // PART, (asked.first + asked.people) // PART):
        path = asked.drawn / f"{number}.npz"
        if not path.exists():
            columns = zip(*rows(range(number * PART, (number + 1) * PART)), strict=True)
            held = dict(zip(COLUMNS, map(np.stack, columns), strict=True))
            np.savez(asked.drawn / f"part{number}.npz", **held)
            (asked.drawn / f"part{number}.npz").rename(path)
            print(f"part {number}", flush=True)


if __name__ == "__main__":
    main()
