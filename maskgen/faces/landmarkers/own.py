"""The 68 landmarks of a detected face by the program's own network, trained on rendered people only.

The far side of a turned head is known too: hidden points are where they are on the head, not on its outline.
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
        first = _in_pictures(predict(patches), matrices)
        # Cut again by the points that were found: of a profile the detector's five are far off. The mirror image is
        # looked at this time, which makes up for what the network does not do the same on both sides.
        patches, matrices = _cut(images, list(five_points(first.points)))
        second = _in_pictures(predict_mirrored(patches), matrices)
        return [_marked(*both) for both in zip(first.each(), second.each(), strict=True)]


@dataclass(frozen=True, slots=True)
class _Look:
    """What was said of n faces: `points` (n, 68, 2) and `spread` (n, 68) in the pictures' pixels, `seen` (n, 68)."""

    points: Floats
    spread: Floats
    seen: Floats

    def each(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Face by face."""
        return zip(self.points, self.spread, self.seen, strict=True)


def _in_pictures(said: Prediction, matrices: Sequence[Doubles]) -> _Look:
    sides = floats([SIDE / float(np.hypot(*matrix[0, :2])) for matrix in matrices])
    found = [from_patch(one, matrix) for one, matrix in zip(said.points[:, :POINTS], matrices, strict=True)]
    points = np.stack(found) if found else np.zeros((0, POINTS, 2), np.float32)
    return _Look(points, said.spread[:, :POINTS] * sides[:, None], said.seen)


def _cut(images: Sequence[Image], five: Sequence[Floats]) -> tuple[Mask, list[Doubles]]:
    """The patch of each picture by five points, and the matrices that cut them."""
    matrices = [to_patch(points5) for points5 in five]
    return np.stack([cut_patch(image, one) for image, one in zip(images, matrices, strict=True)]), matrices


def _marked(first: tuple[Floats, Floats, Floats], second: tuple[Floats, Floats, Floats]) -> Points68:
    """The mean of two looks, each point weighted by the inverse of its spread's square."""
    share = (1 / (1 + (first[1] / second[1]) ** 2))[:, None]
    points = np.asarray(share * first[0] + (1 - share) * second[0], np.float32)
    seen, spread = (first[2] + second[2]) / 2, np.minimum(first[1], second[1])
    expected = float((spread * seen).sum() / max(float(seen.sum()), 1e-3)) * AWAY
    return Points68(points, Certainty(seen > SHOWN, expected / max(frontal_eye_distance(five_points(points)), 1e-3)))
