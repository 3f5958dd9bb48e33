"""The 68 landmarks of a detected face by the program's own networks, whose trained layers saw rendered people only.

The detector's points and box and dlib's corners of the eyes are evidence, see `detector_evidence`.

On the far side of a turned head, hidden landmarks are at their places on the head, not on its outline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.dlib_models.network_file import FILE
from maskgen.core.records import Certainty, Detection, Doubles, Floats, Image, floats
from maskgen.faces.landmarkers.brow_edges import on_brow_edges
from maskgen.faces.landmarkers.detector_evidence import toward_box, toward_points
from maskgen.faces.landmarkers.eye_corners import MODEL, corners_of
from maskgen.faces.landmarkers.face_frames import face_frames
from maskgen.faces.landmarkers.jaw_outline import along_outline
from maskgen.faces.landmarkers.own_network import POINTS, SIDE, Sight, cut_patch, predict, to_patch
from maskgen.faces.landmarkers.own_refiner import refine
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

AWAY = 1.62  # mean distance from 0 if x and y each have a Laplace distribution of scale 1, found by sampling
LARGER = 1.2  # of the error on photographs (HELEN) to what a network expects that learned its spread from drawn people
AGAIN = 0.1  # mean distance to the detector's points, in face units, beyond which the first network looks once more
SHOWN = 0.5  # probability above which a landmark counts as visible
TOGETHER = 32  # faces whose maps are in memory at the same time


class OwnLandmarker(Landmarker):
    """Finds the 68 landmarks of detected faces, their visibility and their expected error.

    The networks are loaded with the first face.

    Raises:
        UserError: a model that they need is not installed.
    """

    def __init__(self) -> None:
        for name in (FILE, MODEL):
            installed_model(name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the networks: another process loads its own."""
        return type(self), ()

    def predicted(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        """What the networks say of faces, without a check. Where `points5` are only roughly right, as a place to begin
        at, this is better than `points68_of`, for which a detector's points are evidence."""
        return [one for some in _groups(faces) for one in _marked(_said(some, evidence=False))]

    def places(self, faces: Sequence[tuple[Image, Detection]]) -> Floats:
        """As `predicted`, one face or more, with jaw and brows at their places on the head, (n, 68, 2)."""
        return np.concatenate([_said(some, evidence=False).points for some in _groups(faces)])

    def _found(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68]:
        return [one for some in _groups(faces) for one in _marked(_said(some, evidence=True))]


def _groups(faces: Sequence[tuple[Image, Detection]]) -> Iterator[Sequence[tuple[Image, Detection]]]:
    return (faces[at : at + TOGETHER] for at in range(0, len(faces), TOGETHER))


@dataclass(frozen=True, slots=True)
class _Look:
    """The prediction for n faces: `points` (n, 68, 2) and `spread` (n, 68) in pixels of the picture, `seen` (n, 68),
    the probability of visibility, `sight`, the maps of their patches, and `matrices`, which take pixels of the picture
    to those of the patch."""

    points: Floats
    spread: Floats
    seen: Floats
    sight: Sight
    matrices: list[Doubles]

    def of(self, rows: Sequence[int]) -> _Look:
        """Some of the faces."""
        sight = Sight(self.sight.fine[rows], self.sight.middle[rows])
        matrices = [self.matrices[at] for at in rows]
        return _Look(self.points[rows], self.spread[rows], self.seen[rows], sight, matrices)

    def each(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Points, spread and visibility of each face."""
        return zip(self.points, self.spread, self.seen, strict=True)


def _said(faces: Sequence[tuple[Image, Detection]], evidence: bool) -> _Look:
    """What both networks say of some faces, one or more, as places on the head; with `evidence` the detector's points
    and box and the eyes' corners count, before the second network and after it."""
    fives = np.stack([detection.points5 for _, detection in faces])
    first = _first_look([image for image, _ in faces], fives)
    if not evidence:
        return _refined(first)
    corners = corners_of(faces)
    moved = _refined(replace(first, points=toward_points(first.points, first.seen, fives, corners)))
    boxes = np.stack([detection.box for _, detection in faces])
    given = np.array([detection.box_given for _, detection in faces])
    nearer = toward_points(moved.points, moved.seen, fives, corners)
    return replace(moved, points=toward_box(nearer, moved.seen, boxes, given))


def _first_look(images: Sequence[Image], fives: Floats) -> _Look:
    """What the first network says of faces at the detector's points `fives`, (n, 5, 2).

    Where these are far from what it says, as on profiles and behind masks, its patch was cut badly: it looks once more
    at its own points.
    """
    look = _looked(images, fives)
    own = five_points(look.points)
    _, units = face_frames(own)
    again = np.flatnonzero(np.linalg.norm(own - fives, axis=2).mean(1) > AGAIN * units.ravel()).tolist()
    if not again:
        return look
    return _replaced(look, again, _joined(look.of(again), _looked([images[at] for at in again], own[again])))


def _looked(images: Sequence[Image], fives: Floats) -> _Look:
    """What the first network says of patches that are aligned by five landmarks each, (n, 5, 2)."""
    matrices = [to_patch(points5) for points5 in fives]
    said = predict(np.stack([cut_patch(image, one) for image, one in zip(images, matrices, strict=True)]))
    scales = floats([[np.hypot(*matrix[0, :2])] for matrix in matrices])
    points = _into_pictures(said.points[:, :POINTS], matrices)
    return _Look(points, floats(said.spread[:, :POINTS] * SIDE / scales), said.seen, said.sight, matrices)


def _joined(first: _Look, second: _Look) -> _Look:
    """The mean of two predictions, each landmark weighted by the inverse square of its spread; the second's maps."""
    share = (1 / (1 + (first.spread / second.spread) ** 2))[..., None]
    points = floats(share * first.points + (1 - share) * second.points)
    spread, seen = np.minimum(first.spread, second.spread), floats((first.seen + second.seen) / 2)
    return _Look(points, spread, seen, second.sight, second.matrices)


def _replaced(look: _Look, rows: Sequence[int], some: _Look) -> _Look:
    """A prediction with some of the faces as another says."""

    def changed(old: Floats, new: Floats) -> Floats:
        out = old.copy()
        out[rows] = new
        return out

    matrices = dict(zip(rows, some.matrices, strict=True))
    return _Look(
        changed(look.points, some.points),
        changed(look.spread, some.spread),
        changed(look.seen, some.seen),
        Sight(changed(look.sight.fine, some.sight.fine), changed(look.sight.middle, some.sight.middle)),
        [matrices.get(at, old) for at, old in enumerate(look.matrices)],
    )


def _refined(first: _Look) -> _Look:
    """The mean of both networks' landmarks for a face that looks at the camera, the second's where half are hidden.

    On held-out renderings the second network is better the more landmarks are hidden; on photographs of faces that look
    at the camera, the mean is better than either. The spread stays the first network's: on photographs it correlates
    with the true error, the second's hardly does.
    """
    fine = _into_pictures(refine(first.sight, _into_patches(first.points, first.matrices)), first.matrices)
    share = np.clip(first.seen.mean(1) - 0.5, 0, 0.5)[:, None, None]
    return replace(first, points=floats(fine + share * (first.points - fine)))


def _into_patches(points: Floats, matrices: Sequence[Doubles]) -> Floats:
    """Points (n, 68, 2) of pictures in shares of their patches' sides."""
    moved = [one @ matrix[:, :2].T + matrix[:, 2] for one, matrix in zip(points, matrices, strict=True)]
    return floats((np.stack(moved) + 0.5) / SIDE)


def _into_pictures(points: Floats, matrices: Sequence[Doubles]) -> Floats:
    """The opposite of `_into_patches`."""
    backs = [cv2.invertAffineTransform(matrix) for matrix in matrices]
    return floats([(one * SIDE - 0.5) @ back[:, :2].T + back[:, 2] for one, back in zip(points, backs, strict=True)])


def _marked(look: _Look) -> list[Points68]:
    """The landmarks as they are marked in pictures, with their certainty."""
    marked = replace(look, points=on_brow_edges(along_outline(look.points)))
    return [_with_certainty(*one) for one in marked.each()]


def _with_certainty(points: Floats, spread: Floats, seen: Floats) -> Points68:
    """One face's landmarks with their certainty."""
    expected = float((spread * seen).sum() / max(float(seen.sum()), 1e-3)) * AWAY * LARGER
    return Points68(points, Certainty(seen > SHOWN, expected / max(frontal_eye_distance(five_points(points)), 1e-3)))
