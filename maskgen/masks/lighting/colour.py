"""Colours as people write them and as light mixes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles

GAMMA = 2.2  # a plain power stands in for the sRGB curve, so that light is one factor on encoded values


def rgb(text: str) -> Doubles:
    """ "#rrggbb" as three numbers 0..255."""
    return np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float64)


def encoded(light: Doubles) -> Doubles:
    """The factor on sRGB-encoded values that light of this (linear) strength makes."""
    return np.asarray(np.maximum(light, 0.0) ** (1 / GAMMA))


def middle(values: NDArray[np.floating]) -> Doubles:
    """The median along the first axis, of an even count the upper one; a fifth of what `np.median` costs."""
    half = len(values) // 2
    return np.asarray(np.partition(values, half, axis=0)[half], np.float64)
