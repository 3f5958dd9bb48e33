"""Faces in photographs: MTCNN's three networks, searched from large faces to small ones.

The networks and their weights are facenet-pytorch's; the cascade around them is written here, for two reasons. Its
cost is its image pyramid, so it starts with faces that fill a good part of the picture, as those of face datasets do,
and looks for smaller ones only where there were none. And a photograph's answer must not depend on what else is in
the batch: PNet sees one picture at a time, RNet and ONet see candidates in groups of one fixed size, since a group of
another size goes through other kernels, whose last bits differ.

Source: Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks, 2016.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from maskgen.core.records import Detection, Floats, Image, check_image

if TYPE_CHECKING:
    import torch

CELL = 12  # side of the window that PNet judges
STRIDE = 2
STEP = 0.709  # between levels of the pyramid, as in the paper
# Smallest faces of each search, as a share of the picture's shorter side.
SEARCHES = (0.34, 0.15, 0.065, 0.028)
SMALLEST_FACE = 18.0  # pixels
PROPOSE, REFINE, ACCEPT = 0.6, 0.7, 0.6
SURE = 0.98  # a face of this score ends the search; a lying face taken for an upright one scores less
GROUP = 16
MOST_PROPOSALS = 400
TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180)


class Detector(ABC):
    """Finds faces. The base class checks what goes in and what comes out."""

    def detect(self, images: Sequence[Image], small_too: bool = False) -> list[list[Detection]]:
        """The faces of each picture, best score first; an empty list where there is none.

        Args:
            images: uint8 RGB (height, width, 3) each, of any sizes.
            small_too: look for small faces also where a large one was found.
        """
        for image in images:
            check_image(image)
        found = self._detect(images, small_too)
        return [sorted(faces, key=lambda face: (-face.score, *face.box.tolist())) for faces in found]

    @abstractmethod
    def _detect(self, images: Sequence[Image], small_too: bool) -> list[list[Detection]]:
        """The faces of each picture, in any order."""


@dataclass(slots=True)
class _Search:
    """One picture on its way through the cascade: the reduced copy that is searched, and candidate boxes (n, 5)."""

    image: Image
    smallest: float
    boxes: Floats
    points: Floats


def _sure(faces: list[Detection]) -> list[Detection]:
    """The faces of good score that stand upright: a lying one can score well with its points in the wrong places."""
    return [face for face in faces if face.score >= SURE and _stands(face)]


def _best_score(faces: list[Detection]) -> float:
    return max((face.score for face in faces), default=0.0)


def _stands(face: Detection) -> bool:
    down = face.points5[3:].mean(0) - face.points5[:2].mean(0)
    return bool(down[1] > 0.5 * np.hypot(*down))


def _empty() -> Floats:
    return np.zeros((0, 5), np.float32)


class MtcnnDetector(Detector):
    """MTCNN, coarse to fine.

    Args:
        device: where the networks run, as torch names it.
    """

    def __init__(self, device: str = "cpu") -> None:
        import torch
        from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

        self._torch: Any = torch
        self._device = torch.device(device)
        self._pnet, self._rnet, self._onet = (net().eval().to(self._device) for net in (PNet, RNet, ONet))

    def _detect(self, images: Sequence[Image], small_too: bool) -> list[list[Detection]]:
        found = self._upright(images, small_too)
        unsure = [at for at, faces in enumerate(found) if not _sure(faces)]
        for at in unsure:
            best = max((self._turned(images[at], turn, small_too) for turn in TURNS), key=_best_score)
            found[at] = best or found[at]
        return found

    def _turned(self, image: Image, turn: int, small_too: bool) -> list[Detection]:
        """The sure faces of the picture turned by quarters, in the pixels of the picture as it is."""
        turned = np.ascontiguousarray(cv2.rotate(image, turn))
        return [_turned_back(face, turn, image.shape) for face in _sure(self._upright([turned], small_too)[0])]

    def _upright(self, images: Sequence[Image], small_too: bool) -> list[list[Detection]]:
        """Search after search, each for smaller faces, as long as nothing sure was found."""
        found: list[list[Detection]] = [[] for _ in images]
        for share in SEARCHES:
            open_still = [
                at
                for at, image in enumerate(images)
                if small_too or not _sure(found[at])
                if share == SEARCHES[0] or share * min(image.shape[:2]) >= SMALLEST_FACE
            ]
            if not open_still:
                continue
            for at, faces in zip(open_still, self._search([images[at] for at in open_still], share), strict=True):
                found[at] = _merged(found[at], faces)
        return found

    def _search(self, images: Sequence[Image], share: float) -> list[list[Detection]]:
        """One pass of the cascade for faces of at least this share of each picture."""
        with self._torch.inference_mode():
            searches = [self._propose(image, share * min(image.shape[:2])) for image in images]
            self._refine(searches)
            self._judge(searches)
        return [_detections(search) for search in searches]

    def _propose(self, image: Image, smallest: float) -> _Search:
        """PNet over the pyramid of one picture."""
        smallest = max(smallest, SMALLEST_FACE)
        scale, boxes = CELL / smallest, [_empty()]
        while min(image.shape[:2]) * scale >= CELL:
            boxes.append(self._level(image, scale))
            scale *= STEP
        kept = np.concatenate(boxes)
        kept = kept[np.argsort(-kept[:, 4], kind="stable")[:MOST_PROPOSALS]]
        return _Search(image, smallest, _square(kept[suppress(kept, 0.6)]), np.zeros((0, 5, 2), np.float32))

    def _level(self, image: Image, scale: float) -> Floats:
        """Candidates (n, 5) of one level: x0, y0, x1, y1, score, in the picture's pixels."""
        height, width = image.shape[:2]
        size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        shift, score = self._pnet(self._tensor(small[None]))
        heat = score[0, 1].cpu().numpy()
        rows, columns = np.nonzero(heat >= PROPOSE)
        if not len(rows):
            return _empty()
        corner = np.stack([columns, rows], 1).astype(np.float32) * STRIDE
        box = np.concatenate([corner, corner + CELL], 1) / np.float32(scale)
        moved = box + shift[0, :, rows, columns].cpu().numpy().T * (CELL / np.float32(scale))
        candidates = np.column_stack([moved, heat[rows, columns]]).astype(np.float32)
        return candidates[suppress(candidates, 0.5)]

    def _refine(self, searches: Sequence[_Search]) -> None:
        """RNet: throws most candidates away and moves the rest."""
        shift, score = self._grouped(self._rnet, searches, 24)
        start = 0
        for search in searches:
            own = slice(start, start + len(search.boxes))
            start = own.stop
            good = score[own][:, 1] >= REFINE
            boxes = _shifted(search.boxes[good], shift[own][good], score[own][good, 1])
            search.boxes = _square(boxes[suppress(boxes, 0.6)])

    def _judge(self, searches: Sequence[_Search]) -> None:
        """ONet: the final boxes, scores and five points."""
        shift, points, score = self._grouped(self._onet, searches, 48)
        start = 0
        for search in searches:
            own = slice(start, start + len(search.boxes))
            start = own.stop
            good = score[own][:, 1] >= ACCEPT
            boxes = search.boxes[good]
            side = boxes[:, 2:4] - boxes[:, :2]
            shares = points[own][good].reshape(-1, 2, 5).transpose(0, 2, 1)
            marks = boxes[:, None, :2] + shares * side[:, None]
            final = _shifted(boxes, shift[own][good], score[own][good, 1])
            keep = suppress(final, 0.6, of_smaller=True)
            search.boxes, search.points = final[keep], marks[keep].astype(np.float32)

    def _grouped(self, net: torch.nn.Module, searches: Sequence[_Search], side: int) -> list[Floats]:
        """The network's answers for all candidates of all pictures, in groups of GROUP, the last one filled up."""
        patches = [_patch(search.image, box, side) for search in searches for box in search.boxes]
        many = len(patches)
        patches += [np.zeros((side, side, 3), np.uint8)] * (-many % GROUP if many else GROUP)
        answers = [
            [part.cpu().numpy() for part in net(self._tensor(np.stack(patches[at : at + GROUP])))]
            for at in range(0, len(patches), GROUP)
        ]
        return [np.concatenate(parts)[:many] for parts in zip(*answers, strict=True)]

    def _tensor(self, images: np.ndarray) -> Any:
        """Pictures (n, h, w, 3) as the networks want them: (n, 3, h, w), about -1..1."""
        tensor = self._torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return (tensor.to(self._device, self._torch.float32) - 127.5) / 128.0


