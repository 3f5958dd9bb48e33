"""Random people and scenes from wider ranges than photographs show (domain randomisation).

Convention: as in `people.person` and `people.scene`; every result depends only on the generator's state.

Source: Tobin et al., Domain randomization for transferring deep neural networks from simulation to the real world,
2017.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maskgen.core.records import Doubles
from maskgen.masks.pose.head import mean68
from maskgen.people.person import GLASSES, MANLY_STYLES, WOMANLY_STYLES, Build, Person, draw_person
from maskgen.people.scene import BACKGROUNDS, CLOTHES, Expression, Scene, Triple

WIDEST_YAW = 92.0  # degrees
STYLES = (*MANLY_STYLES, *WOMANLY_STYLES, "loose", "loose")
# How far the lower face stands before the mean head's for a chin that does so by 1: landmarks of the jaw and the lips.
LEADING = np.zeros(68)
LEADING[3:14] = 0.1, 0.25, 0.5, 0.8, 0.9, 1, 0.9, 0.8, 0.5, 0.25, 0.1
LEADING[48:55] = LEADING[60:65] = 0.15
LEADING[55:60] = LEADING[65:68] = 0.5
LEADING.flags.writeable = False
# The chin's, in eye distances: as a head turns, chins in photographs move by 0.10 (LFW, dlib's landmarks) and 0.13
# (HELEN, marked by hand) times the sine of the yaw farther than the mean head's, lower lips by 0.04 and 0.06.
CHIN_LEADS, CHIN_SPREAD = 0.11, 0.06
LEFT_EYE, RIGHT_EYE, MOUTH, NOSE, BROWS = slice(36, 42), slice(42, 48), slice(48, 68), slice(27, 36), slice(17, 27)


def varied_person(rng: np.random.Generator) -> Person:
    """An identity further from the mean than `draw_person`'s: children's and long faces, asymmetry, unusual colours."""
    person = draw_person(rng)
    points, places = _form(person.points68, person.places, rng)
    pale = rng.uniform(0.8, 1.12, 3) * rng.uniform(0.8, 1.15)
    hair = person.hair if rng.random() < 0.7 else rng.uniform(15, 235, 3)
    bearded = rng.random() < 0.35
    red = float(rng.uniform(0.1, 1.3))  # in grey, many lips hardly differ from the skin
    lips = person.skin + (person.lips - person.skin) * red
    return replace(
        person,
        points68=points,
        places=places,
        skin=np.clip(person.skin * pale, 18, 252),
        build=_relief(person.build, rng),
        lips=np.clip(lips * pale * rng.uniform(0.75, 1.15, 3), 15, 245),
        hair=np.asarray(hair, float),
        style=str(rng.choice(STYLES)),
        brow=float(rng.uniform(0.02, 0.1)),
        beard=float(rng.uniform(0, 1)) if bearded else person.beard,
        moustache=float(rng.uniform(0, 1)) if bearded else person.moustache,
        glasses=str(rng.choice(GLASSES)),
    )


def _relief(build: Build, rng: np.random.Generator) -> Build:
    """Flatter or stronger relief between the landmarks."""
    ala, tip, lips, fold, chin, ears = rng.uniform(0.5, 1.5, 6)
    return replace(
        build,
        ala=build.ala * float(ala),
        tip=build.tip * float(tip),
        ridge=build.ridge + float(rng.normal(0, 0.02)),
        lips=build.lips * float(lips),
        fold=build.fold * float(fold),
        chin=build.chin * float(chin),
        ears=build.ears * float(0.7 + 0.3 * ears),
    )


def _form(points68: Doubles, places: Doubles, rng: np.random.Generator) -> tuple[Doubles, Doubles]:
    """The head's landmarks with larger deviations from the mean, and its places; both stretched at random."""
    points = mean68() + (points68 - mean68()) * rng.uniform(0.8, 1.5)
    for part in (LEFT_EYE, RIGHT_EYE, MOUTH, NOSE, slice(17, 22), slice(22, 27)):
        points[part] += rng.normal(0, [0.012, 0.015, 0.02])
    points[NOSE, 2] += rng.normal(0, 0.06) * np.array([0.1, 0.4, 0.8, 1, 0.5, 0.6, 0.7, 0.6, 0.5])
    points[30:36, 1] += rng.normal(0, 0.03)
    points[BROWS, 1] += rng.normal(0, 0.04)
    points[3:14, 1] += rng.normal(0, 0.06) * np.sin(np.linspace(0, np.pi, 11))
    points[:, 2] += rng.normal(CHIN_LEADS, CHIN_SPREAD) * LEADING
    stretch = rng.normal(1, [0.05, 0.05, 0.05])
    return points * stretch, places * stretch


def varied_expression(rng: np.random.Generator) -> Expression:
    """From calm to shouting, with open, narrowed or closed eyes."""
    calm = rng.random() < 0.35
    lids = rng.choice([0.0, rng.uniform(0, 0.5), 1.0], p=[0.55, 0.3, 0.15])
    return Expression(
        mouth=0.0 if calm else float(max(0.0, rng.uniform(-0.5, 1.0))),
        smile=float(rng.uniform(-0.3, 1.0)),
        brows=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        lids=float(lids),
        gaze=float(rng.uniform(0, 1)),
    )


def varied_yaw(rng: np.random.Generator) -> float:
    """Yaw in degrees: half of the heads roughly face the camera, half are uniform up to full profiles."""
    if rng.random() < 0.5:
        return float(np.clip(rng.normal(0, 18), -WIDEST_YAW, WIDEST_YAW))
    return float(rng.uniform(-WIDEST_YAW, WIDEST_YAW))


def varied_scene(rng: np.random.Generator, size: int) -> Scene:
    """The scene of a square picture: any yaw, hard to diffuse light, any colour of clothes and light.

    Args:
        size: the side in pixels, about 5 eye distances of the mean head, so that the whole face is inside.
    """
    cloth, cast = rng.uniform(10, 245, 3), rng.normal(1, 0.07, 3).clip(0.8, 1.2)
    direction: Triple = (float(rng.normal(0, 0.9)), float(rng.uniform(-1.1, 0.5)), float(rng.uniform(0.2, 1.0)))
    scale = size / 5.0 * float(rng.uniform(0.9, 1.1))
    return Scene(
        yaw=varied_yaw(rng),
        pitch=float(np.clip(rng.normal(0, 13), -40, 40)),
        roll=float(np.clip(rng.normal(0, 10), -40, 40)),
        scale=scale,
        centre=(size / 2 + float(rng.normal(0, 0.02 * size)), size * float(rng.normal(0.5, 0.02))),
        size=(size, size),
        light=direction,
        ambient=float(rng.uniform(0.15, 0.85)),
        level=float(np.clip(rng.normal(0.95, 0.25), 0.35, 1.4)),
        cast=(float(cast[0]), float(cast[1]), float(cast[2])),
        expression=varied_expression(rng),
        background=str(rng.choice(BACKGROUNDS)),
        clothes=str(rng.choice(CLOTHES)),
        cloth=(float(cloth[0]), float(cloth[1]), float(cloth[2])),
        pattern=int(rng.integers(2**31)),
        blur=float(rng.uniform(0.0, 0.6)),
        noise=float(rng.uniform(0.0, 4.0)),
        hand=bool(rng.random() < 0.08),
    )
