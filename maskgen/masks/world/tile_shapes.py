"""Shapes on a seamless square tile, uint8 RGB (SIDE, SIDE, 3), and places for them."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles

SIDE = 128  # of a tile, in pixels
Bytes = NDArray[np.uint8]
Rng = np.random.Generator


def ink_of(colour: Doubles) -> tuple[float, float, float]:
    """A colour as OpenCV expects it."""
    red, green, blue = colour.tolist()
    return red, green, blue


def plain_tile(colour: Doubles) -> Bytes:
    """A tile of one colour."""
    row = np.tile(np.rint(colour).astype(np.uint8), SIDE)  # NumPy fills whole rows several times as fast as pixels
    return np.full((SIDE, len(row)), row).reshape(SIDE, SIDE, 3)


def _around(x: float, y: float, reach: float) -> list[tuple[float, float]]:
    """The places in pixels at which to draw a shape of radius `reach`, so that the tile is seamless."""
    if reach < x < SIDE - reach and reach < y < SIDE - reach:
        return [(x, y)]
    shifts = (-SIDE, 0, SIDE)
    near = [(x + dx, y + dy) for dx in shifts for dy in shifts]
    return [(a, b) for a, b in near if -reach < a < SIDE + reach and -reach < b < SIDE + reach]


def _sixteenths(x: float, y: float) -> tuple[int, int]:
    """A place in sixteenths of a pixel, as OpenCV expects it with a shift of 4."""
    return round(16 * x), round(16 * y)


def draw_disc(tile: Bytes, x: float, y: float, radius: float, ink: tuple[float, float, float]) -> None:
    """Draw a disc about (x, y), in pixels."""
    for a, b in _around(x, y, radius + 1):
        cv2.circle(tile, _sixteenths(a, b), round(16 * radius), ink, -1, cv2.LINE_AA, 4)


def draw_leaf(
    tile: Bytes, x: float, y: float, axes: tuple[float, float], turn: float, ink: tuple[float, float, float]
) -> None:
    """Draw an ellipse about (x, y) with half axes in pixels, turned by radians."""
    for a, b in _around(x, y, max(axes) + 1):
        cv2.ellipse(tile, _sixteenths(a, b), _sixteenths(*axes), math.degrees(turn), 0, 360, ink, -1, cv2.LINE_AA, 4)


def draw_shape(tile: Bytes, x: float, y: float, outline: Doubles, ink: tuple[float, float, float]) -> None:
    """Draw a filled polygon (n, 2), given relative to (x, y) in pixels."""
    for a, b in _around(x, y, float(np.abs(outline).max()) + 1):
        cv2.fillPoly(tile, [np.rint(16 * (outline + (a, b))).astype(np.int32)], ink, cv2.LINE_AA, 4)


def letters(rng: Rng, alphabet: str, count: int) -> str:
    """Random letters; the draws are those of NumPy's `choice`, which takes several times as long."""
    return "".join([alphabet[at] for at in rng.integers(0, len(alphabet), count).tolist()])


def scattered(rng: Rng, count: int) -> list[tuple[float, float]]:
    """Random places over the tile at a distance from each other: best-candidate sampling (Mitchell 1991)."""
    found = np.empty((count, 2))
    found[0] = rng.random(2) * SIDE
    for number, tried in enumerate(rng.random((count - 1, 6, 2)) * SIDE, 1):
        off = np.abs(tried[:, None] - found[:number])
        np.minimum(off, SIDE - off, out=off)
        found[number] = tried[(off * off).sum(2).min(1).argmax()]
    return [(x, y) for x, y in found.tolist()]


def lattice(rows: int) -> list[tuple[float, float]]:
    """Places in rows; every second row is shifted by half a step."""
    step = SIDE / rows
    return [((c + 0.5 * (r % 2) + 0.25) * step, (r + 0.5) * step) for r in range(rows) for c in range(rows)]


def smooth_noise(rng: Rng, waves: int) -> NDArray[np.float32]:
    """Seamless noise (SIDE, SIDE), mean 0, standard deviation 1, with one random value per 1 / `waves` of the side."""
    coarse = rng.normal(size=(waves, waves)).astype(np.float32)
    weights = _cubic(waves)
    # OpenCV's product uses one thread: for so few numbers NumPy's threads cost more than they save.
    part = cv2.gemm(cv2.gemm(weights, coarse, 1, None, 0), weights, 1, None, 0, flags=cv2.GEMM_2_T)
    mean, spread = cv2.meanStdDev(part)
    return np.asarray((part - np.float32(mean[0, 0])) / np.float32(max(spread[0, 0], 1e-6)))


@lru_cache(64)
def _cubic(count: int) -> NDArray[np.float32]:
    """Weights (SIDE, count) of cubic interpolation between `count` values on a ring."""
    at = (np.arange(SIDE) + 0.5) * count / SIDE - 0.5
    weights = np.zeros((SIDE, count))
    for near in range(-1, 3):
        away = np.abs(at - np.floor(at) - near)
        inner, outer = 1.25 * away**3 - 2.25 * away**2 + 1, -0.75 * (away**3 - 5 * away**2 + 8 * away - 4)
        np.add.at(
            weights, (np.arange(SIDE), (np.floor(at).astype(int) + near) % count), np.where(away < 1, inner, outer)
        )
    return weights.astype(np.float32)