def suppress(boxes: Floats, overlap: float, of_smaller: bool = False) -> np.ndarray:
    """Indices of the boxes (n, 5) that no better box overlaps by more than `overlap`, best first.

    Overlap is intersection over union, or over the smaller box.
    """
    order = np.argsort(-boxes[:, 4], kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    keep: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(int(best))
        low, high = (
            np.maximum(boxes[best, :2], boxes[rest, :2]),
            np.minimum(boxes[best, 2:4], boxes[rest, 2:4]),
        )
        inter = np.prod(np.maximum(high - low, 0), axis=1)
        base = np.minimum(area[best], area[rest]) if of_smaller else area[best] + area[rest] - inter
        order = rest[inter <= overlap * base]
    return np.array(keep, dtype=np.int64)


def _square(boxes: Floats) -> Floats:
    """Boxes (n, 5) grown to squares about their middles."""
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = np.max(boxes[:, 2:4] - boxes[:, :2], axis=1, initial=0, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half, boxes[:, 4:]], 1).astype(np.float32)


def _shifted(boxes: Floats, shift: Floats, score: Floats) -> Floats:
    """Boxes moved by the network's regression, in shares of their sides, with its score."""
    side = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
    return np.column_stack([boxes[:, :4] + shift * side, score]).astype(np.float32)


def _patch(image: Image, box: Floats, side: int) -> Image:
    """A candidate's pixels, side x side, black outside the picture."""
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.maximum(np.ceil(box[2:4]).astype(int), [x0 + 1, y0 + 1])
    height, width = image.shape[:2]
    part = image[max(y0, 0) : max(min(y1, height), 0), max(x0, 0) : max(min(x1, width), 0)]
    if part.size == 0:
        return np.zeros((side, side, 3), np.uint8)
    beyond = [int(max(by, 0)) for by in (-y0, y1 - height, -x0, x1 - width)]
    if any(beyond):
        part = cv2.copyMakeBorder(part, beyond[0], beyond[1], beyond[2], beyond[3], cv2.BORDER_CONSTANT)
    shrinks = min(part.shape[:2]) > side
    return cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _detections(search: _Search) -> list[Detection]:
    return [
        Detection(box[:4].copy(), points.copy(), float(min(box[4], 1.0)))
        for box, points in zip(search.boxes, search.points, strict=True)
    ]


def _merged(before: list[Detection], new: list[Detection]) -> list[Detection]:
    """Two searches' faces, each face once."""
    faces = before + new
    if not faces or not before:
        return faces
    boxes = np.array([[*face.box, face.score] for face in faces], np.float32)
    return [faces[at] for at in suppress(boxes, 0.6, of_smaller=True)]


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
