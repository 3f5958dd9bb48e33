"""How far a face's points can be trusted: whether two ways of finding them agree, and how sure the detector was."""

from __future__ import annotations

import math

from maskgen.core.records import Face
from maskgen.faces.align import five_points


def trust(face: Face) -> float:
    """0..1: one, less the farthest of the detector's five points from the landmarks', in eye distances, and less what
    the detector's score lacks to 1.

    The detector's network and the landmarks' trees see the face in different ways and fail on different pictures: where
    they disagree one of them is wrong. `benchmarks/trust.py` prints how the landmarks' true error falls with it.
    """
    five = five_points(face.points68).tolist()
    apart = max(map(math.dist, five, face.detection.points5.tolist()))
    between = max(math.dist(five[0], five[1]), 1e-3)
    return min(max(face.detection.score - apart / between, 0.0), 1.0)
