"""Faces in photographs: MTCNN's three networks, searched from large faces to small ones.

The weights are those that facenet-pytorch carries, too; the cascade around the networks is written here, for two
reasons. Its cost is its image pyramid, so it starts with faces that fill a good part of the picture, as those of face
datasets do, and looks for smaller ones only where there were none. And a photograph's answer must not depend on what
else is in the batch: see `mtcnn/nets.py`.

Source: Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks, 2016.
"""

from __future__ import annotations

import copy
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from maskgen.core.records import Detection, Floats, Image, check_image
from maskgen.faces.boxes import non_maximum_suppression, non_maximum_suppression_inner, regress_boxes, square_boxes
from maskgen.faces.mtcnn.nets import Nets
from maskgen.faces.pyramid import Pyramid, canvases, layout_of, patches, windows
from maskgen.faces.upright_crop import face_axes

# Smallest faces of each search, as a share of the picture's shorter side, and the lowest score of PNet's that counts.
# The first search is for clear faces: few candidates, and what it misses is searched for again.
SEARCHES = ((0.34, 0.8), (0.15, 0.6), (0.065, 0.6), (0.028, 0.6))
SMALLEST_FACE = 18.0  # pixels
SURE = 0.98  # a face of this score ends the search; a lying face taken for an upright one scores less
MOST_PROPOSALS = 400
# The square in the middle of an aligned crop that holds the face, as a share of its shorter side. On crops of five
# forms (five-point 112, MTCNN's box with a margin, the middle of LFW, ours, RecordIO) ONet is sure of 99 to 100 %.
MIDDLE = 0.8
# Of forked processes, the networks of their parents: to end them would wait for threads that are not there.
_LEFT_BEHIND: list[Nets] = []
TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The scores from which on a candidate is kept: of RNet, of ONet, and at most of PNet."""

    refine: float
    accept: float
    propose: float


USUAL_THRESHOLDS = Thresholds(0.7, 0.6, 1.0)
LENIENT_THRESHOLDS = Thresholds(0.3, 0.2, 0.4)  # for pictures that are known to hold a face
# For faces of which a part is missing: RNet's scores are low for them, ONet's are not.
LOWER_THRESHOLDS = Thresholds(0.5, 0.6, 1.0)


class Detector(ABC):
    """Finds faces. The base class checks what goes in and what comes out.

    `one_face` says that the pictures are crops of one face each: no others are looked for.
    """

    one_face: bool = False

    def detect(self, images: Sequence[Image], include_small: bool = False) -> list[list[Detection]]:
        """The faces of each picture, best score first; an empty list where there is none.

        Args:
            images: uint8 RGB (height, width, 3) each, of any sizes.
            include_small: look for small faces also where a large one was found.
        """
        for image in images:
            check_image(image)
        found = self._detect(images, include_small)
        return [sorted(faces, key=lambda face: (-face.score, *face.box.tolist())) for faces in found]

    def detect_upright(self, image: Image) -> list[Detection]:
        """As `detect` of one picture, of faces that stand upright in it only where the detector can tell."""
        return self.detect([image])[0]

    def with_lower_thresholds(self) -> Detector:
        """The detector for faces of which a part is missing."""
        return self

    @abstractmethod
    def _detect(self, images: Sequence[Image], include_small: bool) -> list[list[Detection]]:
        """The faces of each picture, in any order."""


def _sure(faces: list[Detection]) -> list[Detection]:
    """The faces of good score that stand upright: a lying one can score well with its points in the wrong places."""
    return [face for face in faces if face.score >= SURE and _stands(face)]


def _best_score(faces: list[Detection]) -> float:
    return max((face.score for face in faces), default=0.0)


def _stands(face: Detection) -> bool:
    down = face_axes(face.points5)[1]
    return down.imag > 0.5 * abs(down)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Boxes (n, 5) of several pictures, those of one picture together; `owner` (n,) says whose each is."""

    boxes: Floats
    owner: np.ndarray

    def kept(self, boxes: Floats, chosen: np.ndarray, overlap: float) -> _Candidates:
        """New boxes for the chosen ones, each picture's without those that a better one overlaps."""
        boxes, owner = boxes[chosen], self.owner[chosen]
        keep = [at[non_maximum_suppression(boxes[at], overlap)] for at in _by_owner(owner)]
        order = np.concatenate(keep) if keep else np.zeros(0, np.int64)
        return _Candidates(square_boxes(boxes[order]), owner[order])

    def patches(self, pyramids: Sequence[Pyramid], side: int) -> list[Image]:
        """The pixels of every candidate, (side, side, 3)."""
        shrinks = ((self.boxes[:, 2] - self.boxes[:, 0]) / side).tolist()
        each = zip(self.owner.tolist(), self.boxes[:, :4].tolist(), shrinks, strict=True)
        return patches([pyramids[at].part(box, shrink) for at, box, shrink in each], side)


