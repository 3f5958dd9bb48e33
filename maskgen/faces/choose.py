"""Choice of the face or faces of a photograph that a run masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from maskgen.core.kindspec import FACES
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.upright_crop import align_upright_by_five, frontal_eye_distance, share_inside_picture

LOWEST_SCORE = 0.7
SMALLEST_UNIT = 8.0  # pixels between the eyes
# How `prominence` weighs. Fitted as a conditional logit, without the distance, to the 537 photographs of one half of
# LFW's people in which several faces are found; the distance's weight was then set: with 1 to 3 the face in the middle
# is chosen in all 423 photographs of the other half. `benchmarks/subject.py` lists what the rule leaves.
AREA, OUTSIDE, DISTANCE, SHARPNESS, DOUBT = 1.0, 4.0, 2.0, 0.2, 0.13
SHARP_SIDE = 64  # of the crop in which sharpness is measured
# A chosen face this far from the middle, or with this share of its square outside the picture, is perhaps not the
# subject: smaller faces are then looked for, too.
FAR, CUT = 0.5, 0.25


def visible_area(face: Detection, shape: tuple[int, int]) -> float:
    """Area of the box inside the picture, in pixels."""
    x0, y0, x1, y1 = (float(v) for v in face.box)
    height, width = shape
    return max(0.0, min(x1, width) - max(x0, 0.0)) * max(0.0, min(y1, height) - max(y0, 0.0))


def _off_centre(face: Detection, shape: tuple[int, int]) -> float:
    """Distance in pixels of the box's centre from the picture's."""
    middle = np.array([shape[1], shape[0]]) / 2
    return float(np.hypot(*((face.box[:2] + face.box[2:]) / 2 - middle)))


def off_middle(face: Detection, shape: tuple[int, int]) -> float:
    """Distance of the box's centre from the picture's: 0 in the middle, 1 at the middle of an edge."""
    half = np.array([shape[1], shape[0]]) / 2
    return float(np.hypot(*(((face.box[:2] + face.box[2:]) / 2 - half) / half)))


def sharpness(image: Image, face: Detection) -> float:
    """Mean absolute Laplacian over mean gradient of the aligned face, SHARP_SIDE pixels a side: 0.2 to 1 mostly."""
    grey = cv2.cvtColor(align_upright_by_five(image, face.points5, SHARP_SIDE, 0.0).image, cv2.COLOR_RGB2GRAY)
    fine = float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())
    steps = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return fine / max(float(steps.mean()), 1e-6)


def prominence(image: Image, face: Detection) -> float:
    """The logarithm of a weight for the face to be the picture's main subject; larger is likelier.

    The weight grows with the face's area and falls with its distance from the middle, with the share of it outside
    the picture, with blur, and with the detector's doubt.
    """
    shape = (image.shape[0], image.shape[1])
    unit = max(frontal_eye_distance(face.points5), 1e-3)
    return (
        AREA * 2 * math.log(unit / min(shape))
        - OUTSIDE * (1 - share_inside_picture(face.points5, shape))
        - DISTANCE * off_middle(face, shape)
        + SHARPNESS * math.log(sharpness(image, face) + 1e-3)
        - DOUBT * math.log(max(1 - face.score, 1e-3))
    )


def most_prominent(image: Image, faces: Sequence[Detection]) -> Detection:
    """The face that the picture is of, of one or more."""
    if len(faces) == 1:
        return faces[0]
    return min(faces, key=lambda face: (-prominence(image, face), -face.score, *face.box.tolist()))


def is_doubtful_subject(face: Detection, shape: tuple[int, int]) -> bool:
    """Whether the picture may well be of another, smaller face."""
    return off_middle(face, shape) > FAR or share_inside_picture(face.points5, shape) < 1 - CUT


def choose_faces(
    image: Image,
    detections: Sequence[Detection],
    which: str,
    weigh: Callable[[Image, Detection], float] = prominence,
) -> list[Detection | SetAsideError]:
    """The chosen faces, the most important one first.

    Args:
        image: uint8 RGB (height, width, 3), in whose pixels the faces are.
        which: "subject" (see `prominence`), "largest", "central" (nearest to the middle), or "all": every face,
            largest first, and after them why each of the others cannot be used.
        weigh: `prominence`, or what keeps its answers.

    Raises:
        SetAsideError: NO_FACE, LOW_SCORE or TOO_SMALL where none is left and `which` is not "all", or none is found.
        ValueError: `which` is none of the four.
    """
    shape = (image.shape[0], image.shape[1])
    orders: dict[str, Callable[[Detection], float]] = {
        "subject": lambda face: -weigh(image, face),
        "largest": lambda face: -visible_area(face, shape),
        "all": lambda face: -visible_area(face, shape),
        "central": lambda face: _off_centre(face, shape),
    }
    if which not in orders:
        raise ValueError(f"which is {which!r}, not one of {', '.join(FACES)}")
    if not detections:
        raise SetAsideError(Reason.NO_FACE)
    usable = [face for face in detections if _fault(face) is None]
    # A single face needs no order, and to measure one costs time.
    ranked = usable
    if len(usable) > 1:
        ranked = sorted(usable, key=lambda face: (orders[which](face), -face.score, *face.box.tolist()))
    if which == "all":
        return [*ranked, *(fault for face in detections if (fault := _fault(face)))]
    if not usable:
        raise _why_none(detections)
    return [*ranked[:1]]


def _fault(face: Detection) -> SetAsideError | None:
    """Why a face cannot be used, with its place."""
    if face.score < LOWEST_SCORE:
        return with_face_place(SetAsideError(Reason.LOW_SCORE, f"score {face.score:.2f}"), face)
    unit = frontal_eye_distance(face.points5)
    if unit < SMALLEST_UNIT:
        return with_face_place(SetAsideError(Reason.TOO_SMALL, f"{unit:.1f} pixels between the eyes"), face)
    return None


def with_face_place(fault: SetAsideError, face: Detection) -> SetAsideError:
    """The fault with the face's place, for photographs in which several faces were found."""
    return SetAsideError(fault.reason, f"{fault.detail}, {face_place(face)}" if fault.detail else face_place(face))


def face_place(face: Detection) -> str:
    """Where a face is, for people.

    Example:
        >>> place(Detection(np.float32([3, 4, 13, 24]), np.zeros((5, 2), np.float32), 1.0))
        'face at 3,4 of 10x20 pixels'
    """
    x0, y0, x1, y1 = (round(float(v)) for v in face.box)
    return f"face at {x0},{y0} of {x1 - x0}x{y1 - y0} pixels"


def _why_none(detections: Sequence[Detection]) -> SetAsideError:
    likely = [face for face in detections if face.score >= LOWEST_SCORE]
    if not likely:
        return SetAsideError(Reason.LOW_SCORE, f"best score {max(face.score for face in detections):.2f}")
    largest = max(frontal_eye_distance(face.points5) for face in likely)
    return SetAsideError(Reason.TOO_SMALL, f"{largest:.1f} pixels between the eyes")
