"""Loops and straps as the eye sees them from the side: cords and folded bands, never a sheet without thickness."""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Doubles

THICK = 0.65  # of its breadth: what a ribbon seen on its edge still has
FINEST = 0.8  # pixels: the least breadth that is drawn without gaps


def thickened(points: Doubles, breadths: Doubles, pieces: int, scale: float) -> None:
    """Give ribbons that are seen on their edges their thickness, in place.

    Args:
        points: (ribbons * pieces * breadth, 3), pixels and depth, rows of points across each ribbon from end to end.
        breadths: (ribbons,), each one's breadth in eye distances.
        scale: pixels per eye distance.
    """
    rows = points.reshape(len(breadths), pieces, -1, 3)
    left, right = rows[:, :, 0, :2], rows[:, :, -1, :2]
    along = _steps(left + right)
    normal = np.stack([-along[..., 1], along[..., 0]], -1)
    normal /= np.maximum(np.sqrt(np.einsum("rpi,rpi->rp", along, along)), 1e-6)[..., None]
    half = np.einsum("rpi,rpi->rp", right - left, normal) / 2
    least = np.maximum(THICK * scale * breadths, FINEST)[:, None] / 2
    add = (np.where(half < 0, np.minimum(half, -least), np.maximum(half, least)) - half)[..., None] * normal
    left -= add
    right += add


def _steps(path: Doubles) -> Doubles:
    """From each point's neighbour before it to the one behind it, (ribbons, pieces, 2)."""
    steps = np.empty_like(path)
    steps[:, 1:-1] = path[:, 2:] - path[:, :-2]
    steps[:, 0], steps[:, -1] = path[:, 1] - path[:, 0], path[:, -1] - path[:, -2]
    return steps
