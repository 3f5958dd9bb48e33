"""The thickness of ear loops and head straps seen from the side: cords and folded bands, not flat ribbons."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles

THICK = 0.65  # thickness of a strap seen on its edge, as a share of its width
FINEST = 0.8  # least width, in pixels, that is rendered without gaps
ROOT = 0.5  # share of its thickness that a strap has where it begins, welded flat to the cloth
FLAT = 4  # pieces over which it reaches its thickness


def thicken_straps(points: Doubles, strap_widths: Doubles, pieces: int, scale: float, wide: float = 1.0) -> None:
    """Widen straps that are seen on their edges to their thickness, in place, and all by the factor `wide`,
    none to less than is rendered without gaps.

    Args:
        points: (straps * pieces * breadth, 3), pixels and depth, rows of points across each strap from end to end.
        strap_widths: (straps,), in eye distances.
        scale: pixels per eye distance.
    """
    if not len(strap_widths):
        return
    rows = points.reshape(len(strap_widths), pieces, -1, 3)
    # Points of the picture as complex numbers: a rotation by 90 degrees is a factor.
    ends = rows[:, :, :: rows.shape[2] - 1]
    places = np.empty(ends.shape[:3], np.complex128)
    places.real, places.imag = ends[..., 0], ends[..., 1]
    left, right = places[:, :, 0], places[:, :, 1]
    normal = _steps(left + right) * 1j
    normal /= np.maximum(np.abs(normal), 1e-6)
    half = ((right - left) * normal.conj()).real / 2
    thick = (THICK / 2 * scale * strap_widths)[:, None] * _thickness_shares(pieces)
    # One sign for the whole strap: where it turns its other side to the viewer, its edges would cross in a point.
    side = np.copysign(1.0, np.add.reduce(half, axis=1))[:, None]
    add = (side * np.maximum(wide * np.maximum(np.abs(half), thick), FINEST / 2) - half) * normal
    left -= add
    right += add
    ends[..., 0], ends[..., 1] = places.real, places.imag


@cache
def _thickness_shares(pieces: int) -> Doubles:
    """The share of its thickness that each piece of a strap has."""
    return np.minimum(ROOT + (1 - ROOT) / FLAT * np.arange(pieces), 1.0)


def _steps(path: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """The vector from each point's previous neighbour to its next one, (straps, pieces)."""
    longer = np.concatenate([path[:, :1], path, path[:, -1:]], axis=1)
    return longer[:, 2:] - longer[:, :-2]
