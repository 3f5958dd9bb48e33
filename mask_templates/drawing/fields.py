"""What drawings of textures are made from: coordinates over the cloth, ridges, steps, noise, rows of stitches."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 1024
Field = NDArray[np.float64]
V, U = np.meshgrid((np.arange(SIDE) + 0.5) / SIDE, (np.arange(SIDE) + 0.5) / SIDE, indexing="ij")
ASPECT = 1.25  # how much longer the cloth is across than down
ACROSS = np.abs(2 * U - 1)  # 0 in the middle, 1 at the sides
# Threads, or embossed points, across the cloth. A power of two: the coarser levels of a texture are means over 2, 4, 8
# pixels, in which other periods beat with the pixels and leave rings.
THREADS = 256
VALVE, WINDOW, SHIELD, GLASSES = 3, 4, 5, 6


@dataclass(frozen=True)
class Drawn:
    """One look, every field (SIDE, SIDE).

    `shade` is about 1, `height` -1..1, `material` and `clear` 0..1; `own` (SIDE, SIDE, 3), 0..1 RGB, is the colour of
    what is clear, which no dye changes.
    """

    shade: Field
    height: Field
    material: Field | None = None
    clear: Field | None = None
    own: Field | None = None
    parts: NDArray[np.uint8] | None = None


def bump(x: Field, at: float, width: float) -> Field:
    """A soft ridge of height 1 along x = at."""
    return np.asarray(np.exp(-(((x - at) / width) ** 2)))


def step(x: Field, at: float, width: float) -> Field:
    """0 before `at`, 1 after it."""
    return np.asarray(1 / (1 + np.exp(np.clip(-(x - at) / width * 4, -50, 50))))


def noise(seed: int, coarse: float, fine: float = 0.0) -> Field:
    """Smooth noise of unit deviation; `coarse` and `fine` are blurs in pixels."""
    field = np.random.default_rng(seed).normal(size=(SIDE, SIDE))
    field = cv2.GaussianBlur(field, (0, 0), coarse)
    if fine:
        field -= cv2.GaussianBlur(field, (0, 0), fine)
    return np.asarray((field - field.mean()) / field.std())


def dashes(along: Field, across: Field, at: float, pitch: float, length: float, width: float) -> Field:
    """Stitches or welds in a row: 1 on each, along one coordinate and at one place of the other."""
    phase = (along / pitch) % 1.0
    on = step(phase, (1 - length) / 2, 0.2) * (1 - step(phase, (1 + length) / 2, 0.2))
    return np.asarray(on * bump(across, at, width))
