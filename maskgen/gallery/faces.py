"""From a gallery's photograph to the one face that is meant, aligned, with what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Crop, Detection, Image
from maskgen.faces.align import DEFAULT_MARGIN, align_five, face_unit
from maskgen.faces.choose import SMALLEST_UNIT, visible_area
from maskgen.faces.detect import Detector
from maskgen.gallery.state import SIDE, mask_score

AS_SURE = 0.1
LOWEST_SCORE = 0.3  # lower than for photographs that nobody chose: here a face is known to be there


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A gallery's face: `detection` in the photograph's pixels, `crop`, and `mask_score`, see `gallery.state`."""

    detection: Detection
    crop: Crop
    mask_score: float


def meant(detections: Sequence[Detection], shape: tuple[int, int]) -> Detection:
    """The face that a portrait is of: the largest of those that are about as sure as the surest.

    Args:
        shape: the picture's (height, width).

    Raises:
        SetAsideError: NO_FACE, LOW_SCORE or TOO_SMALL where there is none.
    """
    if not detections:
        raise SetAsideError(Reason.NO_FACE)
    surest = max(face.score for face in detections)
    if surest < LOWEST_SCORE:
        raise SetAsideError(Reason.LOW_SCORE, f"best score {surest:.2f}")
    likely = [face for face in detections if face.score >= surest - AS_SURE]
    best = max(likely, key=lambda face: (visible_area(face, shape), face.score, *face.box.tolist()))
    if face_unit(best.points5) < SMALLEST_UNIT:
        raise SetAsideError(Reason.TOO_SMALL, f"{face_unit(best.points5):.1f} pixels between the eyes")
    return best


def enrolled(image: Image, detector: Detector, size: int, margin: float = DEFAULT_MARGIN) -> Enrolled:
    """Find the face of a photograph, cut it out, and see whether it looks masked.

    Args:
        image: uint8 RGB (height, width, 3).
        size: side of the crop in pixels.

    Raises:
        SetAsideError: no face that can be used.
    """
    face = meant(detector.detect([image])[0], image.shape[:2])
    looks = mask_score(align_five(image, face.points5, SIDE).image)
    return Enrolled(face, align_five(image, face.points5, size, margin), looks)
