"""The circumstances of one picture of a person: head pose, expression, light, camera, background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BACKGROUNDS = ("plain", "blobs", "room")
CLOTHES = ("round", "shirt", "jacket")
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression: `mouth` 0 closed to 1 wide open, `smile` -0.3 to 1, `brows` -1 lowered to 1 raised, `lids` 0 open
    to 1 closed.

    `gaze` is the share of the head's rotation that the eyes compensate to look at the camera.
    """

    mouth: float = 0.0
    smile: float = 0.0
    brows: float = 0.0
    lids: float = 0.0
    gaze: float = 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture's circumstances.

    Attributes:
        yaw, pitch, roll: degrees, as in `core.records`.
        scale: pixels per distance between the eyes of the mean head.
        centre: where the head's origin, the middle of the face, is: (x, y) in pixels.
        size: the picture's (height, width).
        light: the direction toward the light, camera axes, x right, y down, z to the viewer.
        ambient: the share of ambient light, 0..1; at 1 there is no directed light.
        level: the light's strength, 1 for a well lit picture.
        cast: the light's colour, (3,) about 1.
        background: plain, blobs or room; its colours and the picture's noise come from `pattern`.
        clothes: round, shirt or jacket; `cloth` is their colour, sRGB.
        blur: standard deviation in pixels; noise: standard deviation in grey levels.
        hand: whether fingers are in front of the lower face.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 47.0
    centre: tuple[float, float] = (125.0, 134.0)
    size: tuple[int, int] = (250, 250)
    light: Triple = (-0.35, -0.5, 0.8)
    ambient: float = 0.4
    level: float = 1.0
    cast: Triple = (1.0, 1.0, 1.0)
    expression: Expression = Expression()
    background: str = "plain"
    clothes: str = "round"
    cloth: Triple = (70.0, 84.0, 110.0)
    pattern: int = 0
    blur: float = 0.4
    noise: float = 1.5
    hand: bool = False

    def __post_init__(self) -> None:
        if min(self.size) < 1 or self.scale <= 0:
            raise ValueError(f"a picture of {self.size} at scale {self.scale} is empty")
        if self.background not in BACKGROUNDS or self.clothes not in CLOTHES:
            raise ValueError(f"no such background or clothes: {self.background!r}, {self.clothes!r}")


def _expression(rng: np.random.Generator) -> Expression:
    """Mostly calm or smiling, sometimes talking, rarely with lowered eyelids."""
    smile = float(rng.choice([rng.uniform(-0.2, 0.2), rng.uniform(0.3, 1.0)]))
    return Expression(
        mouth=float(max(0.0, rng.uniform(-0.7, 0.6))),
        smile=smile,
        brows=float(np.clip(rng.normal(0, 0.35), -0.8, 1.0)),
        lids=float(max(0.0, rng.normal(0.0, 0.12))) + 0.15 * max(smile, 0.0),
        gaze=float(rng.uniform(0, 1)),
    )


def _light(rng: np.random.Generator) -> tuple[Triple, float, float, Triple]:
    """Direction, ambient share, level and cast: mostly soft from above, sometimes one-sided, dim, warm or cool."""
    one_sided = rng.random() < 0.25
    side = float(rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 1.8)) if one_sided else float(rng.normal(0, 0.5))
    ambient = float(rng.uniform(0.22, 0.4) if one_sided else rng.uniform(0.35, 0.65))
    level = float(np.clip(rng.normal(0.98, 0.16), 0.55, 1.25))
    warm, green = rng.normal(0.01, [0.05, 0.012])
    return (
        (side, -float(rng.uniform(0.15, 0.9)), 0.9),
        ambient,
        level,
        (1 + float(warm), 1 + float(green), 1 - float(warm)),
    )


def draw_scene(rng: np.random.Generator, size: int = 250, widest_yaw: float = 30.0) -> Scene:
    """Draw the circumstances of a square picture.

    Args:
        size: the side in pixels; the eye distance is 0.16 to 0.2 of it, as in photographs cropped for datasets.
        widest_yaw: degrees, up to 75.
    """
    yaw = float(np.clip(rng.normal(0, widest_yaw / 1.8), -widest_yaw, widest_yaw))
    pitch, roll = (float(value) for value in np.clip(rng.normal(0, [7.5, 6.0]), -20, 20))
    light, ambient, level, cast = _light(rng)
    cloth = np.clip(rng.uniform(25, 215) + rng.normal(0, 26, 3), 12, 245)
    scale = size * float(rng.uniform(0.16, 0.2))
    return Scene(
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        scale=scale,
        centre=(
            size / 2 + float(rng.normal(0, 0.016 * size)) - 0.2 * scale * yaw / 30,
            size * float(rng.normal(0.54, 0.012)),
        ),
        size=(size, size),
        light=light,
        ambient=ambient,
        level=level,
        cast=cast,
        expression=_expression(rng),
        background=str(rng.choice(BACKGROUNDS)),
        clothes=str(rng.choice(CLOTHES)),
        cloth=(float(cloth[0]), float(cloth[1]), float(cloth[2])),
        pattern=int(rng.integers(2**31)),
        blur=float(rng.uniform(0.2, 0.8)) * size / 250,
        noise=float(rng.uniform(0.3, 3.0)),
    )
