"""Folds of a cloth that is pulled at its corners and at the nose: a bank of pictures of their slopes.

A fold begins where the cloth is held and runs toward its middle. One of its sides is steep and narrow, the other flat
and wide. Each mask has the folds of one picture.
"""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.cache.kept_files import kept_array
from maskgen.core.records import Doubles
from maskgen.core.seeding import rng_for
from maskgen.masks.kind import LEVEL_GROUND, STEEPNESS

DRAWN = 24  # pictures; as many more are these mirrored
FOLDS = 2, 6  # least and most folds of a picture, the latter excluded
WIDE, HIGH = 3.3, 1.7  # the cloth's size in eye distances, as far as banks of wrinkles and folds know it
COLUMNS = 128  # of a picture
SMALL = 256 * 256  # texels: a resized picture of at most so many is kept in memory, all of them in at most 13 MB
# Where folds begin, in eye distances, and how often; they aim at the middle, with this deviation in radians.
HELD = ((0.10, 0.12), (0.10, 1.58), (WIDE - 0.10, 0.12), (WIDE - 0.10, 1.58), (WIDE / 2, 0.02))
OFTEN, AIM = (0.18, 0.22, 0.18, 0.22, 0.20), 0.35
LONG, BENT = (0.5, 1.3), 0.15  # eye distances; deviation of the curvature
NARROW, BROAD = (0.03, 0.05), (0.12, 0.22)  # widths of the two sides in eye distances
DEEP = 0.012, 0.028  # heights in eye distances
# Shares of a fold's length in which it rises, from which it flattens out, and the width of that.
RISES, FALLS, FADING = 0.15, 0.3, 0.45


def fold_slopes(which: int, columns: int, rows: int) -> NDArray[np.uint8]:
    """Slopes right and down as in an atlas, uint8 (rows, columns, 2), of one of 2 * DRAWN pictures for a cloth of this
    size."""
    return (_small if columns * rows <= SMALL else _resized)(which, columns, rows)


def _resized(which: int, columns: int, rows: int) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if columns < COLUMNS else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(_bank()[which], (columns, rows), interpolation=way), np.uint8)


_small = lru_cache(4 * DRAWN)(_resized)


@cache
def _bank() -> NDArray[np.uint8]:
    """The pictures, uint8 (2 * DRAWN, rows, COLUMNS, 2); texels are as wide as high."""
    return kept_array("folds", "maskgen.masks", _drawn_bank)


def _drawn_bank() -> NDArray[np.uint8]:
    """`_bank`, drawn anew."""
    slopes = np.stack([_slopes_of(_heights(number)) for number in range(DRAWN)])
    slopes = np.concatenate([slopes, slopes[:, :, ::-1] * [-1, 1]])
    return np.clip(np.rint(LEVEL_GROUND + STEEPNESS * slopes), 0, 255).astype(np.uint8)


def _slopes_of(heights: Doubles) -> Doubles:
    down, across = np.gradient(heights, WIDE / COLUMNS)
    return np.stack([across, down], axis=-1)


def _heights(number: int) -> Doubles:
    """Folds of one picture, in eye distances, (rows, COLUMNS)."""
    rng = rng_for(0, "folds", number)
    step = WIDE / COLUMNS
    y, x = (np.mgrid[: round(HIGH / step), :COLUMNS] + 0.5) * step
    heights = np.zeros(x.shape)
    for _ in range(rng.integers(*FOLDS)):
        start = np.array(HELD[rng.choice(len(HELD), p=OFTEN)]) + rng.normal(0, 0.04, 2)
        toward = np.arctan2(HIGH / 2 - start[1], WIDE / 2 - start[0]) + rng.normal(0, AIM)
        heights += rng.uniform(*DEEP) * _fold(rng, x - start[0], y - start[1], toward)
    return heights


def _fold(rng: np.random.Generator, x: Doubles, y: Doubles, toward: float) -> Doubles:
    """One fold of height 1 that begins at (0, 0)."""
    along, off = np.cos(toward) * x + np.sin(toward) * y, np.cos(toward) * y - np.sin(toward) * x
    off = (off + rng.normal(0, BENT) * along * along) * rng.choice([-1, 1])
    across = np.exp(-np.maximum(off, 0) / rng.uniform(*NARROW) + np.minimum(off, 0) / rng.uniform(*BROAD))
    share = along / rng.uniform(*LONG)
    fading = np.exp(-((np.maximum(share - FALLS, 0) / FADING) ** 2))
    return np.asarray(across * np.clip(share / RISES, 0, 1) * fading)
