"""The 68 landmarks of a detected face by the program's own network, trained on rendered people only.

The far side of a turned head is known too: hidden points are where they are on the head, not on its outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskgen.core.records import Certainty, Detection, Doubles, Floats, Image, Mask
from maskgen.faces.landmarkers.own_network import (
    SIDE,
    Prediction,
    cut_patch,
    from_patch,
    predict,
    predict_with_mirror,
    to_patch,
)
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

AWAY = 1.62  # mean distance of a Laplace distribution of spread 1 in x and in y, by sampling
SHOWN = 0.5  # from which likelihood on a point counts as seen


class OwnLandmarker(Landmarker):
    """Finds 68 points in faces that a detector found, and says which are seen and how far off they may be."""

    def __init__(self) -> None:
        """Nothing is loaded before the first face."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process loads the network again."""
        return type(self), ()

    def _found(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        images, five = [image for image, _ in faces], [detection.points5 for _, detection in faces]
        patches, matrices = _cut(images, five)
        rough = predict(patches)
        # Cut again by the points that were found: of a profile the detector's five are far off.
        five = [five_points(from_patch(*one)) for one in zip(rough.points, matrices, strict=True)]
        patches, matrices = _cut(images, five)
        said = predict_with_mirror(patches)
        return [_marked(said, at, matrix) for at, matrix in enumerate(matrices)]


def _cut(images: Sequence[Image], five: Sequence[Floats]) -> tuple[Mask, list[Doubles]]:
    """The patch of each picture by five points, and the matrices that cut them."""
    matrices = [to_patch(points5) for points5 in five]
    return np.stack([cut_patch(image, one) for image, one in zip(images, matrices, strict=True)]), matrices


def _marked(said: Prediction, at: int, matrix: Doubles) -> Points68:
    points = from_patch(said.points[at], matrix)
    return Points68(points, Certainty(said.seen[at] > SHOWN, _expected(said, at, points, matrix)))


def _expected(said: Prediction, at: int, points: Floats, matrix: Doubles) -> float:
    """The mean error that the network expects of the points that it sees, in eye distances as `frontal_eye_distance`
    has them."""
    seen = said.seen[at]
    spread = float((said.spread[at] * seen).sum() / max(float(seen.sum()), 1e-3))
    side = SIDE / float(np.hypot(matrix[0, 0], matrix[0, 1]))
    return AWAY * spread * side / max(frontal_eye_distance(five_points(points)), 1e-3)
