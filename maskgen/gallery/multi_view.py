"""Multi-view face detection: a picture without a confident detection is searched again in altered views, which vote.

A real mask hides half of the features of a face, and the same network detects it in some views of a picture and not in
others. The views are mirrored, rotated, enlarged, padded, darkened, blurred and equalised, and are searched with lower
thresholds. A detection counts if several views agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Detection, Doubles, Floats, Image, check_image
from maskgen.faces.detect import LENIENT_THRESHOLDS, SURE, Detector, MtcnnDetector

LARGEST = 1_000_000  # maximum pixels of a view
SAME = 0.35  # minimum IOU of two views' boxes of one face
VOTES = 2
TRUSTED = 0.85  # a face of a higher score needs no second view
MIRRORED_POINTS = [1, 0, 2, 4, 3]


@dataclass(frozen=True, slots=True)
class View:
    """An altered picture, and the matrix (2, 3) from its pixels to the original's."""

    image: Image
    back: Doubles
    mirrored: bool = False

    def restored(self, found: Detection) -> Detection:
        """A face of the view in the original's pixels; the box stays upright around the same centre."""
        points = found.points5 @ self.back[:, :2].T + self.back[:, 2]
        middle = (found.box[:2] + found.box[2:]) / 2 @ self.back[:, :2].T + self.back[:, 2]
        half = (found.box[2:] - found.box[:2]) / 2 * np.hypot(self.back[0, 0], self.back[0, 1])
        points = points[MIRRORED_POINTS] if self.mirrored else points
        box = np.concatenate([middle - half, middle + half])
        return Detection(box.astype(np.float32), points.astype(np.float32), found.score)


def _same_place(change: Callable[[Image], Image]) -> Callable[[Image], View]:
    return lambda image: View(change(image), np.eye(2, 3))


def _even(image: Image) -> Image:
    """Local histogram equalisation (CLAHE, Zuiderveld 1994)."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(3.0, (6, 6)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _darker(image: Image) -> Image:
    return np.asarray(cv2.LUT(image, (np.linspace(0, 1, 256) ** 2 * 255).astype(np.uint8)), np.uint8)


def _softer(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8)


def _mirrored(image: Image) -> View:
    back = np.array([[-1.0, 0.0, image.shape[1] - 1.0], [0.0, 1.0, 0.0]])
    return View(np.ascontiguousarray(image[:, ::-1]), back, True)


def _enlarged(image: Image) -> View:
    back = np.array([[0.5, 0.0, -0.25], [0.0, 0.5, -0.25]])
    return View(np.asarray(cv2.resize(image, None, fx=2, fy=2), np.uint8), back)


def _framed(image: Image) -> View:
    edge = int(0.4 * min(image.shape[:2]))
    wide = cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    return View(np.asarray(wide, np.uint8), np.array([[1.0, 0.0, -edge], [0.0, 1.0, -edge]]))


def _turned(degrees: float) -> Callable[[Image], View]:
    def turn(image: Image) -> View:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return View(np.asarray(turned, np.uint8), cv2.invertAffineTransform(matrix))

    return turn


VIEWS: tuple[Callable[[Image], View], ...] = (
    _same_place(lambda image: image),
    _same_place(_even),
    _same_place(_darker),
    _same_place(_softer),
    _mirrored,
    _enlarged,
    _framed,
    _turned(20),
    _turned(-20),
)


class MultiViewDetector(Detector):
    """Runs MTCNN, and again on altered views if no face has a high score.

    The score of a face found only in views is the best view's; if fewer than a third of the views agree, it is
    multiplied by their share.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._plain = MtcnnDetector(device)
        self._lenient = MtcnnDetector(device, thresholds=LENIENT_THRESHOLDS)

    def _detect(self, images: Sequence[Image], include_small: bool) -> list[list[Detection]]:
        found = self._plain.detect(images, include_small)
        for at, faces in enumerate(found):
            if not faces or faces[0].score < SURE:
                found[at] = self.search(images[at], include_small) or faces
        return found

    def search(self, image: Image, include_small: bool = False) -> list[Detection]:
        """The faces that the altered views agree on, best first, whatever the score in the original."""
        check_image(image)
        small, times = _reduced(image)
        views = [view(small) for view in VIEWS]
        found = self._lenient.detect([view.image for view in views], include_small)
        back = [[view.restored(face) for face in faces] for view, faces in zip(views, found, strict=True)]
        return [_scaled(face, times) for face in merge_views(back)]


def merge_views(by_view: Sequence[Sequence[Detection]]) -> list[Detection]:
    """The faces found in VOTES views, or in one view with a high score; best first.

    A face's box and points are the views' means, weighted by their scores. A face whose mouth is above its eyes has no
    vote: with low thresholds MTCNN takes folds of a mask for eyes, and a mean with such points is no face at all.

    Args:
        by_view: the faces of each view, all in the pixels of the original.
    """
    groups: list[list[tuple[int, Detection]]] = []
    flat = [(at, face) for at, faces in enumerate(by_view) for face in faces if _mouth_below_eyes(face)]
    for at, face in sorted(flat, key=lambda one: -one[1].score):
        near = [group for group in groups if overlap(group[0][1].box, face.box) > SAME]
        if not near:
            groups.append([(at, face)])
        elif all(at != other for other, _ in near[0]):
            near[0].append((at, face))
    kept = [group for group in groups if len(group) >= VOTES or group[0][1].score >= TRUSTED]
    return sorted((_mean([face for _, face in group]) for group in kept), key=lambda face: -face.score)


def _mouth_below_eyes(face: Detection) -> bool:
    return bool(face.points5[3:, 1].sum() > face.points5[:2, 1].sum())


def overlap(one: Floats, two: Floats) -> float:
    """Intersection over union of two boxes (4,)."""
    low, high = np.maximum(one[:2], two[:2]), np.minimum(one[2:], two[2:])
    both = float(np.prod(np.maximum(high - low, 0)))
    return both / max(float(np.prod(one[2:] - one[:2]) + np.prod(two[2:] - two[:2])) - both, 1e-9)


def _mean(faces: Sequence[Detection]) -> Detection:
    weights = np.array([face.score for face in faces])
    box = np.average([face.box for face in faces], 0, weights)
    points = np.average([face.points5 for face in faces], 0, weights)
    sure = min(1.0, 3 * len(faces) / len(VIEWS))
    return Detection(box.astype(np.float32), points.astype(np.float32), float(weights.max() * sure))


def _reduced(image: Image) -> tuple[Image, float]:
    """The picture reduced to at most LARGEST pixels, and the scale factor."""
    times = max(1.0, float(np.sqrt(image.shape[0] * image.shape[1] / LARGEST)))
    if times == 1.0:
        return image, 1.0
    small = cv2.resize(image, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), image.shape[1] / small.shape[1]


def _scaled(face: Detection, times: float) -> Detection:
    by, shift = np.float32(times), np.float32(0.5 * times - 0.5)
    return Detection(face.box * by + shift, face.points5 * by + shift, face.score)
