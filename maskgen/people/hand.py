"""Fingers of a hand in front of the lower face: rounded rods in the person's skin colour, side by side."""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Doubles, Floats, floats
from maskgen.core.seeding import rng_for

from .person import Person
from .render_target import RenderTarget
from .scene import Scene

FINGERS = 4
RADIUS = 0.13  # of a finger, in eye distances
LONG = 1.5  # length of a finger in eye distances


def draw_hand(image: Floats, person: Person, scene: Scene, stage: RenderTarget) -> None:
    """Draw fingers into a picture (h, w, 3), in place: they reach from below one side of the chin toward the mouth."""
    rng, scale = rng_for(scene.pattern, "hand"), stage.camera.scale
    side = float(rng.choice([-1.0, 1.0]))
    tip = stage.camera.project(np.array([[side * rng.uniform(0.2, 0.6), rng.uniform(0.1, 0.5), 0.3]]))[0, :2]
    along = np.array([side * rng.uniform(0.3, 0.9), 1.0])
    along /= np.linalg.norm(along)
    across = np.array([along[1], -along[0]]) * side
    for finger in range(FINGERS):
        start = tip + scale * (2.05 * RADIUS * finger * across + rng.uniform(0, 0.15) * along)
        _rod(image, start, start + LONG * scale * along, RADIUS * scale, person.skin * floats(scene.cast) * scene.level)


def _rod(image: Floats, start: Doubles, end: Doubles, radius: float, colour: Doubles) -> None:
    """A rod with round ends, darker toward its edges."""
    low = np.maximum(np.floor(np.minimum(start, end) - radius - 1), 0).astype(int)
    high = np.minimum(np.ceil(np.maximum(start, end) + radius + 2), image.shape[1::-1]).astype(int)
    if (high <= low).any():
        return
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    line = end - start
    share = np.clip(((x - start[0]) * line[0] + (y - start[1]) * line[1]) / (line @ line), 0, 1)
    away = np.hypot(x - start[0] - share * line[0], y - start[1] - share * line[1])
    round_ = np.sqrt(np.clip(1 - (away / radius) ** 2, 0, 1))
    cover = np.clip(radius - away + 0.5, 0, 1)[..., None].astype(np.float32)
    shown = (colour * (0.45 + 0.55 * round_[..., None])).astype(np.float32)
    part = image[low[1] : high[1], low[0] : high[0]]
    part += (shown - part) * cover
