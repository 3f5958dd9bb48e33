"""Every draw of chance for one mask on one face, made before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """How one mask sits on one face.

    Attributes:
        up: shift toward the eyes, in eye distances.
        size: factor on the mask about its middle.
        tilt: turn in the plane of the face, degrees.
        bright: factor on the cloth's light, for lots and makes that differ.
        grain: seed of the noise that follows the photograph's.
    """

    up: float = 0.0
    size: float = 1.0
    tilt: float = 0.0
    bright: float = 1.0
    grain: int = 0

    def __post_init__(self) -> None:
        if not 0.5 <= self.size <= 2.0:
            raise ValueError(f"size {self.size} is outside 0.5..2")


def plan_mask(rng: np.random.Generator) -> MaskPlan:
    """Draw how a mask sits, as people wear it properly."""
    return MaskPlan(
        up=float(np.clip(rng.normal(0.0, 0.025), -0.05, 0.04)),
        size=float(np.clip(rng.normal(1.01, 0.012), 0.99, 1.04)),
        tilt=float(np.clip(rng.normal(0.0, 1.0), -2.5, 2.5)),
        bright=float(np.clip(rng.normal(1.0, 0.03), 0.92, 1.06)),
        grain=int(rng.integers(2**31)),
    )
