"""The identity of a rendered person, constant over all pictures: shape of the head, colours and hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskgen.core.records import Doubles
from maskgen.masks.pose.head import PLACES, mean68, mirrored

# Skin from light to dark, and the colours of hair and eyes, sRGB.
SKINS = np.array([
    (243, 213, 194), (236, 199, 172), (224, 181, 148), (205, 157, 121), (178, 128, 92), (144, 99, 70), (110, 74, 54),
    (84, 56, 43),
])  # fmt: skip
HAIRS = np.array([(30, 25, 24), (56, 40, 31), (92, 64, 44), (140, 102, 66), (196, 164, 112), (136, 70, 40)])
GREY_HAIR = np.array([186.0, 182.0, 178.0])
EYES = np.array([(62, 42, 30), (92, 64, 40), (112, 104, 66), (104, 128, 104), (96, 128, 154), (120, 134, 142)])

MANLY_STYLES = ("bald", "buzz", "short", "short", "swept", "swept", "curls", "receding")
WOMANLY_STYLES = ("bob", "fringe", "long", "long", "long_fringe", "bun", "tied", "curls", "afro")
GLASSES = ("none", "none", "none", "none", "round", "square")


@dataclass(frozen=True, slots=True)
class Build:
    """Shape of a face beyond its 68 landmarks: heights in eye distances, and factors."""

    ala: float  # height of the wings of the nose
    tip: float  # height added at the tip of the nose
    ridge: float  # height added at the brows
    lips: float  # fullness, a factor, 1 is usual
    fold: float  # distance of the upper eyelid's fold above the lid's edge
    chin: float  # height added at the chin
    ears: float  # size, a factor, 1 is usual


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One identity.

    Attributes:
        points68: the 68 landmarks of this head at rest, (68, 3), in head coordinates (see `masks.pose.head`).
        places: `masks.pose.head.PLACES` and their mirror images on this head, (n, 3).
        skin, hair, eyes, lips: sRGB, 0..255, (3,).
        style: the hairstyle, a name in `hair.STYLES`, or "bald".
        hairline: shift of the hairline at the front in eye distances, down is positive.
        brow: half the thickness of the eyebrows in eye distances.
        beard, moustache: 0 none, to 0.35 stubble, to 1 full.
        lashes: 0 plain, 1 long and dark.
        freckles, age: 0 to 1.
        glasses: "none", "round" or "square".
        pattern: seed of all other random details of skin and hair.
    """

    points68: Doubles
    places: Doubles
    build: Build
    skin: Doubles
    hair: Doubles
    eyes: Doubles
    lips: Doubles
    style: str
    hairline: float
    brow: float
    beard: float
    moustache: float
    lashes: float
    freckles: float
    age: float
    glasses: str
    pattern: int


def mean_places() -> Doubles:
    """`masks.pose.head.PLACES` and their mirror images, (n, 3)."""
    return mirrored(np.array(list(PLACES.values())))


@dataclass(frozen=True, slots=True)
class _Proportions:
    """Proportions of the whole head: factors about 1, and `square`, which is about 0."""

    width: float
    jaw: float
    below: float
    above: float
    depth: float
    square: float

    def mould(self, points: Doubles) -> Doubles:
        """Points (n, 3) of a head, changed to these proportions."""
        out = points.copy()
        level = points[:, 1] + 0.64
        down = np.clip(level / 1.9, 0, 1)
        out[:, 0] *= self.width * (1 + (self.jaw - 1) * down)
        # A square jaw is wide between ear and chin and flat beneath.
        corner = np.exp(-(((points[:, 1] - 0.95) / 0.4) ** 2)) * np.clip(np.abs(points[:, 0]) / 0.5, 0, 1)
        out[:, 0] *= 1 + self.square * corner
        out[:, 1] = -0.64 + level * np.where(level > 0, self.below, self.above)
        back = np.minimum(points[:, 2] + 0.3, 0)
        out[:, 2] += back * (self.depth - 1)
        return out


def _spread(points: Doubles, which: list[int], factors: tuple[float, float, float]) -> None:
    """Scale a feature about its own centre, in place."""
    middle = points[which].mean(0)
    points[which] = middle + (points[which] - middle) * factors


def _eyes_moved(out: Doubles, rng: np.random.Generator) -> None:
    wide, high = rng.normal([1.02, 1.14], [0.06, 0.13])
    apart, up, slant = rng.normal(0, [0.025, 0.015, 0.035])
    for eye, side in (([*range(36, 42)], -1.0), ([*range(42, 48)], 1.0)):
        _spread(out, eye, (float(np.clip(wide, 0.9, 1.14)), float(np.clip(high, 0.85, 1.4)), 1.0))
        middle = out[eye].mean(0)
        out[eye, 1] -= side * slant * (out[eye, 0] - middle[0]) / 0.2 + up
        out[eye, 0] += side * apart


def _nose_moved(out: Doubles, rng: np.random.Generator) -> None:
    long, wide, far, hump = rng.normal([0.0, 1.0, 0.0, 0.0], [0.045, 0.12, 0.05, 0.025])
    out[28:36, 1] += np.clip(long, -0.1, 0.1) * np.array([0.25, 0.6, 1, 1, 1, 1, 1, 1])
    out[31:36, 0] *= np.clip(wide, 0.78, 1.35)
    out[29:31, 2] += np.clip(far, -0.1, 0.09)
    out[28:30, 2] += hump
    out[27, 2] += rng.normal(0, 0.03)


