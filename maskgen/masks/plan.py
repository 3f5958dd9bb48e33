"""All random draws for one mask on one face, made before anything is rendered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.core.kindspec import WEARINGS
from maskgen.core.records import Doubles
from maskgen.core.seeding import rng_for
from maskgen.masks.deformations import CREASES, DRAWN, OUTLINE, SKEWS

# Mean and spread of the logarithm of `MaskPlan.relief`, mean of `MaskPlan.overhead`. So masks have the contrast, and
# the difference in light between their upper and lower half, of real ones: see docs/results.md.
RELIEF, OVERHEAD = (0.22, 0.28), 0.11
SKEW = (0.03, 0.03, 0.03, 0.015)  # standard deviations of `MaskPlan.print_skew`; the last one stretches most
TINT = 0.2  # standard deviation of `MaskPlan.tint`
MOST_RELIEF, MOST_OVERHEAD = 1.5, 0.6
FADES = 0.12  # share, 0..1, by which the colour of the most worn mask has faded to grey


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """Placement of one mask on one face, and its differences from others of its kind.

    Attributes:
        up: shift toward the eyes, in eye distances.
        size: factor on the mask about its middle.
        tilt: rotation in the plane of the face, in degrees.
        bright: factor on the cloth's brightness, which differs between makes.
        fade: 0..1, how far wear has faded the colour to grey.
        sheer: 0..1, the share of light that its cloth lets through, so that skin and lips show.
        creases: CREASES weights of the mesh's crease deformations, 1 for a crease as deep as the template says.
        outline: weights of the mesh's deformations of the outline, one for each of `deformations.OUTLINE`.
        relief: factor on the shading of the cloth's folds, pleats and seams.
        overhead: light from above on the cloth, as a direction's length, more than the face shows.
        tint: how much warmer, relative to red and blue, cloth is per unit of encoded light that it lacks.
        strap_width: factor on the width of its straps.
        slack: how far the left and the right ear loops hang, 0..1.
        print_skew: SKEWS shifts of the cloth's texture in shares of its height: up or down, to one side, bowed, and
            closer above than below.
        turned: whether the cloth's folds are mirrored.
        look: 0..1, selects one of the kind's looks, see `Template.looks`.
        wearing: the wearing position, one of `core.kindspec.WEARINGS`.
        grain: seed of the noise; its strength is that of the photograph.
        cloth: seed of the design of a `world` mask.
        unsure: the expected error of the face's landmarks, in eye distances, 0 where none is stated. By a share of it
            a mask, not glasses or a shield, is larger, reaches farther below the chin and stays farther from the eyes.
    """

    up: float = 0.0
    size: float = 1.0
    tilt: float = 0.0
    bright: float = 1.0
    fade: float = 0.0
    sheer: float = 0.0
    creases: tuple[float, ...] = (0.0,) * CREASES
    outline: tuple[float, ...] = (0.0,) * len(OUTLINE)
    relief: float = 1.0
    overhead: float = 0.0
    tint: float = 0.0
    strap_width: float = 1.0
    slack: tuple[float, float] = (0.0, 0.0)
    print_skew: tuple[float, ...] = (0.0,) * SKEWS
    turned: bool = False
    look: float = 0.0
    wearing: str = "proper"
    grain: int = 0
    cloth: int = 0
    unsure: float = 0.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.size <= 2.0:
            raise ValueError(f"size {self.size} is outside 0.5..2")
        if not self.unsure >= 0:
            raise ValueError(f"unsure {self.unsure} is below 0")
        if self.wearing not in WEARINGS:
            raise ValueError(f"wearing {self.wearing!r} is none of {', '.join(WEARINGS)}")
        if len(self.creases) != CREASES:
            raise ValueError(f"{len(self.creases)} creases, not {CREASES}")
        if len(self.outline) != len(OUTLINE):
            raise ValueError(f"{len(self.outline)} deformations of the outline, not {len(OUTLINE)}")

    @property
    def worn(self) -> float:
        """Wear, 0 (new) to 1 (most worn)."""
        return self.fade / FADES

    @property
    def deformation_weights(self) -> Doubles:
        """The weights of `Deformations.points`."""
        return np.array([1.0, *self.creases, *self.outline, *self.slack])


def plan_mask(rng: np.random.Generator, wear: Mapping[str, float] | None = None) -> MaskPlan:
    """Draw the plan of one mask.

    Args:
        wear: wearing positions and their weights; None for the proper one.
    """
    chance = rng.random(8)
    # Most masks are fresh, some have been worn for days.
    worn = float(chance[0] ** 3)
    deep = rng.normal(0.0, 0.55 + 0.6 * worn, CREASES)
    spread = [min(max(each, -2.2), 2.2) for each in rng.normal(size=4 + SKEWS).tolist()]
    bent = [*rng.beta(1.3, 1.3, DRAWN).tolist(), *[0.0] * (len(OUTLINE) - DRAWN)]
    mean, width = RELIEF
    relief = min(math.exp(mean + width * rng.normal()), MOST_RELIEF)
    return MaskPlan(
        up=min(max(0.025 * spread[0], -0.05), 0.04),
        size=min(max(1.01 + 0.012 * spread[1], 0.99), 1.04),
        tilt=1.1 * spread[2],
        bright=1.0 + 0.02 * spread[3] - 0.03 * worn,
        fade=FADES * worn,
        creases=tuple(min(max(depth, -2.2), 2.2) for depth in deep.tolist()),
        outline=tuple(low + (high - low) * each for (low, high), each in zip(OUTLINE, bent, strict=True)),
        relief=relief,
        overhead=min(OVERHEAD * rng.exponential(), MOST_OVERHEAD),
        tint=TINT * min(max(rng.normal(), -2.2), 2.2),
        slack=(float(chance[1] ** 2), float(chance[2] ** 2)),
        print_skew=tuple(far * each for far, each in zip(SKEW, spread[4:], strict=True)),
        turned=bool(chance[7] < 0.5),
        look=float(chance[3]),
        wearing=_drawn(wear or {"proper": 1.0}, float(chance[4])),
        grain=int(chance[5] * 2**31),
        cloth=int(chance[6] * 2**53),
    )


def stays_bare(seed: int, key: str, share: float) -> bool:
    """Whether a picture is one of the `share`, 0..1, that get no mask; `key` is that of its draws."""
    return bool(share) and float(rng_for(seed, key, "unmasked").random()) < share


def kind_order(seed: int, key: str, face: int, weights: NDArray[np.floating]) -> NDArray[np.intp]:
    """The kinds for a face of a picture in the order in which they are drawn: numbers of the `weights` (n,).

    Weighted sampling without replacement by exponential arrival times (Efraimidis and Spirakis 2006).
    """
    waits = rng_for(seed, key, "kinds", face).exponential(1.0, len(weights)) / weights
    return np.argsort(waits, kind="stable")


def plan_of_kind(seed: int, key: str, face: int, kind: str, wear: Mapping[str, float]) -> MaskPlan:
    """The plan of one kind's mask on a face of a picture. The draws go with the kind's name, so that a mask is the same
    whichever other kinds were asked for."""
    return plan_mask(rng_for(seed, key, face, kind), wear)


def _drawn(weights: Mapping[str, float], chance: float) -> str:
    """The name that a uniform draw from 0..1 selects by the weights."""
    names = list(weights)
    if len(names) == 1:
        return names[0]
    ends = np.cumsum(list(weights.values()))
    return names[int(np.searchsorted(ends, chance * ends[-1], side="right").clip(0, len(names) - 1))]
