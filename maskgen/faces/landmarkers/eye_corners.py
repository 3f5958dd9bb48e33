"""The corners of the eyes and the foot of the nose by dlib's predictor of five points.

It learned from 7,198 photographs that dlib's author gathered and marked himself, and gave into the public domain with
the model. The model of 68 points beside it in the package face_recognition_models is not needed.

Source: King, dlib-models, 2017 (github.com/davisking/dlib-models).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.reasons import UserError
from maskgen.core.records import Detection, Floats, Image
from maskgen.faces.landmarks import upright_points
from maskgen.faces.shape_predictor import ShapePredictor
from maskgen.faces.shape_predictor_cache import cached_forests

MODEL = "shape_predictor_5_face_landmarks.dat"
CORNERS = (45, 42, 36, 39, 33)  # which of the 68 landmarks its points are


def corners_of(faces: Sequence[tuple[Image, Detection]]) -> Floats:
    """Those landmarks of some faces, one or more: float32 (n, 5, 2), in their pictures' pixels.

    Raises:
        UserError: the model is not installed, or is another one.
    """
    return upright_points(_predictor(os.getpid()), faces)


@cache
def _predictor(process: int) -> ShapePredictor:
    """The predictor of this process."""
    del process
    path = installed_model(MODEL)
    try:
        return ShapePredictor(cached_forests(path, len(CORNERS)))
    except ValueError as fault:
        raise UserError(f"{path}: not a dlib shape predictor of five points ({fault})") from None
