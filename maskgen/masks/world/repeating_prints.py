"""Random prints that repeat over the cloth, by family (`tile_families`).

A print is a seamless square tile, uint8 RGB (SIDE, SIDE, 3), with its width on the cloth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from maskgen.core.records import Doubles
from maskgen.core.seeding import rng_for
from maskgen.masks.world.tile_families import STRAIGHT, TILES
from maskgen.masks.world.tile_shapes import Bytes, Rng

SMALLEST = 8  # least side of a tile that is laid on cloth
STENCILS = 40  # different drawings per family


@dataclass(frozen=True, slots=True)
class Print:
    """A print on a cloth.

    Attributes:
        drawing: uint8 (side, side, 3), repeated over all of the cloth, or (side, side, 4) with opacity, shown once; the
            side is a power of 2.
        size: its width in eye distances.
        angle: its rotation in radians.
        at: the place of its centre on the flat cloth in eye distances, see `flat_cloth`.
        mix: (3, 4), from the drawing to its colours; None if it is in its colours.
    """

    drawing: Bytes
    size: float
    angle: float = 0.0
    at: tuple[float, float] = (0.0, 0.0)
    mix: Doubles | None = None

    @property
    def picture(self) -> Bytes:
        """The print in its colours, (h, w, 3) or (h, w, 4)."""
        return self.drawing if self.mix is None else np.asarray(cv2.transform(self.drawing, self.mix), np.uint8)

    def halved(self, times: int) -> Bytes:
        """The drawing with its sides halved so many times, but no smaller than SMALLEST."""
        drawn = self.drawing
        while times > 0 and len(drawn) > SMALLEST:
            drawn, times = cv2.resize(drawn, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), times - 1
        return drawn


def draw_tile(family: str, rng: Rng, ground: Doubles, inks: list[Doubles]) -> Print:
    """A random print of a family of TILES in given inks on a ground, all RGB 0..255.

    Raises:
        KeyError: there is no such family.
    """
    _, least, most = TILES[family]
    size = float(np.exp(rng.uniform(math.log(least), math.log(most))))
    angle = rng.normal() * 0.06 if family in STRAIGHT else (0.0, math.pi / 2, rng.random() * math.tau)[rng.integers(3)]
    at = rng.uniform(-0.5, 0.5, 2) * size
    mix = np.empty((3, 4))
    for ink in range(3):
        mix[:, ink] = (inks[ink % len(inks)] - ground) / 255
    mix[:, 3] = ground
    stencil = _stencil(family, int(rng.integers(STENCILS)))
    return Print(stencil, size, float(angle), (float(at[0]), float(at[1])), mix)


@cache
def _stencil(family: str, number: int) -> Bytes:
    """A tile in which red, green and blue are the shares of the three inks and black is the ground.

    Drawn once per process, because drawing takes ten times as long as mixing the inks of one mask.
    """
    draw, _, _ = TILES[family]
    return draw(rng_for(number, "stencil", family), np.zeros(3), list(255 * np.eye(3)))