def _by_owner(owner: np.ndarray) -> list[np.ndarray]:
    """Indices of each picture's candidates, for pictures that have any."""
    return np.split(np.arange(len(owner)), np.flatnonzero(np.diff(owner)) + 1) if len(owner) else []


class MtcnnDetector(Detector):
    """MTCNN, coarse to fine.

    Args:
        device: where the networks run: "cpu", "cuda" or "cuda:N".
        aligned: the pictures are crops with one face in the middle: ONet looks there first, and only where it is not
            sure of a face is the crop searched as any photograph.
        thresholds: the lowest scores.

    Raises:
        UserError: there is no such device.
    """

    def __init__(self, device: str = "cpu", aligned: bool = False, thresholds: Thresholds = USUAL_THRESHOLDS) -> None:
        self._device, self._made, self._own_nets = device, os.getpid(), Nets(device)
        self.one_face = aligned
        self._thresholds = thresholds

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes the networks again."""
        return type(self), (self._device, self.one_face, self._thresholds)

    def detect_upright(self, image: Image) -> list[Detection]:
        """As `detect`, but the picture is not turned where no face stands upright in it."""
        check_image(image)
        return self._upright([image], include_small=False)[0]

    def with_lower_thresholds(self) -> MtcnnDetector:
        """The same networks with LOWER_THRESHOLDS."""
        found = copy.copy(self)
        found._thresholds = LOWER_THRESHOLDS
        return found

    @property
    def _nets(self) -> Nets:
        """The networks, made again in a forked process: the threads that ran them stayed behind."""
        if self._made != os.getpid():
            _LEFT_BEHIND.append(self._own_nets)
            # In this order: another thread may read between the two.
            self._own_nets, self._made = Nets(self._device), os.getpid()
        return self._own_nets

    def _detect(self, images: Sequence[Image], include_small: bool) -> list[list[Detection]]:
        found = self._in_the_middle(images) if self.one_face else [[] for _ in images]
        left = [at for at, faces in enumerate(found) if include_small or not _sure(faces)]
        for at, faces in zip(left, self._searched([images[at] for at in left], include_small), strict=True):
            found[at] = faces
        return found

    def _in_the_middle(self, images: Sequence[Image]) -> list[list[Detection]]:
        """The face in the middle of each crop, without a search."""
        shapes = np.array([image.shape[1::-1] for image in images], np.float32).reshape(-1, 2)
        half = MIDDLE / 2 * shapes.min(axis=1, keepdims=True)
        boxes = np.column_stack([shapes / 2 - half, shapes / 2 + half, np.ones(len(images))]).astype(np.float32)
        return self._judge([Pyramid(image) for image in images], _Candidates(boxes, np.arange(len(images))))

    def _searched(self, images: Sequence[Image], include_small: bool) -> list[list[Detection]]:
        """The faces of each picture, turned by quarters where none stands upright in it."""
        found = self._upright(images, include_small)
        unsure = [at for at, faces in enumerate(found) if not _sure(faces)]
        for at in unsure:
            best = max(self._turned(images[at], include_small), key=_best_score)
            found[at] = best or found[at]
        return found

    def _turned(self, image: Image, include_small: bool) -> list[list[Detection]]:
        """The sure faces of the picture turned by each quarter, in the pixels of the picture as it is."""
        turned = [np.ascontiguousarray(cv2.rotate(image, turn)) for turn in TURNS]
        return [
            [_turned_back(face, turn, image.shape) for face in _sure(faces)]
            for turn, faces in zip(TURNS, self._upright(turned, include_small), strict=True)
        ]

    def _upright(self, images: Sequence[Image], include_small: bool) -> list[list[Detection]]:
        """Search after search, each for smaller faces, as long as nothing sure was found."""
        found: list[list[Detection]] = [[] for _ in images]
        pyramids, open_still = [Pyramid(image) for image in images], list(range(len(images)))
        for search in SEARCHES:
            open_still = [
                at
                for at in open_still
                if include_small or not _sure(found[at])
                if search == SEARCHES[0] or search[0] * min(images[at].shape[:2]) >= SMALLEST_FACE
            ]
            if not open_still:
                break
            for at, faces in zip(open_still, self._search([pyramids[at] for at in open_still], *search), strict=True):
                found[at] = _merged(found[at], faces)
        return found

    def _search(self, pyramids: Sequence[Pyramid], share: float, lowest: float) -> list[list[Detection]]:
        """One pass of the cascade for faces of at least this share of each picture."""
        return self._judge(pyramids, self._refine(pyramids, self._propose(pyramids, share, lowest)))

    def _propose(self, pyramids: Sequence[Pyramid], share: float, lowest: float) -> _Candidates:
        """PNet over the pyramids, pictures of one size together."""
        shapes: dict[tuple[int, int], list[int]] = {}
        for at, pyramid in enumerate(pyramids):
            shapes.setdefault(pyramid.image.shape[:2], []).append(at)
        found: dict[int, Floats] = {}
        for shape, members in shapes.items():
            boxes = self._proposals([pyramids[at] for at in members], shape, share, lowest)
            found |= zip(members, boxes, strict=True)
        every = [found[at] for at in range(len(pyramids))]
        return _Candidates(np.concatenate(every), np.repeat(np.arange(len(every)), [len(own) for own in every]))

    def _proposals(
        self, pyramids: Sequence[Pyramid], shape: tuple[int, int], share: float, lowest: float
    ) -> list[Floats]:
        """Candidate squares (n, 5) of each of several pictures of one size."""
        layout = layout_of(*shape, max(share * min(shape), SMALLEST_FACE))
        if not layout.places:
            return [np.zeros((0, 5), np.float32) for _ in pyramids]
        heat, shift = self._nets.propose(canvases(pyramids, layout))
        owner, rows, columns = np.nonzero((heat >= min(lowest, self._thresholds.propose)) & (layout.level >= 0))
        score = heat[owner, rows, columns]
        corners = windows(layout, layout.level[rows, columns], rows, columns, np.array(shape[::-1], np.float64))
        boxes = regress_boxes(corners.astype(np.float32), shift[owner, :, rows, columns], score)
        ends = np.searchsorted(owner, np.arange(1, len(pyramids)))
        kept = [own[non_maximum_suppression(own, 0.5)[:MOST_PROPOSALS]] for own in np.split(boxes, ends)]
        return np.split(square_boxes(np.concatenate(kept)), np.cumsum([len(own) for own in kept[:-1]]))

    def _refine(self, pyramids: Sequence[Pyramid], candidates: _Candidates) -> _Candidates:
        """RNet: throws most candidates away and moves the rest."""
        if not len(candidates.owner):
            return candidates
        score, shift = self._nets.refine(candidates.patches(pyramids, 24))
        return candidates.kept(regress_boxes(candidates.boxes, shift, score), score >= self._thresholds.refine, 0.45)

    def _judge(self, pyramids: Sequence[Pyramid], candidates: _Candidates) -> list[list[Detection]]:
        """ONet: the final boxes, scores and five points of each picture's faces."""
        faces: list[list[Detection]] = [[] for _ in pyramids]
        if not len(candidates.owner):
            return faces
        score, shift, shares = self._nets.output(candidates.patches(pyramids, 48))
        boxes = regress_boxes(candidates.boxes, shift, score)
        side = candidates.boxes[:, 2:4] - candidates.boxes[:, :2]
        points = candidates.boxes[:, None, :2] + shares.reshape(-1, 2, 5).transpose(0, 2, 1) * side[:, None]
        # ONet is sure of a candidate that holds half a face, too, and puts its points wrong; RNet tells the two apart.
        boxes[:, 4] *= candidates.boxes[:, 4]
        for own in _by_owner(candidates.owner):
            good = own[score[own] >= self._thresholds.accept]
            for at in good[non_maximum_suppression_inner(boxes[good], 0.6)].tolist():
                faces[candidates.owner[at]].append(
                    Detection(boxes[at, :4].copy(), points[at].astype(np.float32), float(min(score[at], 1.0)))
                )
        return faces


def _merged(before: list[Detection], new: list[Detection]) -> list[Detection]:
    """Two searches' faces, each face once."""
    faces = before + new
    if not faces or not before:
        return faces
    boxes = np.array([[*face.box, face.score] for face in faces], np.float32)
    return [faces[at] for at in non_maximum_suppression_inner(boxes, 0.6)]


def _turned_back(face: Detection, turn: int, shape: tuple[int, ...]) -> Detection:
    """A face found in the turned picture in the pixels of the picture as it was."""
    height, width = shape[:2]

    def back(xy: Floats) -> Floats:
        x, y = xy[:, 0], xy[:, 1]
        if turn == cv2.ROTATE_90_CLOCKWISE:
            x, y = y, height - 1 - x
        elif turn == cv2.ROTATE_90_COUNTERCLOCKWISE:
            x, y = width - 1 - y, x
        else:
            x, y = width - 1 - x, height - 1 - y
        return np.stack([x, y], 1).astype(np.float32)

    corners = back(face.box.reshape(2, 2))
    return Detection(np.concatenate([corners.min(0), corners.max(0)]), back(face.points5), face.score)
