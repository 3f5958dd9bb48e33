"""The jaw's 17 landmarks as they are marked in pictures: evenly along the outline, the ends near the level of the eyes.

The networks learn places on the head. As a head nods, the places before the ears rise and sink beside the eyes; marked
landmarks do so by about half as much: for 10 degrees of pitch the places move by 0.20 eye distances, and dlib's model,
which learned from marked photographs, moves them by 0.11 on drawn people (`benchmarks/jaw_convention.py`). On faces
turned by 70 degrees or more the places stay: a mask in profile needs them.

Source: the markup of 300-W, Sagonas and others 2013.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, floats
from maskgen.faces.landmarkers.face_frames import face_frames
from maskgen.faces.upright_crop import five_points

JAW, CHIN = 17, 8
LEVEL = 0.085  # of the ends below the middle between the eyes on the mean head seen from the front, in face units
FOLLOWS = 0.5  # share of the way from their places on the head to LEVEL
BEYOND = 1.0  # face units by which the outline goes on straight above its ends


def along_outline(points: Floats) -> Floats:
    """Landmarks (n, 68, 2) in pixels of their pictures: those of the jaw moved along the outline that they describe."""
    moved, fives = points.astype(np.float64), five_points(points)
    axes, unit = face_frames(fives)
    jaws = (moved[:, :JAW] - fives[:, :2].mean(1)[:, None]) @ axes.transpose(0, 2, 1) / unit
    left, other = _even(jaws[:, : CHIN + 1]), _even(jaws[:, : CHIN - 1 : -1])
    even = np.concatenate([left, other[:, -2::-1]], axis=1)
    facing = np.array([_facing(*one) for one in zip(fives, unit.ravel(), strict=True)]).reshape(-1, 1, 1)
    moved[:, :JAW] += facing * unit * ((even - jaws) @ axes)
    return floats(moved)


def _facing(five: Floats, unit: float) -> float:
    """1 for a face that looks at the camera, 0 for one turned by 70 degrees or more, from 60 on nearly 0: by the eyes'
    distance across the line to the mouth, which a nod hardly changes."""
    across, down = five[1] - five[0], five[3:].mean(0) - five[:2].mean(0)
    apart = abs(across[0] * down[1] - across[1] * down[0]) / max(float(np.hypot(*down)), 1e-3)
    return min(max(2 * float(apart) / unit - 1, 0.0), 1.0)


def _even(halves: Doubles) -> Doubles:
    """Halves of jaws, (n, 9, 2) from their ends to the chin, x to the face's right and y down from the eyes: as many
    points evenly along each, from the level where marked ones end."""
    ends = halves[:, 0]
    level = ends[:, 1] + FOLLOWS * (LEVEL - ends[:, 1])
    straight = ends - halves[:, 1]
    above = ends + BEYOND * straight / np.maximum(_length(straight), 1e-6)[:, None]
    lines = np.concatenate([above[:, None], halves], axis=1)
    steps = np.diff(lines, axis=1)
    long = _length(steps)
    along = np.concatenate([np.zeros((len(lines), 1)), np.cumsum(long, axis=1)], axis=1)
    begin = np.where(*_first_crossing(lines[..., 1], level, along), along[:, 1])
    at = begin[:, None] + (along[:, -1] - begin)[:, None] * np.linspace(0, 1, CHIN + 1)
    piece = (at[:, :, None] >= along[:, None, 1:-1]).sum(2)
    every = np.arange(len(lines))[:, None]
    share = (at - along[every, piece]) / np.maximum(long[every, piece], 1e-9)
    return np.asarray(lines[every, piece] + share[..., None] * steps[every, piece])


def _length(vectors: Doubles) -> Doubles:
    """Of vectors (..., 2), with the same bits in any batch."""
    return np.asarray(np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2))


def _first_crossing(heights: Doubles, level: Doubles, along: Doubles) -> tuple[NDArray[np.bool_], Doubles]:
    """Whether each line, with y (n, k) at distances `along` from its begin, goes down through its level, and where."""
    crossed = (heights[:, :-1] <= level[:, None]) & (heights[:, 1:] > level[:, None])
    first, every = crossed.argmax(1), np.arange(len(heights))
    before, after = heights[every, first], heights[every, first + 1]
    share = (level - before) / np.where(after > before, after - before, 1.0)
    where = along[every, first] + share * (along[every, first + 1] - along[every, first])
    return np.asarray(crossed.any(1)), np.asarray(where)
