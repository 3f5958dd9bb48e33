"""What is behind a drawn person: a soft gradient and things out of focus."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.seeding import rng_for
from maskgen.people.scene import Scene


def room(scene: Scene, side: int) -> NDArray[np.float32]:
    """A background of (side, side, 3), 0..255, from the scene's seed."""
    rng = rng_for(scene.background, "room")
    low, high = (rng.uniform(*ends) + rng.normal(0, 14, 3) for ends in ((30, 150), (90, 220)))
    small = 64
    y, x = np.mgrid[0:1 : small * 1j, 0:1 : small * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.clip(0.5 + 0.6 * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)), 0, 1)
    image = (low + (high - low) * along[..., None]).astype(np.float32)
    for _ in range(int(rng.integers(0, 7))):
        colour, at = rng.uniform(30, 220) + rng.normal(0, 25, 3), rng.uniform(0, small, 2)
        half = rng.uniform(3, 16, 2)
        box = np.array([at - half, at + half]).round().astype(int)
        cv2.rectangle(image, tuple(map(int, box[0])), tuple(map(int, box[1])), tuple(map(float, colour)), -1)
    image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(1.0, 3.5)))
    large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(large * np.float32(scene.level), 0, 255)
