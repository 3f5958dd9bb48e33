"""The 68 landmarks of a detected face by the program's own networks, trained on rendered people only.

The detector's points and box are evidence, see `detector_evidence`.

On the far side of a turned head, hidden landmarks are at their places on the head, not on its outline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from maskgen.core.records import Certainty, Detection, Doubles, Floats, Image, Mask, floats
from maskgen.faces.landmarkers.brow_edges import on_brow_edges
from maskgen.faces.landmarkers.detector_evidence import toward_box, toward_points
from maskgen.faces.landmarkers.jaw_outline import along_outline
from maskgen.faces.landmarkers.own_network import (
    POINTS,
    SIDE,
    Prediction,
    cut_patch,
    predict,
    predict_mirrored,
    to_patch,
)
from maskgen.faces.landmarkers.own_parts import CANVAS
from maskgen.faces.landmarkers.own_refiner import refine
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

AWAY = 1.62  # mean distance from 0 if x and y each have a Laplace distribution of scale 1, found by sampling
SHOWN = 0.5  # probability above which a landmark counts as visible


class OwnLandmarker(Landmarker):
    """Finds the 68 landmarks of detected faces, their visibility and their expected error."""

    def __init__(self) -> None:
        """The networks are loaded with the first face."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the networks: another process loads its own."""
        return type(self), ()

    def predicted(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        """What the networks say of faces, without a check. Where `points5` are only roughly right, as a place to begin
        at, this is better than `points68_of`, for which a detector's points are evidence."""
        return _marked(_said(faces, evidence=False)) if faces else []

    def places(self, faces: Sequence[tuple[Image, Detection]]) -> Floats:
        """As `predicted`, one face or more, with jaw and brows at their places on the head, (n, 68, 2)."""
        return _said(faces, evidence=False).points

    def _found(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        return _marked(_said(faces, evidence=True))


@dataclass(frozen=True, slots=True)
class _Look:
    """The prediction for n faces: `points` (n, 68, 2) and `spread` (n, 68) in pixels of the picture, and `seen`
    (n, 68), the probability of visibility."""

    points: Floats
    spread: Floats
    seen: Floats

    def each(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Points, spread and visibility of each face."""
        return zip(self.points, self.spread, self.seen, strict=True)


def _said(faces: Sequence[tuple[Image, Detection]], evidence: bool) -> _Look:
    """What both networks say of some faces, one or more, as places on the head; with `evidence` the detector's points
    count, before the second network and after it, and its boxes."""
    images, fives = [image for image, _ in faces], np.stack([detection.points5 for _, detection in faces])
    first = _looked(images, list(fives), predict)
    # The second patch is cut by the landmarks that were found: on a profile, the detector's five are far off. Its
    # mirror image is used, which compensates for differences of the network between left and right.
    second = _looked(images, list(five_points(first.points)), predict_mirrored)
    both = _joined(first, second)
    seen = both.seen
    if evidence:
        both = replace(both, points=toward_points(both.points, seen, fives))
    moved = _moved(both, _refined(images, both.points))
    if not evidence:
        return moved
    boxes = np.stack([detection.box for _, detection in faces])
    given = np.array([detection.box_given for _, detection in faces])
    return replace(moved, points=toward_box(toward_points(moved.points, seen, fives), seen, boxes, given))


def _looked(images: Sequence[Image], five: Sequence[Floats], network: Callable[[Mask], Prediction]) -> _Look:
    """What the first network says of patches that are aligned by five landmarks each."""
    patches, matrices = _cut(images, five, SIDE)
    said = network(patches)
    points = _into_pictures(floats(said.points[:, :POINTS] * SIDE - 0.5), matrices)
    return _Look(points, floats(said.spread[:, :POINTS] * SIDE / _scales(matrices)), said.seen)


def _joined(first: _Look, second: _Look) -> _Look:
    """The mean of two predictions, each landmark weighted by the inverse square of its spread."""
    share = (1 / (1 + (first.spread / second.spread) ** 2))[..., None]
    points = floats(share * first.points + (1 - share) * second.points)
    return _Look(points, np.minimum(first.spread, second.spread), floats((first.seen + second.seen) / 2))


def _refined(images: Sequence[Image], rough: Floats) -> Floats:
    """Where the second network says the landmarks (n, 68, 2) are."""
    canvases, matrices = _cut(images, list(five_points(rough)), CANVAS)
    return _into_pictures(refine(canvases, _into_patches(rough, matrices)), matrices)


def _moved(first: _Look, fine: Floats) -> _Look:
    """The mean of both networks' landmarks for a face that looks at the camera, the second's where half are hidden.

    On held-out renderings the second network is better the more landmarks are hidden; on photographs of faces that look
    at the camera, the mean is better than either. The spread stays the first network's: on photographs it correlates
    with the true error, the second's hardly does.
    """
    share = np.clip(first.seen.mean(1) - 0.5, 0, 0.5)[:, None, None]
    return _Look(floats(fine + share * (first.points - fine)), first.spread, first.seen)


def _cut(images: Sequence[Image], five: Sequence[Floats], side: int) -> tuple[Mask, list[Doubles]]:
    """The patches (n, side, side) of pictures, aligned by five landmarks each, and their matrices, see `to_patch`."""
    matrices = [to_patch(points5, side) for points5 in five]
    return np.stack([cut_patch(image, one, side) for image, one in zip(images, matrices, strict=True)]), matrices


def _scales(matrices: Sequence[Doubles]) -> Floats:
    """Pixels of the patches for one of the pictures, (n, 1)."""
    return floats([[np.hypot(*matrix[0, :2])] for matrix in matrices])


def _into_patches(points: Floats, matrices: Sequence[Doubles]) -> Floats:
    """Points (n, 68, 2) of pictures in pixels of their patches."""
    moved = [one @ matrix[:, :2].T + matrix[:, 2] for one, matrix in zip(points, matrices, strict=True)]
    return floats(np.stack(moved)) if moved else np.zeros((0, POINTS, 2), np.float32)


def _into_pictures(points: Floats, matrices: Sequence[Doubles]) -> Floats:
    """Points (n, 68, 2) in pixels of patches in those of the pictures."""
    return _into_patches(points, [cv2.invertAffineTransform(matrix) for matrix in matrices])


def _marked(look: _Look) -> list[Points68]:
    """The landmarks as they are marked in pictures, with their certainty."""
    marked = replace(look, points=on_brow_edges(along_outline(look.points)))
    return [_with_certainty(*one) for one in marked.each()]


def _with_certainty(points: Floats, spread: Floats, seen: Floats) -> Points68:
    """One face's landmarks with their certainty."""
    expected = float((spread * seen).sum() / max(float(seen.sum()), 1e-3)) * AWAY
    return Points68(points, Certainty(seen > SHOWN, expected / max(frontal_eye_distance(five_points(points)), 1e-3)))
