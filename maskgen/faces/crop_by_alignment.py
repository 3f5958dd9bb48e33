"""A face cropped by the name of its alignment: `maskgen`, InsightFace's five-point template, facenet-pytorch's box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.alignment_names import (
    ARCFACE_SCALED,
    ARCFACE_SIDE,
    DEFAULT_ALIGNMENT,
    DEFAULT_MARGIN,
    FACENET,
    MASKGEN,
    check_alignment,
)
from maskgen.core.records import Crop, Detection, Doubles, Face, Image, check_image, check_points
from maskgen.faces.upright_crop import align_upright, align_upright_by_five, five_points, warp

# Left eye, right eye, nose tip, left and right mouth corner in InsightFace's crop of 112 x 112 pixels. Source: the
# constant `arcface_dst` of insightface/utils/face_align.py, insightface 0.7.3 and 2.1.
ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# At multiples of 128 pixels InsightFace keeps the template's size and moves it to the right by this share of the side.
MOVED_AT_128 = 8 / 128


@dataclass(frozen=True, slots=True)
class CropSettings:
    """Settings of a crop.

    Attributes:
        align: one of `core.alignment_names.ALIGNMENTS`.
        size: side of the crop in pixels.
        margin: as `core.alignment_names.check_alignment` takes it; the alignment's default where None.
    """

    align: str = DEFAULT_ALIGNMENT
    size: int = 160
    margin: float | None = None

    def __post_init__(self) -> None:
        check_alignment(self.align, self.size, self.margin)


def crop_face(image: Image, face: Face, cut: CropSettings) -> Crop:
    """A face cut out by its 68 points; "facenet" goes by the detector's box alone.

    Args:
        image: uint8 RGB (height, width, 3).
    """
    if cut.align == MASKGEN:
        return align_upright(image, face.points68, cut.size, DEFAULT_MARGIN if cut.margin is None else cut.margin)
    if cut.align == FACENET:
        return align_facenet(image, face.detection.box, cut.size, cut.margin or 0.0)
    return align_arcface(image, five_points(face.points68), cut.align, cut.size)


def crop_detection(image: Image, found: Detection, cut: CropSettings) -> Crop:
    """As `crop_face`, by a detector's box and five points, and stretched to its square: for faces in real masks."""
    if cut.align == MASKGEN:
        return align_upright_by_five(
            image, found.points5, cut.size, DEFAULT_MARGIN if cut.margin is None else cut.margin
        )
    if cut.align == FACENET:
        crop = align_facenet(image, found.box, cut.size, cut.margin or 0.0)
        return Crop(stretch_to_square(crop.image, crop.square), stretched_matrix(crop))
    return align_arcface(image, found.points5, cut.align, cut.size)


def stretched_matrix(crop: Crop) -> Doubles:
    """The matrix, float64 (2, 3), from photograph pixels to pixels of what is written: the crop, or its square."""
    if crop.square is None:
        return crop.matrix
    steps = crop.square / np.array(crop.image.shape[1::-1])
    return np.column_stack([crop.matrix[:, :2] * steps[:, None], (crop.matrix[:, 2] + 0.5) * steps - 0.5])


def arcface_template(name: str, size: int) -> Doubles:
    """Where the five points go in a crop of this size, float64 (5, 2), in pixels of the crop.

    Args:
        name: "arcface" for InsightFace's own rule, or "arcface-scaled" for the template in proportion at any size.
        size: side in pixels; with "arcface" a multiple of 112 or of 128.
    """
    if name == ARCFACE_SCALED or size % ARCFACE_SIDE == 0:
        return ARCFACE_TEMPLATE * (size / ARCFACE_SIDE)
    if size % 128:
        raise ValueError(f"InsightFace has no template for {size} pixels")
    return ARCFACE_TEMPLATE * (size / 128) + [MOVED_AT_128 * size, 0.0]


