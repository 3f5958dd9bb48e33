"""Redraw the golden pictures, one file a kind, three poses each: look at every one before it goes into a commit.

python tests/masks/draw_golden.py [KIND ...]      # all of them where none is named
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import encode_image
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.plan import plan_mask
from maskgen.people import Portrait, Scene, draw_person, draw_portrait

GOLDEN = Path(__file__).parent / "golden"
POSES = ((0.0, 0.0, 0.0), (-32.0, 8.0, 6.0), (55.0, -8.0, -4.0))
SIDE = 176


def portraits() -> list[Portrait]:
    """Three drawn people, one in each pose."""
    return [
        draw_portrait(draw_person(rng_for(40, at)), Scene(*pose, scale=44.0, centre=(88.0, 92.0), size=(SIDE, SIDE)))
        for at, pose in enumerate(POSES)
    ]


def golden(kind: str, people: list[Portrait]) -> Image:
    """One kind's picture: as drawn, the last in its last look."""
    tiles = []
    for at, portrait in enumerate(people):
        plan = replace(plan_mask(rng_for(41, kind, at)), look=0.999 if at == 2 else 0.0)
        tiles.append(analyse_and_apply(portrait.image, portrait.points68, plan, load_kind(kind)).image)
    return np.hstack(tiles)


def unlike(one: Image, two: Image) -> float:
    """How far two pictures differ once both are a little soft, so that the last bits of another machine do not count:
    the 99.9th percentile of the difference, in grey levels."""
    soft = [cv2.GaussianBlur(image, (0, 0), 1).astype(float) for image in (one, two)]
    return float(np.quantile(np.abs(soft[0] - soft[1]), 0.999))


if __name__ == "__main__":
    drawn = portraits()
    for name in sys.argv[1:] or kind_names():
        write_atomic(GOLDEN / f"{name}.png", encode_image(golden(name, drawn), "png"))
