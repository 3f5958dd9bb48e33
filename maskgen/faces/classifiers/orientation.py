"""Whether a face with a low upright score is rotated by 90, 180 or 270 degrees.

The classifier of upright faces gives low scores also to profiles, dark faces and cut-off faces, which would be lost if
its score alone decided. A detection in a turned face scores higher after its crop or the photograph around it is
rotated; an upright face does not.
"""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Detection, Image
from maskgen.faces.classifiers.classifier_network import classifier_input
from maskgen.faces.classifiers.upright import upright_scores
from maskgen.faces.detect import Detector

BETTER = 1.0  # margin, a logit, by which the score must be higher after a rotation
AROUND = 3.0  # half side of the rotated part of the photograph, in longer sides of the bounding box
LONGEST = 480  # greatest side in pixels of the part in which faces are detected
QUARTERS = (1, 2, 3)  # rotations by 90, 180 and 270 degrees


def is_turned(image: Image, face: Detection, score: float, detector: Detector | None) -> bool:
    """Whether the face scores clearly higher in another orientation.

    Args:
        image: uint8 RGB (height, width, 3).
        face: a detection in it.
        score: the upright score of the face, see `upright_scores`.
        detector: detects faces in the rotated photograph; None to rotate only the crop.
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
    """The part of the photograph around a face, large enough for a larger face that contains this one."""
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