def fit_similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> Doubles:
    """The similarity without reflection that takes points to points with the least squared error.

    Args:
        source: (n, 2), not all in one place.
        target: (n, 2).

    Returns:
        float64 (2, 3), which takes (x, y, 1) of the source to the target.

    Source: Umeyama 1991, in the closed form that two dimensions have: as complex numbers, the factor is the
    covariance of source and target over the variance of the source.
    """
    z, w = (points.astype(np.float64) @ np.array([1, 1j]) for points in (source, target))
    z_mean, w_mean = z.mean(), w.mean()
    factor = np.vdot(z - z_mean, w - w_mean) / np.vdot(z - z_mean, z - z_mean)
    shift = w_mean - factor * z_mean
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def align_arcface(image: Image, points5: NDArray[np.floating], name: str, size: int) -> Crop:
    """The crop that InsightFace's `norm_crop` gives for these points; what lies beyond the photograph is black.

    Where the crop has less than half of the photograph's resolution, the photograph is first reduced by area.
    InsightFace samples it without that, which shows as aliasing.

    Args:
        image: uint8 RGB (height, width, 3).
        points5: float (5, 2), in pixels of the photograph.
        name: "arcface" or "arcface-scaled".
        size: side of the crop in pixels.

    Convention:
        - x right, y down, pixel centres at integers; "left" is the viewer's left
        - `Crop.matrix`, float64 (2, 3), takes photograph pixels to crop pixels
    """
    check_image(image)
    check_points(points5, 5)
    matrix = fit_similarity(points5, arcface_template(name, size))
    return Crop(warp(image, matrix, size, cv2.BORDER_CONSTANT), matrix)


def facenet_box(box: NDArray[np.floating], size: int, margin: float, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The part of the photograph that facenet-pytorch cuts out: x0, y0, x1, y1 in whole pixels, x1 and y1 exclusive.

    Args:
        box: float (4,) as x0, y0, x1, y1, the detector's, in pixels of the photograph.
        size: side of the crop in pixels.
        margin: in pixels of the crop, both sides together, 0 to `size` - 1.
        shape: of the photograph, (height, width, ...).

    Source: `extract_face` of facenet-pytorch 2.5.3.
    """
    x0, y0, x1, y1 = box.tolist()
    across, down = margin * (x1 - x0) / (size - margin) / 2, margin * (y1 - y0) / (size - margin) / 2
    left, top = int(max(x0 - across, 0)), int(max(y0 - down, 0))
    right, bottom = int(min(x1 + across, shape[1])), int(min(y1 + down, shape[0]))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def align_facenet(image: Image, box: NDArray[np.floating], size: int, margin: float) -> Crop:
    """The part of the photograph that facenet-pytorch's MTCNN cuts out, neither turned nor yet stretched to a square.

    Its shorter side has `size` pixels; `Crop.square` is `size`, the side to which `stretch_to_square` stretches it. A
    mask is drawn before that, on a face in its own proportions.
    """
    check_image(image)
    x0, y0, x1, y1 = facenet_box(box, size, margin, image.shape)
    part = image[y0:y1, x0:x1]
    scale = size / min(part.shape[:2])
    width, height = (max(size, round(side * scale)) for side in (part.shape[1], part.shape[0]))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    steps = np.array([width / part.shape[1], height / part.shape[0]])
    shift = (0.5 - np.array([x0, y0])) * steps - 0.5  # pixel centres: (x + 0.5) is what is scaled
    resized = part if scale == 1 else cv2.resize(part, (width, height), interpolation=way)
    return Crop(np.ascontiguousarray(resized), np.column_stack([np.diag(steps), shift]), size)


def stretch_to_square(picture: NDArray[np.uint8], size: int | None, by: int = cv2.INTER_AREA) -> NDArray[np.uint8]:
    """A picture, (height, width) or (height, width, 3), stretched to a square of `size`; unchanged for None.

    `by` is OpenCV's interpolation; class indices need INTER_NEAREST.
    """
    if size is None or picture.shape[:2] == (size, size):
        return picture
    return cv2.resize(picture, (size, size), interpolation=by)
