"""The background behind a rendered person: a soft gradient, lights out of focus, or a faint room."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Floats, floats
from maskgen.core.seeding import rng_for

from .scene import Scene

SMALL = 125  # side in pixels of the drawn background, which is then enlarged: it is out of focus


def draw_background(scene: Scene, height: int, width: int) -> Floats:
    """A background, float32 (height, width, 3), 0..255, from the scene's pattern."""
    rng = rng_for(scene.pattern, "room")
    image = _gradient(rng)
    if scene.background == "blobs":
        _blobs(image, rng)
    elif scene.background == "room":
        _furniture(image, rng)
    soft = cv2.GaussianBlur(np.clip(image, 0, 255), (0, 0), float(rng.uniform(2.5, 5.0)))
    seen = np.clip(soft * np.float32(scene.level**0.45) * floats(scene.cast), 0, 255)
    side = max(height, width)
    return np.asarray(cv2.resize(seen, (side, side), interpolation=cv2.INTER_LINEAR)[:height, :width], np.float32)


def _tint(rng: np.random.Generator, low: float, high: float, spread: float = 14.0) -> np.ndarray:
    """A slightly coloured grey between two levels, (3,)."""
    return rng.uniform(low, high) + rng.normal(0, spread, 3)


def _gradient(rng: np.random.Generator) -> Floats:
    dark, light = _tint(rng, 30, 140), _tint(rng, 110, 220)
    y, x = np.mgrid[-0.5 : 0.5 : SMALL * 1j, -0.5 : 0.5 : SMALL * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.clip(0.5 + 0.7 * (x * np.cos(angle) + y * np.sin(angle)), 0, 1)[..., None]
    return np.asarray(dark + (light - dark) * along, np.float32)


def _blobs(image: Floats, rng: np.random.Generator) -> None:
    y, x = np.mgrid[0:SMALL, 0:SMALL]
    for _ in range(int(rng.integers(5, 14))):
        at, radius, colour = rng.uniform(0, SMALL, 2), rng.uniform(5, 22), _tint(rng, 40, 235, 26)
        share = 0.75 * np.clip((radius - np.hypot(x - at[0], y - at[1])) / 3 + 0.5, 0, 1)[..., None]
        image += ((colour - image) * share).astype(np.float32)


def _furniture(image: Floats, rng: np.random.Generator) -> None:
    """Flat rectangles on a wall, for windows, doors, shelves or pictures."""
    wall = _tint(rng, 90, 215)
    image[:] = image * 0.35 + (wall * 0.65).astype(np.float32)
    for _ in range(int(rng.integers(2, 7))):
        x, y = rng.uniform(-14, SMALL, 2)
        wide, high = rng.uniform(12, 52, 2)
        colour, frame = _tint(rng, 30, 225, 20), wall * rng.uniform(0.6, 1.1)
        corners = (round(x), round(y)), (round(x + wide), round(y + high))
        cv2.rectangle(image, *corners, tuple(map(float, colour)), -1)
        cv2.rectangle(image, *corners, tuple(map(float, frame)), 3)
