"""How one picture of a person is taken: where the head looks, the light, the camera, the room."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from maskgen.core.records import Doubles


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture's circumstances.

    Attributes:
        yaw, pitch, roll: degrees, as in `core.records`.
        scale: pixels per distance between the eyes.
        centre: where the head's middle is, (x, y) in pixels.
        light: direction the light comes from, (3,), camera axes, x right, y down, z to the viewer.
        ambient: share of the light that comes from everywhere.
        level: exposure, 1 for a well lit picture.
        cast: colour of the light, (3,) about 1.
        mouth: 0 closed to 1 wide open; smile: -0.3 to 1.
        blur: deviation in pixels; noise: deviation in grey levels.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    size: int = 250
    scale: float = 47.0
    centre: tuple[float, float] = (125.0, 132.0)
    light: Doubles = field(default_factory=lambda: np.array([0.2, -0.5, 0.85]))
    ambient: float = 0.5
    level: float = 1.0
    cast: Doubles = field(default_factory=lambda: np.ones(3))
    mouth: float = 0.0
    smile: float = 0.0
    blur: float = 0.5
    noise: float = 2.0
    background: int = 0
    clothes: Doubles = field(default_factory=lambda: np.array([70.0, 80.0, 110.0]))


def draw_scene(rng: np.random.Generator, size: int = 250, widest_yaw: float = 32.0) -> Scene:
    """Draw the circumstances of a picture, mostly frontal and well lit, sometimes turned, tilted, dim or one-sided."""
    yaw = float(np.clip(rng.normal(0, widest_yaw / 2), -widest_yaw, widest_yaw))
    pitch, roll = np.clip(rng.normal(0, [8.0, 7.0]), -20, 20)
    side, above = rng.normal(0, 0.6), rng.uniform(0.1, 0.9)
    warm = rng.normal(0, 0.05)
    scale = size * float(rng.uniform(0.17, 0.2))
    return Scene(
        yaw=yaw,
        pitch=float(pitch),
        roll=float(roll),
        size=size,
        scale=scale,
        centre=(size / 2 + float(rng.normal(0, 4)), size * 0.53 + float(rng.normal(0, 4))),
        light=np.array([side, -above, 0.9]),
        ambient=float(rng.uniform(0.2, 0.5)),
        level=float(np.clip(rng.normal(1.0, 0.12), 0.75, 1.2)),
        cast=np.array([1 + warm, 1.0, 1 - warm]),
        mouth=float(max(0.0, rng.uniform(-0.6, 0.6))),
        smile=float(rng.uniform(-0.1, 0.9)),
        blur=float(rng.uniform(0.3, 0.9)),
        noise=float(rng.uniform(0.5, 4.0)),
        background=int(rng.integers(2**31)),
        clothes=rng.uniform(35, 200) + rng.normal(0, 28, 3),
    )
