"""Wrinkles of a cloth, drawn for each mask: some of a bank, folds, grain, and a crest; slopes as in an atlas."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.cache.kept_files import kept_array
from maskgen.core.kernels.arena import Arena
from maskgen.core.records import Floats
from maskgen.core.seeding import rng_for
from maskgen.masks.kind import LEVEL_GROUND, STEEPNESS, Bytes
from maskgen.masks.world.chances import Chances
from maskgen.masks.world.folds import DRAWN, HIGH, WIDE, fold_slopes

WRINKLES = 80  # number of different wrinkles in the bank
PER_MASK = 12  # wrinkles per mask
DEEPEST = 5.0  # times the depth of a wrinkle of the bank
CELLS = 48  # rows and columns of a wrinkle in the bank
FINE = 16  # steps in which the bank stores a step of the atlas's slopes
BENT = 0.12  # greatest difference from the identity of the wrinkles' map, as a share of its side
_BENDS = (2 * BENT, 2 * BENT, 2 * BENT * CELLS) * 2
_BENT_LEAST = tuple(one - by / 2 for one, by in zip((1, 0, 0, 0, 1, 0), _BENDS, strict=True))
ROUND_CREST = 0.16, 0.05  # half the width of the crest in eye distances, of soft and of stiff cloth
FLAT_HALF = 0.55  # distance, in eye distances, in which a half beside a crest down the middle levels out
LARGER = 1.5  # size of the grain's picture beside the cloth's
FOLDED, DEEPEST_FOLDS = 0.3, 3.0  # depth of folds that each mask has, as a share of their mean, and the most
# Unevenness of threads and fibres: columns of the cloth at which it is drawn, and root mean square slope: in the middle
# of its distribution, the deviation of its logarithm, in the picture, and of any mask at most.
GRAIN_COLUMNS, GRAIN, GRAIN_SPREAD, GRAIN_DRAWN, GRAIN_MOST = 256, 0.10, 0.4, 0.3, 0.2
THREAD = 9  # texels along which the threads of the grain go on
CREST = 0.07  # half the width of a wrinkle's crest, in eye distances: about a cell, or it would break into steps


DEPTHS, OF_SLOPES = 4096, 8192  # steps in which the kernel `cloth` gets depths of wrinkles and factors on slopes
# Of wrinkles, crest, folds and grain in the structure `Cloth` of `kernels/cloth.h`.
WRINKLE_JOB = (
    f"bank which:{PER_MASK}i depths:{PER_MASK // 2}i bent:6f crest crested:f folds grain grain_columns folded grained"
)


class Wrinkles(NamedTuple):
    """The wrinkles of one mask.

    Attributes:
        which: PER_MASK indices into the bank.
        depth: of each, as a multiple of that in the bank, in steps of 1 / DEPTHS, below 1 << 15.
        bent: the affine map (2, 3), row by row, near the identity, from places on the cloth to those in the bank, in
            its cells.
        folds: number of a picture of `folds.fold_slopes`, and their depth as a multiple of that there.
        grain: of threads and fibres, root mean square slope, and where the part of their picture begins, x and y, 0..1.
    """

    which: tuple[int, ...]
    depth: tuple[int, ...]
    bent: tuple[float, ...]
    folds: tuple[int, float]
    grain: tuple[float, float, float]


def draw_wrinkles(chances: Chances, deep: float, grained: float = 1.0) -> Wrinkles:
    """Draw wrinkles with a mean depth that goes with `deep`: few are deep, and some masks are crumpled; folds; and
    grain that goes with `grained`, less on cloth less `deep` than 1."""
    # Single numbers: for so few NumPy takes twice as long.
    drawn, steps = chances.uniforms(2 * PER_MASK + 10).tolist(), (0.5 + chances.exponential()) * deep * DEPTHS
    depth = [-math.log(each) for each in drawn[PER_MASK : 2 * PER_MASK]]
    bent = tuple(
        [least + by * each for least, by, each in zip(_BENT_LEAST, _BENDS, drawn[2 * PER_MASK :], strict=False)]
    )
    x, y, fold, pulled = drawn[-4:]
    folds = int(fold * 2 * DRAWN), min(deep * (FOLDED - (1 - FOLDED) * math.log(pulled)), DEEPEST_FOLDS)
    grain = grained * GRAIN * min(deep, 1.0) * math.exp(GRAIN_SPREAD * chances.normal())
    steep = min(grain, GRAIN_MOST)
    return Wrinkles(
        tuple([int(each * WRINKLES) for each in drawn[:PER_MASK]]),
        tuple([int(min(each**1.5 * steps, DEEPEST * DEPTHS)) for each in depth]),
        bent,
        folds,
        (steep, x, y),
    )


def wrinkle_fields(
    arena: Arena, wrinkles: Wrinkles, crest: float, stiff: bool, woven: bool, size: tuple[int, int]
) -> tuple[Any, ...]:
    """What the kernel `cloth` needs of wrinkles, a crest down the middle, folds and grain, in the order of WRINKLE_JOB.

    Args:
        crest: slope of the two halves that fall away from it, 0 for none.
        stiff: whether the crest is sharp.
        woven: whether the grain is of threads, not of fibres.
        size: columns and rows of the cloth.
    """
    (which, pulled), (steep, x, y) = wrinkles.folds, wrinkles.grain
    picture = _grain(woven, *size)
    rows, columns, each = picture.shape
    # A part of the size of the cloth, that begins at shares x and y of what is left.
    first = int(y * (rows - size[1] + 1)) * columns + int(x * (columns - size[0] + 1))
    return (
        *(arena.kept(_bank()), *wrinkles.which, *_two_and_two(wrinkles.depth)),
        *(*wrinkles.bent, arena.kept(_crest(stiff)), crest),
        *(arena.kept(fold_slopes(which, *size)), arena.kept(picture) + each * first, columns),
        *(round(pulled * OF_SLOPES), round(steep / GRAIN_DRAWN * OF_SLOPES)),
    )


def _two_and_two(depth: tuple[int, ...]) -> list[int]:
    """Two numbers of 16 bits in each of 32."""
    return [first | second << 16 for first, second in zip(depth[::2], depth[1::2], strict=True)]


@lru_cache(12)  # all levels of detail of both sorts, 13 MB
def _grain(woven: bool, columns: int, rows: int) -> Bytes:
    """Slopes of threads or of fibres, right and down, for a cloth of this size and LARGER."""
    drawn, size = _grain_picture(woven), (round(columns * LARGER), round(rows * LARGER))
    smaller = size[0] < drawn.shape[1]
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR))


@cache
def _grain_picture(woven: bool) -> Bytes:
    """White noise in two sizes, as cloth looks uneven from near and far, with a root mean square of GRAIN_DRAWN; of
    woven cloth half of it goes on along the threads."""
    texels = GRAIN_COLUMNS / WIDE
    rows, columns = round(HIGH * texels * LARGER), round(GRAIN_COLUMNS * LARGER)
    rng, slopes = rng_for(0, "grain"), np.zeros((rows, columns, 2), np.float32)
    for coarse, strength in ((1, 1.0), (2, 0.3)):
        noise = rng.standard_normal((rows // coarse, columns // coarse, 2)).astype(np.float32)
        if woven:
            noise = np.dstack([_along(noise[..., 0], (1, THREAD)), _along(noise[..., 1], (THREAD, 1))])
        slopes += strength * cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR)
    slopes *= GRAIN_DRAWN * STEEPNESS / np.sqrt((slopes * slopes).sum(2).mean())
    return np.clip(np.rint(LEVEL_GROUND + slopes), 0, 255).astype(np.uint8)


def _along(noise: Floats, size: tuple[int, int]) -> Floats:
    """Noise, half of whose variance goes on for so many columns and rows."""
    return np.asarray(noise + cv2.blur(noise, size) * np.float32((size[0] * size[1]) ** 0.5))


@cache
def _bank() -> NDArray[np.int8]:
    """`_drawn_bank`, from the cache folder if it was drawn before."""
    return kept_array("wrinkles", "maskgen.masks", _drawn_bank)


def _drawn_bank() -> NDArray[np.int8]:
    """Slopes of single wrinkles to the right and down in steps of 1 / FINE of those of an atlas, (WRINKLES,
    CELLS * CELLS * 2); small enough for the processor's cache.

    A wrinkle is a hundredth of an eye distance high, a crest, as sharp as the cells allow, between two slopes. Half
    run from the ends of the loops, half lie anywhere and in any direction. The second half of the bank mirrors the
    first.
    """
    u, v = np.meshgrid(*[(np.arange(CELLS) + 0.5) / CELLS] * 2)
    out = np.empty((WRINKLES, CELLS, CELLS, 2), np.float32)
    for number in range(WRINKLES // 2):
        rng = rng_for(0, "wrinkle", number)
        x, y = WIDE * u, HIGH * v
        if number % 2:
            from_, toward = rng.uniform([0, 0], [WIDE, HIGH]), rng.uniform(-0.5, 0.5) * np.pi
        else:
            from_ = np.array([0.1, 0.15 if number % 4 else 1.55])
            toward = rng.uniform(0.1, 1.3) * (1 if number % 4 else -1)
        along = (x - from_[0]) * np.cos(toward) + (y - from_[1]) * np.sin(toward)
        off = -(x - from_[0]) * np.sin(toward) + (y - from_[1]) * np.cos(toward)
        off = off + rng.normal() * 0.25 * along * along
        length, width = rng.uniform(0.3, 1.1), np.exp(rng.uniform(np.log(0.025), np.log(0.2)))
        away = np.hypot(off, CREST) - CREST
        height = 0.014 * np.exp(-away / width - (along / length) ** 2) * rng.choice([-1, 1])
        out[number, ..., 0] = np.gradient(height, axis=1) * CELLS / WIDE
        out[number, ..., 1] = np.gradient(height, axis=0) * CELLS / HIGH
    half = WRINKLES // 2
    out[half:] = out[:half, :, ::-1] * [-1, 1]
    return np.clip(np.rint(out.reshape(WRINKLES, -1) * (STEEPNESS * FINE)), -127, 127).astype(np.int8)


@cache
def _crest(stiff: bool) -> Floats:
    """The slope to the right of two halves that fall away from a crest by 1 at most, in the bank's steps: factors of
    its rows, then of its columns, (2, CELLS); the crest is sharp in stiff cloth."""
    away = WIDE * ((np.arange(CELLS) + 0.5) / CELLS - 0.5)
    falls = -np.tanh(away / ROUND_CREST[stiff]) * np.exp(-np.abs(away) / FLAT_HALF)
    falls *= STEEPNESS * FINE / np.abs(falls).max()
    within = np.minimum(1, np.minimum(np.arange(CELLS) + 1, CELLS - np.arange(CELLS)) / 6)
    return np.asarray([within, falls], np.float32)
