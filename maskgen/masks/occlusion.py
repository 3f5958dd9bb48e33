"""Which triangles of a mask can be seen, and which of the head's can hide a part of it: the others need not be drawn.

What is worn lies on the head. Where its cloth or its loops face away from the viewer the head is before them, whatever
the pose; where the head faces the viewer nothing that is worn lies close behind it. What is left to a depth buffer is
the zone of the head's outline, and the ears.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.masks.head import Triangles

AWAY = 0.0  # cosine to the line of sight below which what is worn is behind the head
STEEP = 0.6  # cosine below which the head can hide what is worn
SIDEWAYS = 0.6  # cosine of the head's turn below which the side of the nose, seen square, hides the far cheek


def in_sight(toward: NDArray[np.floating], triangles: Triangles) -> Triangles:
    """The triangles of a mask on this side of the head; `toward` (n,) is the cosine of each point's ray from the
    skull's middle to the line of sight."""
    return triangles[(toward > AWAY)[triangles].any(1)]


def hiding(
    head: Doubles,
    toward: NDArray[np.floating],
    turn: float,
    triangles: Triangles,
    low: tuple[int, int],
    high: tuple[int, int],
) -> Triangles:
    """The triangles of the head that face us at a slant, with a corner in a box of the picture.

    Args:
        head: the head's points in the picture, (n, 3).
        toward: the cosine of each point's normal to the line of sight, (n,).
        turn: the cosine of the way the face looks to the line of sight.
        low, high: the box, x and y.
    """
    x, y = head[:, 0], head[:, 1]
    inside = (x > low[0]) & (y > low[1]) & (x < high[0]) & (y < high[1])
    slanted = (toward > 0) & (toward < (STEEP if turn > SIDEWAYS else np.inf))
    return triangles[(inside & slanted)[triangles].any(1)]
