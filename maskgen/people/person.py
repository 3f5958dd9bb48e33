"""Who somebody is: the shape of a head, its colours and its hair. All that stays from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskgen.core.records import Doubles
from maskgen.masks.head import PLACES, mean68, mirrored

HAIR_STYLES = ("bald", "short", "crop", "bob", "long", "bun", "curly")

# Skin from light to dark and hair colours, sRGB.
SKINS = np.array(
    [(241, 208, 184), (229, 187, 156), (214, 164, 128), (189, 137, 99), (157, 107, 74), (132, 88, 62), (104, 70, 52)]
)
HAIRS = np.array(
    [(28, 22, 20), (52, 36, 26), (92, 60, 36), (146, 100, 58), (200, 164, 108), (130, 58, 30), (168, 164, 160)]
)
EYES = np.array([(70, 45, 28), (96, 66, 36), (90, 110, 80), (92, 124, 150), (60, 82, 100)])


@dataclass(frozen=True, slots=True)
class Person:
    """One identity.

    Attributes:
        points68: the 68 points of this head, (68, 3), at rest, in head coordinates (see `masks.head`).
        places: the further named places of `masks.head.PLACES` and their mirror images, moved with the head.
        skin, hair, eyes, lips: sRGB, 0..255.
        beard: 0 none, up to 1 full.
    """

    points68: Doubles
    places: Doubles
    skin: Doubles
    hair: Doubles
    eyes: Doubles
    lips: Doubles
    style: str
    brow: float
    beard: float
    glasses: bool
    freckles: float
    age: float
    pattern: int


def _widths(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Width of the skull, of the jaw, and length below and above the eyes."""
    wide, jaw, low, high = rng.normal(1.0, [0.05, 0.06, 0.05, 0.04])
    return float(wide), float(jaw), float(low), float(high)


def _moulded(points: Doubles, shape: tuple[float, float, float, float]) -> Doubles:
    """Points of the head under the four proportions, smoothly from brow to chin."""
    wide, jaw, low, high = shape
    eyes = -0.64
    down = np.clip((points[:, 1] - eyes) / 1.9, 0, 1)
    out = points.copy()
    out[:, 0] *= wide * (1 + (jaw - 1) * down)
    below = points[:, 1] - eyes
    out[:, 1] = eyes + below * np.where(below > 0, low, high)
    return out


def _moved(points: Doubles, rng: np.random.Generator) -> Doubles:
    """The features of the face moved and sized, both sides alike."""
    out = points.copy()

    def scale(which: range, amount: Doubles) -> None:
        middle = out[list(which)].mean(0)
        out[list(which)] = middle + (out[list(which)] - middle) * amount

    open_eyes, apart = rng.normal(1.08, 0.09), rng.normal(0.0, 0.025)
    for eye, side in ((range(36, 42), -1), (range(42, 48), 1)):
        scale(eye, np.array([rng.normal(1.02, 0.0), open_eyes, 1.0]))
        out[list(eye), 0] += side * apart
    nose_long, nose_wide, nose_out = rng.normal([0.0, 1.0, 0.0], [0.05, 0.12, 0.05])
    out[28:36, 1] += nose_long * np.array([0.2, 0.6, 1, 1, 1, 1, 1, 1])
    out[31:36, 0] *= nose_wide
    out[29:31, 2] += nose_out
    mouth_wide, mouth_down = rng.normal([1.0, 0.0], [0.08, 0.035])
    thick = rng.normal(1.0, 0.14)
    scale(range(48, 68), np.array([mouth_wide, thick, 1.0]))
    out[48:68, 1] += mouth_down
    brow_up, brow_arch = rng.normal([0.0, 0.0], [0.035, 0.03])
    out[17:27, 1] -= brow_up
    out[[19, 20, 23, 24], 1] -= brow_arch
    out[6:11, 2] += rng.normal(0, 0.04)
    return out


def draw_person(rng: np.random.Generator) -> Person:
    """Draw an identity; every generator gives another one."""
    shape = _widths(rng)
    points = _moved(_moulded(np.array(mean68()), shape), rng)
    tone = rng.uniform(0, len(SKINS) - 1)
    low = int(tone)
    skin = SKINS[low] + (SKINS[min(low + 1, len(SKINS) - 1)] - SKINS[low]) * (tone - low)
    man = rng.random() < 0.5
    dark = tone > 3.2
    hair = HAIRS[rng.integers(2 if dark else len(HAIRS))] * rng.uniform(0.85, 1.1)
    style = str(rng.choice(HAIR_STYLES[:3] if man else HAIR_STYLES[2:]))
    return Person(
        points68=points,
        places=_moulded(mirrored(np.array(list(PLACES.values()))), shape),
        skin=np.asarray(skin, float),
        hair=np.asarray(hair, float),
        eyes=np.asarray(EYES[rng.integers(2 if dark else len(EYES))], float),
        lips=skin * [0.84, 0.66, 0.64] + [10, 0, 2],
        style=style,
        brow=float(rng.uniform(0.055, 0.085) if man else rng.uniform(0.035, 0.06)),
        beard=float(max(0.0, rng.uniform(-0.5, 0.9))) if man else 0.0,
        glasses=bool(rng.random() < 0.2),
        freckles=float(max(0.0, rng.uniform(-0.6, 0.5))) if tone < 2 else 0.0,
        age=float(rng.uniform(0, 1)),
        pattern=int(rng.integers(2**31)),
    )
