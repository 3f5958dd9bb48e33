"""The 68 landmarks of a detected face by the program's own network, trained on rendered people only.

On the far side of a turned head, hidden landmarks are at their places on the head, not on its outline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskgen.core.records import Certainty, Detection, Doubles, Floats, Image, Mask, floats
from maskgen.faces.landmarkers.own_network import (
    POINTS,
    SIDE,
    Prediction,
    cut_patch,
    from_patch,
    predict,
    predict_mirrored,
    to_patch,
)
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

AWAY = 1.62  # mean distance from 0 if x and y each have a Laplace distribution of scale 1, found by sampling
SHOWN = 0.5  # probability above which a landmark counts as visible


class OwnLandmarker(Landmarker):
    """Finds the 68 landmarks of detected faces, their visibility and their expected error."""

    def __init__(self) -> None:
        """The network is loaded with the first face."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the network: another process loads its own."""
        return type(self), ()

    def predicted(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        """As `points68_of`, whether or not the landmarks contradict the detector's five points."""
        return self._found(faces) if faces else []

    def _found(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        images, five = [image for image, _ in faces], [detection.points5 for _, detection in faces]
        patches, matrices = _cut(images, five)
        first = _in_pictures(predict(patches), matrices)
        # The second patch is cut by the landmarks that were found: on a profile, the detector's five are far off. Its
        # mirror image is used, which compensates for differences of the network between left and right.
        patches, matrices = _cut(images, list(five_points(first.points)))
        second = _in_pictures(predict_mirrored(patches), matrices)
        return [_marked(*both) for both in zip(first.each(), second.each(), strict=True)]


@dataclass(frozen=True, slots=True)
class _Look:
    """The prediction for n faces: `points` (n, 68, 2) and `spread` (n, 68) in pixels of the picture, and `seen`
    (n, 68), the probability of visibility."""

    points: Floats
    spread: Floats
    seen: Floats

    def each(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Points, spread and visibility of each face."""
        return zip(self.points, self.spread, self.seen, strict=True)


def _in_pictures(said: Prediction, matrices: Sequence[Doubles]) -> _Look:
    sides = floats([SIDE / float(np.hypot(*matrix[0, :2])) for matrix in matrices])
    found = [from_patch(one, matrix) for one, matrix in zip(said.points[:, :POINTS], matrices, strict=True)]
    points = np.stack(found) if found else np.zeros((0, POINTS, 2), np.float32)
    return _Look(points, said.spread[:, :POINTS] * sides[:, None], said.seen)


def _cut(images: Sequence[Image], five: Sequence[Floats]) -> tuple[Mask, list[Doubles]]:
    """The patches (n, SIDE, SIDE) of pictures, aligned by five landmarks each, and their matrices, see `to_patch`."""
    matrices = [to_patch(points5) for points5 in five]
    return np.stack([cut_patch(image, one) for image, one in zip(images, matrices, strict=True)]), matrices


def _marked(first: tuple[Floats, Floats, Floats], second: tuple[Floats, Floats, Floats]) -> Points68:
    """The mean of two predictions, each landmark weighted by the inverse square of its spread."""
    share = (1 / (1 + (first[1] / second[1]) ** 2))[:, None]
    points = np.asarray(share * first[0] + (1 - share) * second[0], np.float32)
    seen, spread = (first[2] + second[2]) / 2, np.minimum(first[1], second[1])
    expected = float((spread * seen).sum() / max(float(seen.sum()), 1e-3)) * AWAY
    return Points68(points, Certainty(seen > SHOWN, expected / max(frontal_eye_distance(five_points(points)), 1e-3)))
