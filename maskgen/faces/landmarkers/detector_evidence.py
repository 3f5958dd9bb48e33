"""Points that others find as evidence for all 68 landmarks: the networks' answers are moved toward them.

The networks learned from drawn people; the detector and dlib's predictor of the eyes' corners (`eye_corners`) learned
from photographs. On photographs of bare faces their points are nearer to the marked ones, and the lower side of the
detector's box tells more of the chin. Where they disagree with the networks, the 68 landmarks move by what the
networks' errors on drawn people say on average of such a disagreement: the mean of a Gaussian, given these points with
errors of their own. The numbers are made by `benchmarks/own_landmarks_detector.py`.

Behind masks and hands these points are the worse ones, and on profiles, too. So they count less the larger the
disagreement is, and the more of its landmarks the head itself hides.

Source: Gaussian conditioning, Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, appendix A.2.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, floats
from maskgen.faces.landmarkers.eye_corners import CORNERS
from maskgen.faces.landmarkers.face_frames import face_frames
from maskgen.faces.landmarkers.own_network import POINTS, stored_weights
from maskgen.faces.upright_crop import five_points

FILE = "own_detector.npz"
CHIN = 8
# Disagreements, in face units, at which evidence counts half: the mean of five points, which is 0.05 on clear
# photographs, and that of the chin, whose deviation there is 0.1.
USUAL, USUAL_CHIN = 0.1, 0.3
LEVEL, TILTED = 10.0, 25.0  # roll in degrees up to which the box counts for the chin, and from which it does not


class Evidence(NamedTuple):
    """What `FILE` holds.

    Attributes:
        moves: how the landmarks move, x and y of each in turn, for x and y of the disagreement of the detector's five
            points and of the five of `eye_corners`, (136, 20).
        chin: how they then move for the chin's, (136,).
        above: how far above the chin the box ends, in face units.
    """

    moves: Doubles
    chin: Doubles
    above: float


def toward_points(points: Floats, seen: Floats, fives: Floats, corners: Floats) -> Floats:
    """Landmarks moved toward points that others found.

    Args:
        points: (n, 68, 2), in pixels of their pictures.
        seen: (n, 68), the probability that each is visible.
        fives: (n, 5, 2), the detector's eyes, nose tip and mouth corners.
        corners: (n, 5, 2), the landmarks `eye_corners.CORNERS`.
    """
    own = five_points(points)
    axes, units = face_frames(own)
    off = []
    for theirs, ours in ((fives, own), (corners, points[:, CORNERS])):
        apart = (theirs.astype(np.float64) - ours) @ axes.transpose(0, 2, 1) / units
        off.append(apart * _trusted(np.sqrt((apart * apart).sum(2)).mean(1), USUAL)[:, None, None])
    # A sum and no matrix product, whose last bits depend on the number of faces.
    moves = (_evidence().moves * np.concatenate(off, 1).reshape(-1, 1, 20)).sum(2) * _frontal(seen)[:, None]
    return floats(points + units * (moves.reshape(-1, POINTS, 2) @ axes))


def toward_box(points: Floats, seen: Floats, boxes: Floats, given: NDArray[np.bool_]) -> Floats:
    """Landmarks, chiefly the jaw's, moved toward the lower side of the detector's boxes; as `toward_points`.

    Args:
        boxes: (n, 4), left, top, right and bottom.
        given: (n,), which are not the detector's: they end elsewhere, and do not count.
    """
    evidence = _evidence()
    axes, units = face_frames(five_points(points))
    roll = np.degrees(np.arctan2(axes[:, 0, 1], axes[:, 0, 0]))
    off = (boxes[:, 3].astype(np.float64) - points[:, CHIN, 1]) / units[:, 0, 0] + evidence.above
    upright = np.clip((TILTED - np.abs(roll)) / (TILTED - LEVEL), 0, 1)
    share = _frontal(seen) * upright * ~given * _trusted(off, USUAL_CHIN)
    moves = evidence.chin * (off * share)[:, None]
    return floats(points + units * (moves.reshape(-1, POINTS, 2) @ axes))


def _frontal(seen: Floats) -> Doubles:
    """1 for faces of which all landmarks are seen, 0 where half are hidden: (n,)."""
    return np.asarray(np.clip(2 * seen.mean(1).astype(np.float64) - 1, 0, 1))


def _trusted(off: Doubles, usual: float) -> Doubles:
    """How much a detector counts that is so far off."""
    return np.asarray(1 / (1 + (off / usual) ** 4))


@cache
def _evidence() -> Evidence:
    stored = {name: value.astype(np.float64) for name, value in stored_weights(FILE).items()}
    return Evidence(stored["moves"], stored["chin"], float(stored["above"]))
