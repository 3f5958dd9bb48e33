"""Faces as dlib's recognition network wants them: 150 pixels, turned and scaled onto dlib's own mean face.

The crops are upright and centred on the whole head, dlib's chips on eyes, nose and mouth: on a turned head that is
up to a quarter of the side apart. So the face is looked for in each crop, as dlib's own tools do in photographs. Where
none is found, one fixed place serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskgen.core.extras import need
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Doubles, Floats, Image
from maskgen.faces.align import warped
from maskgen.faces.detect import LENIENT, MtcnnDetector
from maskgen.faces.landmarks import Landmarker

CHIP = 150  # pixels a side
PADDING = 0.25  # room around the mean face, as the network was trained
# Where the chip lies in a crop of default margin whose face looks at us: its middle and its side, as shares of the
# crop's side. Of the mean of LFW's points; a test holds it against dlib's own reckoning.
MIDDLE, SIDE = (0.5, 0.529), 0.845
_FINE = 1000  # dlib's points are whole numbers: parts of a pixel


class Chipper:
    """Cuts chips out of crops."""

    def __init__(self) -> None:
        self._dlib = need("dlib", "train")
        self._detector = MtcnnDetector(aligned=True, thresholds=LENIENT)
        self._landmarker = Landmarker()

    def chips(self, crops: Sequence[Image]) -> list[Image]:
        """The chip of each crop, uint8 RGB (150, 150, 3)."""
        matrices = [fixed_matrix(crop) for crop in crops]
        for at, points in self._points(crops):
            matrices[at] = chip_matrix(points, self._dlib)
        return [warped(crop, matrix, CHIP) for crop, matrix in zip(crops, matrices, strict=True)]

    def _points(self, crops: Sequence[Image]) -> list[tuple[int, Floats]]:
        """The 68 points of each crop where a face is found, with the crop's place in the list."""
        found = [(at, faces) for at, faces in enumerate(self._detector.detect(crops)) if faces]
        chosen = [(at, central(faces, crops[at])) for at, faces in found]
        points = self._landmarker.points68_of([(crops[at], face) for at, face in chosen])
        return [
            (at, those) for (at, _), those in zip(chosen, points, strict=True) if not isinstance(those, SetAsideError)
        ]


def central(faces: Sequence[Detection], crop: Image) -> Detection:
    """The face in the middle of a crop: others are bystanders."""
    middle = np.array(crop.shape[1::-1]) / 2
    return min(faces, key=lambda face: float(np.hypot(*((face.box[:2] + face.box[2:]) / 2 - middle))))


def chip_matrix(points68: Floats, dlib: Any) -> Doubles:
    """The similarity (2, 3) that takes a picture with these points, (68, 2), to its chip, as dlib reckons it."""
    fine = np.rint(np.asarray(points68, np.float64) * _FINE).astype(int)
    points = dlib.points([dlib.point(x, y) for x, y in fine.tolist()])
    box = dlib.rectangle(*fine.min(0).tolist(), *fine.max(0).tolist())
    found = dlib.get_face_chip_details(dlib.full_object_detection(box, points), CHIP, PADDING)
    middle = found.rect.dcenter()
    return _matrix(np.array([middle.x, middle.y]) / _FINE, found.rect.width() / _FINE, found.angle)


def fixed_matrix(crop: Image) -> Doubles:
    """The similarity (2, 3) for a crop of which nothing is known but how it was cut."""
    side = np.array(crop.shape[1::-1])
    return _matrix(side * MIDDLE - 0.5, float(SIDE * side.min()), 0.0)


def _matrix(middle: Doubles, side: float, angle: float) -> Doubles:
    """From a square of this middle and side, turned by the angle in radians, to a chip."""
    turn = CHIP / side * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, (CHIP - 1) / 2 - turn @ middle])