def _mouth_moved(out: Doubles, rng: np.random.Generator) -> None:
    wide, upper, lower, down = rng.normal([1.0, 1.0, 1.0, 0.0], [0.08, 0.2, 0.16, 0.03])
    _spread(out, [*range(48, 68)], (float(np.clip(wide, 0.84, 1.18)), 1.0, 1.0))
    line = out[[60, 62, 64], 1].mean()
    top, bottom = [49, 50, 51, 52, 53], [55, 56, 57, 58, 59]
    out[top, 1] = line + (out[top, 1] - line) * np.clip(upper, 0.6, 1.5)
    out[bottom, 1] = line + (out[bottom, 1] - line) * np.clip(lower, 0.7, 1.4)
    out[48:68, 1] += down


def _brows_moved(out: Doubles, rng: np.random.Generator, manly: bool) -> None:
    up, arch, apart, slant = rng.normal([-0.02 if manly else 0.02, 0, 0, 0], [0.03, 0.03, 0.025, 0.03])
    out[17:27, 1] -= up
    out[[18, 19, 24, 25], 1] -= arch
    out[17:22, 0] -= apart
    out[22:27, 0] += apart
    out[17:27, 1] += slant * (np.abs(out[17:27, 0]) - 0.55)


def _head(rng: np.random.Generator, manly: bool) -> tuple[Doubles, Doubles]:
    """The 68 landmarks and the places (see `mean_places`) of a random head."""
    middle = [1.0, 1.02 if manly else 0.96, 1.0, 1.0, 1.0, 0.03 if manly else -0.02]
    drawn = rng.normal(middle, [0.045, 0.055, 0.045, 0.04, 0.05, 0.045])
    whole = _Proportions(*(float(value) for value in drawn))
    points = np.array(mean68())
    _eyes_moved(points, rng)
    _nose_moved(points, rng)
    _mouth_moved(points, rng)
    _brows_moved(points, rng, manly)
    points[6:11, 2] += rng.normal(0, 0.04)
    places = mean_places()
    places[:, 0] *= 1 + 0.06 * rng.normal() * (np.abs(places[:, 1] + 0.1) < 0.3)  # cheekbones
    return whole.mould(points), whole.mould(places)


def _between(table: Doubles, at: float) -> Doubles:
    low = min(int(at), len(table) - 2)
    return np.asarray(table[low] + (table[low + 1] - table[low]) * (at - low), float)


def _colours(rng: np.random.Generator, age: float) -> tuple[float, Doubles, Doubles, Doubles, Doubles]:
    """Skin tone from 0 (light) to 1 (dark), and sRGB colours of skin, hair, eyes and lips."""
    tone = float(rng.uniform(0, 1))
    skin = _between(SKINS, tone * (len(SKINS) - 1)) * (1 + rng.normal(0, [0.012, 0.015, 0.025]))
    dark = tone > 0.55
    hair = HAIRS[rng.integers(2 if dark else len(HAIRS))] * rng.uniform(0.85, 1.12)
    grey = float(np.clip((age - 0.55) * 2.4 + rng.normal(0, 0.15), 0, 0.92)) if age > 0.6 else 0.0
    hair = hair + (GREY_HAIR - hair) * grey
    eyes = EYES[rng.integers(2 if dark else len(EYES))] * rng.uniform(0.85, 1.1)
    lips = skin * [0.9, 0.66, 0.66] + np.array([2.0, 2.0, 6.0]) + rng.normal(0, 4)
    return tone, skin.clip(25, 250), hair, np.asarray(eyes, float), lips.clip(20, 240)


def _build(rng: np.random.Generator, manly: bool) -> Build:
    ala, tip, ridge, lips, fold, chin, ears = rng.normal(
        [0.05, 0.03, 0.035 if manly else 0.0, 1.0, 0.06, 0.03, 1.0],
        [0.015, 0.015, 0.015, 0.25, 0.022, 0.02, 0.08],
    )
    return Build(
        ala=float(ala),
        tip=float(tip),
        ridge=float(ridge),
        lips=float(np.clip(lips, 0.5, 1.6)),
        fold=float(np.clip(fold, 0.015, 0.11)),
        chin=float(chin),
        ears=float(np.clip(ears, 0.82, 1.2)),
    )


def draw_person(rng: np.random.Generator) -> Person:
    """Draw a random identity, which depends only on the generator's state."""
    manly = bool(rng.random() < 0.5)
    age = float(rng.uniform(0, 1) ** 1.3)
    points, places = _head(rng, manly)
    tone, skin, hair, eyes, lips = _colours(rng, age)
    beard, moustache = (float(max(0.0, value)) for value in rng.uniform(-0.7, 1.0, 2))
    freckles = float(max(0.0, rng.uniform(-0.8, 0.8)))
    lashes = float(rng.uniform(0.5, 1.0))
    return Person(
        points68=points,
        places=places,
        build=_build(rng, manly),
        skin=skin,
        hair=np.asarray(hair, float),
        eyes=eyes,
        lips=lips if manly else lips * [1.04, 0.9, 0.93],
        style=str(rng.choice(MANLY_STYLES if manly else WOMANLY_STYLES)),
        hairline=float(rng.normal(0, 0.07)),
        brow=float(rng.uniform(0.05, 0.08) if manly else rng.uniform(0.03, 0.05)),
        beard=beard if manly else 0.0,
        moustache=max(moustache, beard * 0.8) if manly else 0.0,
        lashes=0.3 if manly else lashes,
        freckles=freckles if tone < 0.4 else 0.0,
        age=age,
        glasses=str(rng.choice(GLASSES)),
        pattern=int(rng.integers(2**31)),
    )
