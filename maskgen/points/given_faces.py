"""From given boxes and points to faces with 68 points, in place of detection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Detection, Face, Floats, Image
from maskgen.faces.catalogue_columns import rounded_face
from maskgen.faces.choose import choose_faces, with_face_place
from maskgen.faces.detect import MIDDLE, Detector
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.upright_crop import five_points, frontal_eye_distance, share_inside_picture
from maskgen.points.mark import Mark

Marks = Sequence[Mark | SetAsideError]
BOX_SIDE = 2.3  # margin of the box around given points, in eye distances
LEAST_OVERLAP = 0.3  # minimum IOU of a given box and the face detected in it
LEAST_INSIDE = 0.2  # minimum share of a face inside the picture


@dataclass(frozen=True, slots=True)
class _Known:
    """One given face with its five points; `points68` if given too. `found` is what the landmark model sees: with the
    detector's own box, where there is one."""

    detection: Detection
    points68: Floats | None
    kind: str
    found: Detection


_Found = _Known | SetAsideError


def faces_from_marks(
    images: Sequence[Image], marks: Sequence[Marks], which: str, detector: Detector, landmarker: Landmarker
) -> list[list[Face | SetAsideError]]:
    """The selected faces of each picture, with a fault in place of one, or of all, that cannot be used.

    68 points are used unchanged. Five points are the start of the 68-point model. In a box the five points are detected
    first.

    Args:
        marks: the given faces of each picture, one or more, with faults for unreadable ones.
        which: "subject", "largest", "central" or "all", see `faces.choose`.
    """
    known = _known(images, marks, detector)
    meant = [_meant(image, own, which) for image, own in zip(images, known, strict=True)]
    points = iter(landmarker.points68_of(_without_points(images, meant)))
    return [
        [
            one if isinstance(one, SetAsideError) else _face(one, points, index, len(every))
            for index, one in enumerate(own)
        ]
        for own, every in zip(meant, known, strict=True)
    ]


def _without_points(images: Sequence[Image], meant: Sequence[Sequence[_Found]]) -> list[tuple[Image, Detection]]:
    return [
        (image, one.found)
        for image, own in zip(images, meant, strict=True)
        for one in own
        if isinstance(one, _Known) and one.points68 is None
    ]


def _known(images: Sequence[Image], marks: Sequence[Marks], detector: Detector) -> list[list[_Found]]:
    """The given faces of each picture; faces given by boxes are detected in one batch."""
    boxes = [
        (image, mark.box)
        for image, own in zip(images, marks, strict=True)
        for mark in own
        if isinstance(mark, Mark) and mark.points is None and mark.box is not None
    ]
    in_boxes = iter(_in_boxes(boxes, detector))
    return [
        [
            mark
            if isinstance(mark, SetAsideError)
            else next(in_boxes)
            if mark.points is None
            else _inside(image, _marked(mark.box, mark.points))
            for mark in own
        ]
        for image, own in zip(images, marks, strict=True)
    ]


def _marked(box: Floats | None, points: Floats) -> _Known:
    """The face of given points, with score 1."""
    points5 = five_points(points) if len(points) == 68 else points
    if box is None:
        half = BOX_SIDE / 2 * frontal_eye_distance(points5)
        middle = points5[[0, 1, 3, 4]].mean(0)
        box = np.concatenate([middle - half, middle + half]).astype(np.float32)
    face = Detection(box, points5, 1.0, box_given=True)
    return _Known(face, points if len(points) == 68 else None, f"points{len(points)}", face)


def _inside(image: Image, known: _Known) -> _Found:
    share = share_inside_picture(known.detection.points5, (image.shape[0], image.shape[1]))
    if share >= LEAST_INSIDE:
        return known
    return SetAsideError(Reason.BAD_POINTS, f"the points lie outside the picture of {_size(image)}")


def _size(image: Image) -> str:
    return f"{image.shape[1]}x{image.shape[0]} pixels"


def _in_boxes(boxes: Sequence[tuple[Image, Floats]], detector: Detector) -> list[_Found]:
    """The five points of the face in each box, detected in a crop around it."""
    cuts = [_cut(image, box) for image, box in boxes]
    found = iter(detector.detect([cut for cut, _ in filter(None, cuts)]))
    return [
        SetAsideError(Reason.BAD_POINTS, f"the box lies outside the picture of {_size(image)}")
        if cut is None
        else _best(next(found), box, cut[1])
        for cut, (image, box) in zip(cuts, boxes, strict=True)
    ]


def _cut(image: Image, box: Floats) -> tuple[Image, Floats] | None:
    """The part of a picture around a box, and its corner; None if the box is outside."""
    height, width = image.shape[:2]
    if box[0] > width - 1 or box[1] > height - 1 or box[2] < 0 or box[3] < 0:
        return None
    middle, half = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) / 2 / MIDDLE
    low = np.clip(np.floor(middle - half), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(middle + half) + 1, 1, (width, height)).astype(int)
    return np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]]), low.astype(np.float32)


def _best(found: Sequence[Detection], box: Floats, corner: Floats) -> _Found:
    """The detected face of a box, in the photograph's pixels, with the given box."""
    overlaps = [_overlap(face.box + np.tile(corner, 2), box) for face in found]
    if not overlaps or max(overlaps) < LEAST_OVERLAP:
        return with_face_place(
            SetAsideError(Reason.NO_FACE, "in the box"), Detection(box, np.zeros((5, 2), np.float32), 1.0)
        )
    face = found[overlaps.index(max(overlaps))]
    own = Detection(face.box + np.tile(corner, 2), face.points5 + corner, face.score)
    return _Known(Detection(box, own.points5, face.score, box_given=True), None, "box", own)


def _overlap(one: Floats, other: Floats) -> float:
    """Intersection over union of two boxes."""
    sides = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    both = float(np.prod(sides))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return both / max(areas - both, 1e-9)


def _meant(image: Image, known: Sequence[_Found], which: str) -> list[_Found]:
    """The selected faces, and with "all" the faults; one fault if no face can be used."""
    usable = {id(one.detection): one for one in known if isinstance(one, _Known)}
    faults = [one for one in known if isinstance(one, SetAsideError)]
    if not known:
        return [SetAsideError(Reason.NO_FACE, "none is given")]
    if not usable:
        return [*faults] if which == "all" else [faults[0]]
    try:
        chosen = choose_faces(image, [one.detection for one in usable.values()], which)
    except SetAsideError as fault:
        return [fault]
    found: list[_Found] = [one if isinstance(one, SetAsideError) else usable[id(one)] for one in chosen]
    return [*found, *faults] if which == "all" else found


def _face(known: _Known, points: Iterator[Points68 | SetAsideError], index: int, of: int) -> Face | SetAsideError:
    points68 = next(points) if known.points68 is None else Points68(known.points68)
    if isinstance(points68, SetAsideError):
        return with_face_place(points68, known.detection) if of > 1 else points68
    return rounded_face(Face(known.detection, points68.xy, index, of, known.kind, points68.certainty))
