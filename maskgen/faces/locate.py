"""From what a detector found to the faces that are meant, with their 68 points."""

from __future__ import annotations

from collections.abc import Sequence

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Detection, Face, Image
from maskgen.faces.choose import choose, is_doubtful_subject, placed
from maskgen.faces.detect import Detector
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.looks.network import seen_of
from maskgen.faces.looks.turned import looks_turned
from maskgen.faces.looks.upright import least_score, upright_scores
from maskgen.faces.stored import rounded_face
from maskgen.faces.trust import trust

Faces = list[Face | SetAsideError]


def faces_with_landmarks(
    images: Sequence[Image],
    detections: Sequence[Sequence[Detection]],
    which: str,
    landmarker: Landmarker,
    detector: Detector | None = None,
) -> list[Faces]:
    """The faces that are meant in each picture, with a fault in the place of one, or of all, that cannot be used.

    Args:
        which: "subject", "largest", "central" or "all", see `faces.choose`.
        detector: searches around a face that hardly looks upright, see `looks.turned`.
    """
    meant = [_meant(image, found, which) for image, found in zip(images, detections, strict=True)]
    # All faces of all pictures at once: that is how their points are found fast.
    each = [(image, one) for image, own in zip(images, meant, strict=True) for one in own if isinstance(one, Detection)]
    points = iter(landmarker.points68_of(each))
    upright = iter(upright_scores([seen_of(image, one.points5) for image, one in each]).tolist())
    return [
        [
            one
            if isinstance(one, SetAsideError)
            else _unless_turned(image, _face(one, next(points), index, len(found)), next(upright), detector)
            for index, one in enumerate(own)
        ]
        for image, own, found in zip(images, meant, detections, strict=True)
    ]


def detect_for(detector: Detector, images: Sequence[Image], which: str) -> list[list[Detection]]:
    """The faces that must be found to tell which is meant; large ones come first, and end the search where they can.

    Smaller faces are looked for where all or the most central one are asked for, and where the most prominent of the
    large ones may not be the subject.
    """
    found = detector.detect(images, small_too=which in ("all", "central"))
    if which == "subject" and not detector.one_face:
        again = [at for at, image in enumerate(images) if _is_doubtful(image, found[at])]
        for at, faces in zip(again, detector.detect([images[at] for at in again], small_too=True), strict=True):
            found[at] = faces
    return found


def _is_doubtful(image: Image, found: Sequence[Detection]) -> bool:
    (chosen, *_) = _meant(image, found, "subject")
    return isinstance(chosen, Detection) and is_doubtful_subject(chosen, (image.shape[0], image.shape[1]))


def _meant(image: Image, found: Sequence[Detection], which: str) -> list[Detection | SetAsideError]:
    try:
        return choose(image, found, which)
    except SetAsideError as fault:
        return [fault]


def _face(detection: Detection, points68: Points68 | SetAsideError, index: int, of: int) -> Face | SetAsideError:
    if isinstance(points68, SetAsideError):
        return placed(points68, detection) if of > 1 else points68
    return Face(detection, points68.xy, index, of, certainty=points68.certainty)


def _unless_turned(
    image: Image, face: Face | SetAsideError, upright: float, detector: Detector | None
) -> Face | SetAsideError:
    """The face, unless its score is low and another turn looks more like a face."""
    if isinstance(face, SetAsideError):
        return face
    least = least_score(trust(face))
    if upright < least and looks_turned(image, face.detection, upright, detector):
        fault = SetAsideError(Reason.UNCLEAR_ORIENTATION, f"upright score {upright:.2f}, less than in another turn")
        return placed(fault, face.detection) if face.of > 1 else fault
    return rounded_face(face)
