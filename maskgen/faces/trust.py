"""Trust in a face's landmarks, 0 to 1: the agreement of landmark model and detector, and the certainty of each."""

from __future__ import annotations

import math

from maskgen.core.records import Certainty, Face
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

# Of the five points, those of the 68 that show whether each is seen: the lids of both eyes, nose tip, mouth corners.
_SHOWN_BY = (range(36, 42), range(42, 48), (30,), (48,), (54,))
UNSURE = 0.3  # an expected error, in eye distances, at which nothing is left of the trust


def trust(face: Face) -> float:
    """0..1: one, less the farthest of the detector's five points from the landmarks', in eye distances, and less what
    the detector's score lacks to 1.

    The detector's network and the landmarks' trees see the face in different ways and fail on different pictures: where
    they disagree one of them is wrong. `benchmarks/trust.py` prints how the landmarks' true error falls with it.

    Where the landmark model says how sure it is, only points that are seen count, an eye distance is that of a face
    that looks at us, and the trust is at most what the expected error leaves.
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
