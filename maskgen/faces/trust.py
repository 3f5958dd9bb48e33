"""Trust in a face's landmarks, 0 to 1: the agreement of landmark model and detector, and the certainty of each."""

from __future__ import annotations

import math

from maskgen.core.records import Certainty, Face
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

# Of the five points, those of the 68 that show whether each is seen: the lids of both eyes, nose tip, mouth corners.
_SHOWN_BY = (range(36, 42), range(42, 48), (30,), (48,), (54,))
UNSURE = 0.3  # expected error, in eye distances, at which the trust is 0


def trust(face: Face) -> float:
    """0..1: the detector's score minus the largest distance between one of the detector's five points and its landmark,
    in eye distances.

    The detector's network and the landmarks' trees see the face in different ways and fail on different pictures: where
    they disagree one of them is wrong. `benchmarks/trust.py` prints how the landmarks' true error falls with it.

    If the landmark model gives an expected error, only visible points count, the eye distance is that of a frontal
    face, and the trust is at most 1 - expected error / UNSURE.
    """
    five = five_points(face.points68)
    off = list(map(math.dist, five.tolist(), face.detection.points5.tolist()))
    if face.certainty is None:
        between = max(math.dist(*five[:2].tolist()), 1e-3)
        return min(max(face.detection.score - max(off) / between, 0.0), 1.0)
    apart = max(_seen_only(off, face.certainty), default=0.0) / max(frontal_eye_distance(five), 1e-3)
    agreed = min(max(face.detection.score - apart, 0.0), 1.0)
    return min(agreed, max(0.0, 1 - face.certainty.expected / UNSURE))


def _seen_only(off: list[float], certainty: Certainty) -> list[float]:
    """Of the distances of the five points, those of points that are seen."""
    return [one for one, by in zip(off, _SHOWN_BY, strict=True) if certainty.seen[list(by)].any()]
