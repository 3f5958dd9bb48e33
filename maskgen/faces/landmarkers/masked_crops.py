"""The five points of the one face of a crop, by the program's own landmark network, also behind a mask.

MTCNN's five points are sure and wrong on some masked faces: it takes the brows for eyes, or looks for a mouth under the
cloth. The network of `own_network.py` has seen drawn people in masks, says how far it may be off, and needs no
detection: it begins at the place of a face in a crop of default margin. Where it is unsure there, it also begins at a
smaller face, at a larger one and at MTCNN's points, and the mean is weighted by what it expects of each. MTCNN's points
are the more exact on bare faces, so the result lies halfway between both where they are near each other.

Measured by `benchmarks/masked_alignment.py`, by which the numbers here were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskgen.core.records import Detection, Doubles, Floats, Image, floats
from maskgen.faces.choose import most_prominent
from maskgen.faces.detect import LENIENT_THRESHOLDS, MtcnnDetector
from maskgen.faces.landmarkers.own import OwnLandmarker
from maskgen.faces.landmarks import Points68
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

# Eyes, nose tip and mouth corners in a crop of default margin, in shares of its side: their mean in crops of LFW.
PLACES = np.array([[0.352, 0.371], [0.648, 0.371], [0.5, 0.531], [0.365, 0.695], [0.635, 0.695]])
SIZES = (0.75, 1.33)  # of the faces that it begins at where it is unsure, in sizes of PLACES
LOOKS = 2  # times that the network looks, each time at the points that it found before
STILL = 0.04  # mean distance of these from where it began, in eye distances, up to which it looks no further
UNSURE = 0.11  # expected error, in eye distances, above which it begins elsewhere, too
NEAR = 0.2  # mean distance to MTCNN's points, in eye distances, up to which these count too
POWER = 4  # the weight of a result is its expected error to the power of minus this
_NO_BOX = np.zeros(4, np.float32)


@dataclass(frozen=True, slots=True)
class FoundPoints:
    """Eyes, nose tip and mouth corners, `xy` float32 (5, 2), in pixels of the crop, and `expected`, their expected
    error in eye distances of a frontal face."""

    xy: Floats
    expected: float


class CropPoints:
    """Finds the five points in crops of one face each."""

    def __init__(self) -> None:
        self._network = OwnLandmarker()
        self._detector = MtcnnDetector(aligned=True, thresholds=LENIENT_THRESHOLDS)

    def find(self, crops: Sequence[Image]) -> list[FoundPoints]:
        """The points of each crop; they do not depend on the other crops.

        Args:
            crops: uint8 RGB (height, width, 3); the face may be half as large or half as large again as in a crop of
                default margin, and elsewhere where MTCNN finds it.
        """
        found = self._looked(crops, [places_in(crop) for crop in crops])
        unsure = [at for at, one in enumerate(found) if one.expected > UNSURE]
        some = [crops[at] for at in unsure]
        others = [self._looked(some, [places_in(crop, size) for crop in some]) for size in SIZES]
        detected = self._detected(crops)
        starts = {at: start for at in unsure if (start := detected[at]) is not None}
        further = dict(zip(starts, self._looked([crops[at] for at in starts], list(starts.values())), strict=True))
        for number, at in enumerate(unsure):
            more = [each[number] for each in others] + ([further[at]] if at in further else [])
            found[at] = merged([found[at], *more])
        return [halfway(*both) for both in zip(found, detected, strict=True)]

    def _looked(self, crops: Sequence[Image], starts: Sequence[Floats]) -> list[FoundPoints]:
        found = [FoundPoints(start, 0.0) for start in starts]
        moving = list(range(len(crops)))
        for _ in range(LOOKS):
            faces = [(crops[at], Detection(_NO_BOX, found[at].xy, 1.0)) for at in moving]
            new = {at: found_points(one) for at, one in zip(moving, self._network.predicted(faces), strict=True)}
            moving = [at for at in moving if apart(new[at].xy, found[at].xy) > STILL]
            found = [new.get(at, old) for at, old in enumerate(found)]
        return found

    def _detected(self, crops: Sequence[Image]) -> list[Floats | None]:
        found = zip(crops, self._detector.detect(crops), strict=True)
        return [most_prominent(crop, faces).points5 if faces else None for crop, faces in found]


def places_in(crop: Image, size: float = 1.0) -> Floats:
    """The points of a face of this size in the middle of a crop, float32 (5, 2), in its pixels."""
    height, width = crop.shape[:2]
    middle: Doubles = PLACES.mean(0)
    shares = middle + (PLACES - middle) * size - 0.5
    return floats(np.array([width, height]) / 2 + shares * min(height, width) - 0.5)


def found_points(points: Points68) -> FoundPoints:
    """The five of 68 landmarks."""
    return FoundPoints(five_points(points.xy), points.certainty.expected if points.certainty else 0.0)


def apart(points: Floats, others: Floats) -> float:
    """The mean distance of five points (5, 2) from others, in eye distances of a frontal face."""
    return float(np.linalg.norm(points - others, axis=1).mean()) / max(frontal_eye_distance(points), 1e-3)


def halfway(found: FoundPoints, detected: Floats | None) -> FoundPoints:
    """Halfway between the network's points and a detector's (5, 2), if these are there and NEAR."""
    if detected is None:
        return found
    apart = float(np.linalg.norm(found.xy - detected, axis=1).mean())
    if apart >= NEAR * float(np.linalg.norm(found.xy[1] - found.xy[0])):
        return found
    return FoundPoints(floats((found.xy + detected) / 2), found.expected)


def merged(found: Sequence[FoundPoints]) -> FoundPoints:
    """The mean of some results, weighted by their expected errors, with the least of these."""
    expected = np.array([one.expected for one in found])
    weights = (expected.min() / np.maximum(expected, 1e-6)) ** POWER if expected.min() > 0 else expected == 0
    return FoundPoints(floats(np.average([one.xy for one in found], 0, weights=weights)), float(expected.min()))
