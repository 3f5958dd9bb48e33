"""Whether a face with a low upright score is turned by a quarter or half turn.

A network that knows upright faces is unsure of profiles, of dark and of cut-off faces, which would be lost if its score
decided alone. What was found in a face that lies looks better in another turn, of its
crop or of the photograph around it; an upright face does not.
"""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Detection, Image
from maskgen.faces.classifiers.classifier_network import classifier_input
from maskgen.faces.classifiers.upright import upright_scores
from maskgen.faces.detect import Detector

BETTER = 1.0  # by how much the score in another turn must be higher
AROUND = 3.0  # what is turned reaches so many times the box's longer side from its middle
LONGEST = 480  # side of what is searched, in pixels
QUARTERS = (1, 2, 3)


def is_turned(image: Image, face: Detection, score: float, detector: Detector | None) -> bool:
    """Whether the face scores clearly higher in another orientation.

    Args:
        image: uint8 RGB (height, width, 3).
        face: what was found in it.
        score: its score, see `upright_scores`.
        detector: searches the turned photograph; None where only the crop is to be turned.
    """
    crop = classifier_input(image, face.points5)
    seen = [_turned(crop, quarters) for quarters in QUARTERS]
    if detector is not None and not detector.one_face:
        views = [_turned(_around(image, face), quarters) for quarters in QUARTERS]
        found = [detector.detect_upright(view) for view in views]
        seen += [classifier_input(view, one.points5) for view, faces in zip(views, found, strict=True) for one in faces]
    return bool(upright_scores(seen).max() > score + BETTER)


def _turned(image: Image, quarters: int) -> Image:
    return np.ascontiguousarray(np.rot90(image, quarters))


def _around(image: Image, face: Detection) -> Image:
    """The part of the photograph around a face, which holds a larger face that this one is a part of."""
    height, width = image.shape[:2]
    middle = (face.box[:2] + face.box[2:]) / 2
    reach = AROUND * float(max(face.box[2:] - face.box[:2]))
    left, top = (max(0, int(at - reach)) for at in middle)
    right, bottom = min(width, int(middle[0] + reach) + 1), min(height, int(middle[1] + reach) + 1)
    part = image[top:bottom, left:right]
    scale = LONGEST / max(part.shape[:2])
    if scale >= 1:
        return part
    return cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
