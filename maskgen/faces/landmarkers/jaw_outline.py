"""The jaw's 17 landmarks as they are marked in pictures: evenly along the outline, the ends near the level of the eyes.

The networks learn places on the head. As a head nods, the places before the ears rise and sink beside the eyes; marked
landmarks do so by about half as much: for 10 degrees of pitch the places move by 0.20 eye distances, and dlib's model,
which learned from marked photographs, moves them by 0.11 on drawn people (`benchmarks/jaw_convention.py`). On faces
turned by 65 degrees or more the places stay: a mask in profile needs them.

Source: the markup of 300-W, Sagonas and others 2013.
"""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Doubles, Floats, floats
from maskgen.faces.upright_crop import face_right, five_points, frontal_eye_distance

JAW, CHIN = 17, 8
LEVEL = 0.085  # of the ends below the middle between the eyes on the mean head seen from the front, in face units
FOLLOWS = 0.5  # share of the way from their places on the head to LEVEL
BEYOND = 1.0  # face units by which the outline goes on straight above its ends


def along_outline(points: Floats) -> Floats:
    """Landmarks (n, 68, 2) in pixels of their pictures: those of the jaw moved along the outline that they describe."""
    moved = points.astype(np.float64)
    for one, five in zip(moved, five_points(points), strict=True):
        right, unit = face_right(five), max(frontal_eye_distance(five), 1e-3)
        axes = np.array([right, [-right[1], right[0]]])
        jaw = (one[:JAW] - five[:2].mean(0)) @ axes.T / unit
        even = np.concatenate([_even(jaw[: CHIN + 1]), _even(jaw[: CHIN - 1 : -1])[-2::-1]])
        one[:JAW] += _facing(five, unit) * unit * (even - jaw) @ axes
    return floats(moved)


def _facing(five: Floats, unit: float) -> float:
    """1 for a face that looks at the camera, 0 for one turned by 60 degrees or more: by the eyes' distance across the
    line to the mouth, which a nod does not change."""
    across, down = five[1] - five[0], five[3:].mean(0) - five[:2].mean(0)
    apart = abs(across[0] * down[1] - across[1] * down[0]) / max(float(np.hypot(*down)), 1e-3)
    return min(max(2 * float(apart) / unit - 1, 0.0), 1.0)


def _even(half: Doubles) -> Doubles:
    """A half of the jaw, (9, 2) from its end to the chin, x to the face's right and y down from the eyes: as many
    points evenly along it, from the level where marked ones end."""
    level = half[0, 1] + FOLLOWS * (LEVEL - half[0, 1])
    straight = half[0] - half[1]
    line = np.concatenate([[half[0] + BEYOND * straight / max(np.hypot(*straight), 1e-6)], half])
    crossed = np.flatnonzero((line[:-1, 1] <= level) & (line[1:, 1] > level))
    if len(crossed):
        above, below = line[crossed[0] : crossed[0] + 2]
        end = above + (level - above[1]) / (below[1] - above[1]) * (below - above)
        half = np.concatenate([[end], line[crossed[0] + 1 :]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(half, axis=0).T))])
    at = np.linspace(0.0, along[-1], CHIN + 1)
    return np.stack([np.interp(at, along, axis) for axis in half.T], axis=1)
