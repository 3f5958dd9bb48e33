"""Wrinkles of a cloth, drawn for each mask: some of a bank's, and a crest down the middle; slopes as in an atlas."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
from maskgen.core.seeding import rng_for
from maskgen.masks.kind import LEVEL_GROUND, STEEPNESS, Bytes
from maskgen.masks.world.chances import Chances

WRINKLES = 80  # number of different wrinkles in the bank
PER_MASK = 12  # wrinkles per mask
DEEPEST = 5.0  # times the depth of a wrinkle of the bank
CELLS = 64  # rows and columns of a wrinkle in the bank
WIDE, HIGH = 3.3, 1.7  # the cloth's size in eye distances, as far as the bank knows it
FINE = 16  # steps in which the bank stores a step of the atlas's slopes
BENT = 0.12  # greatest difference from the identity of the wrinkles' map, as a share of its side
_BENDS = 2 * BENT * np.array([1.0, 1.0, CELLS])
_BENT_LEAST = np.eye(2, 3) - _BENDS / 2
ROUND_CREST = 0.09, 0.02  # half the width of the crest in eye distances, of soft and of stiff cloth
FLAT_HALF = 0.55  # distance, in eye distances, in which a half beside a crest down the middle levels out
CREST = 0.05  # half the width of a wrinkle's crest, in eye distances: about a cell, or it would break into steps


class Wrinkles(NamedTuple):
    """The wrinkles of one mask.

    Attributes:
        which: indices into the bank, (PER_MASK,).
        depth: of each, float32 (PER_MASK,), as a multiple of that in the bank.
        bent: (2, 3), the affine map, near the identity, from places on the cloth to those in the bank, in its cells.
    """

    which: NDArray[np.intp]
    depth: Floats
    bent: Doubles


def draw_wrinkles(chances: Chances, deep: float) -> Wrinkles:
    """Draw wrinkles with a mean depth that goes with `deep`: few are deep, and some masks are crumpled."""
    drawn, crumpled = chances.uniforms(2 * PER_MASK), 0.5 + chances.exponential()
    depth = crumpled * (-np.log(drawn[PER_MASK:])) ** 1.5 * deep
    bent = _BENT_LEAST + _BENDS * chances.uniforms(6).reshape(2, 3)
    which = (drawn[:PER_MASK] * WRINKLES).astype(np.intp)
    return Wrinkles(which, np.minimum(depth, DEEPEST).astype(np.float32), bent)


def wrinkle_slopes(wrinkles: Wrinkles, crest: float, stiff: bool, size: tuple[int, ...]) -> Bytes:
    """Slopes across and down, uint8 (rows, columns, 2), of wrinkles and of a crest down the middle.

    Args:
        crest: slope of the two halves that fall away from it, 0 for none.
        stiff: whether the crest is sharp.
        size: columns and rows.
    """
    total = (wrinkles.depth @ _bank()[wrinkles.which].astype(np.float32)).reshape(CELLS, CELLS, 2)
    total = cv2.warpAffine(total, wrinkles.bent, (CELLS, CELLS), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    if crest:
        total[..., 0] += np.float32(crest) * _crest(stiff)
    small = cv2.convertScaleAbs(total, alpha=1 / FINE, beta=LEVEL_GROUND)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR))


@cache
def _bank() -> NDArray[np.int8]:
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
    """The slope to the right of two halves that fall away from a crest by 1, in the bank's steps, (CELLS, CELLS); the
    crest is sharp in stiff cloth."""
    away = WIDE * ((np.arange(CELLS) + 0.5) / CELLS - 0.5)
    falls = -np.tanh(away / ROUND_CREST[stiff]) * np.exp(-np.abs(away) / FLAT_HALF)
    within = np.minimum(1, np.minimum(np.arange(CELLS) + 1, CELLS - np.arange(CELLS)) / 6)
    return np.asarray(within[:, None] * falls * (STEEPNESS * FINE), np.float32)
