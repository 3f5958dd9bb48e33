"""From detections to the chosen faces with their 68 landmarks; doubtful ones are set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Detection, Face, Floats, Image
from maskgen.faces.catalogue_columns import hundredths, rounded_face
from maskgen.faces.choose import choose_faces, is_doubtful_subject, prominence, with_face_place
from maskgen.faces.classifiers.classifier_network import classifier_input
from maskgen.faces.classifiers.orientation import is_turned
from maskgen.faces.classifiers.upright import LESS_TRUSTED_FROM, least_score, upright_scores
from maskgen.faces.detect import Detector
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.trust import trust

Faces = list[Face | SetAsideError]
# The search for faces that the picture's edge cuts: longest side of what is searched in pixels, its borders as shares
# of the shorter side, and their grey, which is 0 after normalisation.
# With another border a face has another size in the pyramid.
CUT_LONGEST, CUT_BORDERS, CUT_GREY = 640, (0.15, 0.25), 128


@dataclass(slots=True)
class Kept:
    """What several steps ask of the same faces, by picture and face, for as long as the pictures are in memory."""

    _looks: dict[tuple[int, bytes], Image] = field(default_factory=dict)
    _prominences: dict[tuple[int, bytes, bytes, float], float] = field(default_factory=dict)

    def look(self, image: Image, points5: Floats) -> Image:
        """`classifiers.classifier_network.classifier_input` of a face."""
        key = id(image), points5.tobytes()
        if key not in self._looks:
            self._looks[key] = classifier_input(image, points5)
        return self._looks[key]

    def prominence(self, image: Image, face: Detection) -> float:
        """`choose.prominence` of a face."""
        key = id(image), face.box.tobytes(), face.points5.tobytes(), face.score
        if key not in self._prominences:
            self._prominences[key] = prominence(image, face)
        return self._prominences[key]


def faces_with_landmarks(
    images: Sequence[Image],
    detections: Sequence[Sequence[Detection]],
    which: str,
    landmarker: Landmarker,
    detector: Detector | None = None,
    kept: Kept | None = None,
) -> list[Faces]:
    """The chosen faces of each picture, with a fault in place of one, or of all, that cannot be used.

    Args:
        which: "subject", "largest", "central" or "all", see `faces.choose`.
        detector: searches around a face that hardly looks upright, see `classifiers.orientation`.
        kept: what is known of these faces, and where it is kept for later steps.
    """
    kept = kept or Kept()
    meant = [_meant(image, found, which, kept) for image, found in zip(images, detections, strict=True)]
    # All faces of all pictures in one batch, for speed.
    each = [(image, one) for image, own in zip(images, meant, strict=True) for one in own if isinstance(one, Detection)]
    points = iter(landmarker.points68_of(each))
    seen = [kept.look(image, hundredths(one.points5)) for image, one in each]
    upright = iter(upright_scores(seen).tolist())
    return [
        [
            one
            if isinstance(one, SetAsideError)
            else _unless_turned(image, _face(one, next(points), index, len(found)), next(upright), detector)
            for index, one in enumerate(own)
        ]
        for image, own, found in zip(images, meant, detections, strict=True)
    ]


def detect_for(
    detector: Detector, images: Sequence[Image], which: str, kept: Kept | None = None
) -> list[list[Detection]]:
    """The faces that must be found to tell which is meant; large ones come first, and end the search where they can.

    Smaller faces are looked for where all or the most central one are asked for, and where the most prominent of the
    large ones may not be the subject. Where all are asked for, faces that the edge cuts are looked for once more. See
    `faces_with_landmarks` on `kept`.
    """
    kept = kept or Kept()
    found = detector.detect(images, include_small=which in ("all", "central"))
    if which == "subject" and not detector.one_face:
        again = [at for at, image in enumerate(images) if _is_doubtful(image, found[at], kept)]
        for at, faces in zip(again, detector.detect([images[at] for at in again], include_small=True), strict=True):
            found[at] = faces
    if which == "all" and not detector.one_face:
        cut = _cut_by_the_edge(detector, images)
        return [own + [one for one in more if not _is_found(one, own)] for own, more in zip(found, cut, strict=True)]
    return found


def _cut_by_the_edge(detector: Detector, images: Sequence[Image]) -> list[list[Detection]]:
    """The faces whose box reaches beyond the picture and whose middle lies inside.

    MTCNN misses most faces of which a third is outside the picture, and finds them where there is room around it.
    """
    softer = detector.with_lower_thresholds()
    found: list[list[Detection]] = [[] for _ in images]
    for image, own in zip(images, found, strict=True):
        height, width = image.shape[:2]
        scale = min(1.0, CUT_LONGEST / max(height, width))
        if round(min(height, width) * scale) == 0:  # a strip: nothing of it would be left
            continue
        small = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        steps = np.array([width / small.shape[1], height / small.shape[0]], np.float32)
        for border in (max(1, round(share * min(small.shape[:2]))) for share in CUT_BORDERS):
            roomy = cv2.copyMakeBorder(small, border, border, border, border, cv2.BORDER_CONSTANT, value=[CUT_GREY] * 3)
            faces = [_moved(face, border, steps) for face in softer.detect([roomy], include_small=True)[0]]
            own += [face for face in faces if _crosses(face, width, height) and not _is_found(face, own)]
    return found


def _moved(face: Detection, border: int, steps: Floats) -> Detection:
    """A face of the reduced picture with a border, in the pixels of the picture."""
    box = (face.box.reshape(2, 2) - border + 0.5) * steps - 0.5
    points5 = (face.points5 - border + 0.5) * steps - 0.5
    return Detection(box.reshape(4).astype(np.float32), points5.astype(np.float32), face.score)


def _crosses(face: Detection, width: int, height: int) -> bool:
    x0, y0, x1, y1 = face.box.tolist()
    inside = 0 <= x0 + x1 < 2 * width and 0 <= y0 + y1 < 2 * height
    return inside and (x0 < 0 or y0 < 0 or x1 > width - 1 or y1 > height - 1)


def _is_found(face: Detection, found: Sequence[Detection]) -> bool:
    """Whether the middle of one of the two faces lies in the middle part of the other."""
    return any(_holds(face, other) or _holds(other, face) for other in found)


def _holds(face: Detection, other: Detection) -> bool:
    low, high = face.box[:2], face.box[2:]
    off = np.abs((other.box[:2] + other.box[2:]) / 2 - (low + high) / 2)
    return bool((off < 0.35 * (high - low)).all())


def _is_doubtful(image: Image, found: Sequence[Detection], kept: Kept) -> bool:
    shape = (image.shape[0], image.shape[1])
    if not any(is_doubtful_subject(face, shape) for face in found):  # as in most pictures: to choose one takes longer
        return False
    (chosen, *_) = _meant(image, found, "subject", kept)
    return isinstance(chosen, Detection) and is_doubtful_subject(chosen, shape)


def _meant(image: Image, found: Sequence[Detection], which: str, kept: Kept) -> list[Detection | SetAsideError]:
    try:
        return choose_faces(image, found, which, kept.prominence)
    except SetAsideError as fault:
        return [fault]


def _face(detection: Detection, points68: Points68 | SetAsideError, index: int, of: int) -> Face | SetAsideError:
    if isinstance(points68, SetAsideError):
        return with_face_place(points68, detection) if of > 1 else points68
    return Face(detection, points68.xy, index, of, certainty=points68.certainty)


def _unless_turned(
    image: Image, face: Face | SetAsideError, upright: float, detector: Detector | None
) -> Face | SetAsideError:
    """The face, unless its score is low and another turn looks more like a face."""
    if isinstance(face, SetAsideError):
        return face
    # Of nearly all faces the score is good for any trust, which takes longer to tell.
    doubted = upright < LESS_TRUSTED_FROM and upright < least_score(trust(face))
    if doubted and is_turned(image, face.detection, upright, detector):
        fault = SetAsideError(Reason.UNCLEAR_ORIENTATION, f"upright score {upright:.2f}, less than in another turn")
        return with_face_place(fault, face.detection) if face.of > 1 else fault
    return rounded_face(face)
