"""The 68 iBUG landmarks of a detected face, by dlib's model.

The predictor was trained on boxes of dlib's own detector. Here every face is first brought upright and to one size by
its five points, and the box is always the same square in the middle of that patch: head turned, tilted or lying, the
predictor sees what it was trained on. Where the square lies was fitted on photographs with hand-marked points.

Source: Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.reasons import Reason, SetAsideError, UserError
from maskgen.core.records import Certainty, Detection, Doubles, Floats, Image, Mask
from maskgen.faces.shape_predictor import ShapePredictor
from maskgen.faces.shape_predictor_cache import cached_forests
from maskgen.faces.upright_crop import (
    face_right,
    five_points,
    frontal_eye_distance,
    shrink_by_area,
    shrink_factor,
    similarity,
    source_window,
)

PATCH = 192
BOX_SIDE = 2.3  # of the predictor's box, in face units
BOX_UP = 0.1  # how far its middle lies above the middle between eyes and mouth, in face units
# Mean distance between the detector's five points and the predictor's, in face units, beyond which one is wrong. On
# photographs of one clear face it is 0.05, at most 0.2.
FARTHEST = 0.35
MODEL = "shape_predictor_68_face_landmarks.dat"


def default_model() -> Path:
    """The 68-point model that came with the installation.

    Raises:
        UserError: it is not installed.
    """
    return installed_model(MODEL, or_else=", or name another model")


@dataclass(frozen=True, slots=True)
class Points68:
    """The points of one face, `xy` float32 (68, 2) in the picture's pixels, and how sure the model is of them, where it
    says."""

    xy: Floats
    certainty: Certainty | None = None


class Landmarker:
    """Finds 68 points in faces that a detector found, by dlib's model.

    Args:
        model: a dlib shape predictor of 68 points; None for the one that is installed.

    Raises:
        UserError: the model is not there or is no dlib model of 68 points.
    """

    def __init__(self, model: Path | None = None) -> None:
        self._model = model
        path = Path(model) if model is not None else default_model()
        if not path.is_file():
            raise UserError(f"{path}: no such landmarks model; give the path of a dlib 68-point shape predictor")
        try:
            self._predictor = ShapePredictor(cached_forests(path))
        except ValueError as fault:
            raise UserError(f"{path}: not a dlib shape predictor of 68 points ({fault})") from None

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process maps the model again."""
        return type(self), (self._model,)

    def points68(self, image: Image, detection: Detection) -> Floats:
        """The points of one face, float32 (68, 2), in the picture's pixels.

        Raises:
            SetAsideError: Reason.NO_LANDMARKS where they contradict the detector's five points.
        """
        (points,) = self.points68_of([(image, detection)])
        if isinstance(points, SetAsideError):
            raise points
        return points.xy

    def points68_of(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68 | SetAsideError]:
        """As `points68` for many faces, which takes a quarter of the time; a fault stands in its face's place."""
        return _checked(self._found(faces), [detection for _, detection in faces]) if faces else []

    def _found(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        """The points of some faces, one or more."""
        return [Points68(one) for one in upright_points(self._predictor, faces)]


def upright_points(predictor: ShapePredictor, faces: Sequence[tuple[Image, Detection]]) -> Floats:
    """What a predictor finds in some faces, one or more, brought upright: float32 (n, points, 2), in their pictures'
    pixels."""
    to_patch = [_to_patch(detection.points5) for _, detection in faces]
    looked_at = [_look(image, matrix) for (image, _), matrix in zip(faces, to_patch, strict=True)]
    shares = predictor.points([picture for picture, _ in looked_at], _boxes([matrix for _, matrix in looked_at]))
    return _carried(shares, _boxes(to_patch))


def _look(image: Image, matrix: Doubles) -> tuple[Mask, Doubles]:
    """What the predictor looks at of a picture, in grey and at most twice as large as the patch, and the matrix that
    takes its pixels to the patch's: the predictor compares single pixels, so nothing is warped."""
    times = shrink_factor(matrix)
    part, matrix = source_window(image, matrix, PATCH, 2 * max(1, times))
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    return shrink_by_area(grey, matrix, times) if times >= 2 else (grey, matrix)


def _boxes(matrices: Sequence[Doubles]) -> Doubles:
    """What takes shares of the predictor's box, the patch's middle half, to the pixels that each matrix takes there,
    (n, 2, 3)."""
    boxes = np.stack([cv2.invertAffineTransform(matrix) for matrix in matrices])
    boxes[..., 2] += (boxes[..., 0] + boxes[..., 1]) * (PATCH / 4)
    boxes[..., :2] *= PATCH / 2
    return boxes


def _carried(shares: Floats, boxes: Doubles) -> Floats:
    """Points (n, points, 2) in shares of the box in pixels of the pictures."""
    x, y = shares[..., 0, None].astype(np.float64), shares[..., 1, None]
    return (x * boxes[:, None, :, 0] + y * boxes[:, None, :, 1] + boxes[:, None, :, 2]).astype(np.float32)


def _checked(points: Sequence[Points68], detections: Sequence[Detection]) -> list[Points68 | SetAsideError]:
    """The points, with a fault in the place of those that contradict the detector's five."""
    found = np.stack([detection.points5 for detection in detections])
    units = np.array([max(frontal_eye_distance(own), 1e-6) for own in found])
    apart = np.linalg.norm(five_points(np.stack([own.xy for own in points])) - found, axis=2).mean(1) / units
    return [
        own
        if far <= FARTHEST
        else SetAsideError(Reason.NO_LANDMARKS, f"detector and landmarks are {far:.2f} eye distances apart")
        for own, far in zip(points, apart.tolist(), strict=True)
    ]


def _to_patch(points5: Floats) -> Doubles:
    """The similarity that brings a face upright into the patch, its box in the middle half."""
    right, unit = face_right(points5), frontal_eye_distance(points5)
    up = np.array([right[1], -right[0]])
    middle = (points5[0] + points5[1] + points5[3] + points5[4]) / 4 + up * BOX_UP * unit
    scale = PATCH / 2 / (BOX_SIDE * max(unit, 1e-3))
    return similarity(middle, right, scale, np.array([PATCH / 2, PATCH / 2]))
