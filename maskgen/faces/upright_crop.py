"""The alignment `maskgen`: an upright square crop around a face, by one similarity warp, resampled once."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.alignment_names import DEFAULT_MARGIN
from maskgen.core.kernels.area import fitted_onto
from maskgen.core.records import Crop, Doubles, Floats, Image, check_image, check_points

FACE_SIDE = 2.9  # side of the crop without margin, in eye distances
EYE_LINE = 0.37  # how far down the crop the eyes are
INSIDE_SIDE = 32  # samples a side by which `share_inside_picture` counts
NOSE_LEADS = 1.53  # how much farther the face's middle moves than the nose's tip when a head turns, the other way
FIVE = (30, 48, 54)  # nose tip and mouth corners among the 68
Pair = tuple[float, float]  # x and y: NumPy takes several times as long for two numbers
TALL = 0.85  # eye distances for one distance from the eyes to the mouth of a face that looks at us


def five_points(points68: NDArray[np.floating]) -> Floats:
    """Eyes' centres, nose tip and mouth corners, (..., 5, 2), from 68 iBUG points, (..., 68, 2)."""
    if points68.shape[-2:] != (68, 2):
        raise ValueError(f"expected points of shape (..., 68, 2), got {points68.shape}")
    five = np.empty((*points68.shape[:-2], 5, 2), np.float32)
    # Sums over six: `mean` takes three times as long for so few.
    eyes = points68[..., 36:48, :].reshape(*points68.shape[:-2], 2, 6, 2)
    np.divide(np.add.reduce(eyes, -2), 6, out=five[..., :2, :], casting="same_kind")
    five[..., 2:, :] = points68[..., FIVE, :]
    return five


def frontal_eye_distance(points5: NDArray[np.floating]) -> float:
    """The distance between the eyes that the face would have in a frontal view, in pixels.

    Turning brings the eyes nearer to each other, nodding brings them nearer to the mouth; the larger of the two says.
    """
    return _unit(*face_axes(points5))


def _unit(across: complex, down: complex) -> float:
    return max(abs(across), TALL * abs(down))


def face_right(points5: NDArray[np.floating]) -> Doubles:
    """Unit vector (2,) to the face's own right in the picture, from the eyes' line and the line down to the mouth."""
    return np.array(_right(*face_axes(points5)))


def _right(across: complex, down: complex) -> Pair:
    both = across / max(abs(across), 1e-9) - 1j * down / max(abs(down), 1e-9)
    length = abs(both)
    return (both.real / length, both.imag / length) if length > 1e-6 else (1.0, 0.0)


def face_axes(points5: NDArray[np.floating]) -> tuple[complex, complex]:
    """From the left eye to the right one and from between them to the mouth, as x + iy: NumPy takes five times as long
    for so few numbers."""
    left, right, _, below_left, below_right = (complex(x, y) for x, y in points5.tolist())
    return right - left, (below_left + below_right - left - right) / 2


def similarity(centre: NDArray[np.floating], right: Doubles, scale: float, target: NDArray[np.floating]) -> Doubles:
    """The matrix (2, 3) that turns `right` level, scales by `scale` and takes `centre` to `target`."""
    return _similarity(centre.tolist(), right.tolist(), scale, target.tolist())


def _similarity(centre: Pair, right: Pair, scale: float, target: Pair) -> Doubles:
    cosine, sine = scale * right[0], scale * right[1]
    (x, y), (to_x, to_y) = centre, target
    return np.array([[cosine, sine, to_x - cosine * x - sine * y], [-sine, cosine, to_y + sine * x - cosine * y]])


def warp(image: Image, matrix: Doubles, size: int, border: int = cv2.BORDER_REPLICATE) -> Image:
    """A picture under a similarity, (size, size, 3): reduced by areas first where it shrinks, so nothing flickers.

    Args:
        border: what lies beyond the picture, as OpenCV names it: its edge repeated, or black.
    """
    if (times := shrink_factor(matrix)) >= 2:
        image, matrix = shrink_by_area(*source_window(image, matrix, size, 2 * times), times)
    elif image.shape[0] * image.shape[1] > 4 * size * size:
        image, matrix = source_window(image, matrix, size)
    if border == cv2.BORDER_REPLICATE and _covers(image, matrix, size):
        border = cv2.BORDER_CONSTANT  # the same pixels in half of the time
    # OpenCV warps four channels in half the time that it takes for three.
    four = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    four = cv2.warpAffine(four, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    return cv2.cvtColor(four, cv2.COLOR_RGBA2RGB)


def _covers(image: Image, matrix: Doubles, size: int) -> bool:
    """Whether a warp to a square of `size` reads no pixel beyond the picture's edge."""
    (a, b, c), (d, e, f) = cv2.invertAffineTransform(matrix).tolist()
    height, width = image.shape[:2]
    last = size - 1
    corners = [(0, 0), (last, 0), (0, last), (last, last)]
    across, down = [a * x + b * y + c for x, y in corners], [d * x + e * y + f for x, y in corners]
    return min(across) >= 0 and max(across) <= width - 1 and min(down) >= 0 and max(down) <= height - 1


def shrink_factor(matrix: Doubles) -> int:
    """How many times a similarity makes a picture smaller, in whole numbers; 0 where it makes it larger."""
    return int(1 / max(math.hypot(matrix[0, 0], matrix[0, 1]), 1e-6))


def source_window(image: Image, matrix: Doubles, size: int, margin: int = 2) -> tuple[Image, Doubles]:
    """The part of a picture that its warp by `matrix` to a square of `size` looks at, and the matrix for that part.

    Args:
        margin: pixels that the part has more on every side, where the picture has them.
    """
    (across, up, left), (down, along, top) = cv2.invertAffineTransform(matrix).tolist()
    height, width = image.shape[:2]
    x0, x1 = _stretch(left, size * across, size * up, margin, width)
    y0, y1 = _stretch(top, size * down, size * along, margin, height)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (x0, y0)
    return image[y0:y1, x0:x1], moved


def _stretch(start: float, one: float, other: float, margin: int, most: int) -> tuple[int, int]:
    """The pixels from..to, of 0..most, that a square's two sides reach from its corner, with a margin."""
    low, high = start + min(one, 0) + min(other, 0), start + max(one, 0) + max(other, 0)
    first = min(max(math.floor(low) - margin, 0), most - 1)
    return first, min(max(math.ceil(high) + margin, first + 1), most)


def shrink_by_area(part: Image, matrix: Doubles, times: int) -> tuple[Image, Doubles]:
    """A picture made smaller by a whole number, by areas, and the matrix for it."""
    small = (max(1, part.shape[1] // times), max(1, part.shape[0] // times))
    steps = np.array([part.shape[1] / small[0], part.shape[0] / small[1]])
    # Pixel centres: x of the part is (x_small + 0.5) * steps - 0.5.
    shift = matrix[:, :2] @ (0.5 * steps - 0.5) + matrix[:, 2]
    if part.ndim == 3:
        reduced = fitted_onto(small[1], small[0], [(part, (0, 0, *small))])
    else:
        reduced = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
    return reduced, np.column_stack([matrix[:, :2] * steps, shift])


def align_upright(image: Image, points68: NDArray[np.floating], size: int, margin: float = DEFAULT_MARGIN) -> Crop:
    """Upright square crop around one face; beyond the photograph its edge is repeated.

    Args:
        points68: float (68, 2), in pixels of the photograph.
        size: side of the crop in pixels.
        margin: share of the face's own side added around it; 0 cuts at brow, chin and cheeks.

    Convention:
        - x right, y down, pixel centres at integers; "left" is the viewer's left
        - `Crop.matrix`, float64 (2, 3), takes photograph pixels to crop pixels
    """
    points5 = five_points(points68)
    across = (points68 - _between_the_eyes(points5)) @ face_right(points5)
    return _cut(image, points5, float(across.min() + across.max()) / 2, size, margin)


def align_upright_by_five(
    image: Image, points5: NDArray[np.floating], size: int, margin: float = DEFAULT_MARGIN
) -> Crop:
    """As `align_upright`, by a detector's five points: for faces whose outline a real mask hides.

    The face's middle is told from how far the nose is off the eyes' middle, which on 4,026 photographs of LFW leaves
    0.06 eye distances to the middle of the 68 points.
    """
    check_points(points5, 5)
    return _cut(image, points5, _beside(points5), size, margin)


def share_inside_picture(points5: NDArray[np.floating], shape: tuple[int, int]) -> float:
    """Share of a face's own square, as `align_upright_by_five` cuts it without margin, that lies inside the picture,
    0..1.

    Args:
        shape: the picture's (height, width).
    """
    back = cv2.invertAffineTransform(_matrix(points5, _beside(points5), INSIDE_SIDE, 0.0))
    height, width = shape
    (left, right), (top, bottom) = (_reached(*line) for line in back.tolist())
    if left >= -0.5 and right < width - 0.5 and top >= -0.5 and bottom < height - 0.5:
        return 1.0
    samples = np.indices((INSIDE_SIDE, INSIDE_SIDE)).reshape(2, -1)[::-1]
    xy = back[:, :2] @ samples + back[:, 2:]
    return float(np.mean((xy >= -0.5).all(0) & (xy[0] < width - 0.5) & (xy[1] < height - 0.5)))


def _reached(across: float, down: float, start: float) -> tuple[float, float]:
    """The least and the most of one coordinate among `share_inside_picture`'s samples."""
    last = INSIDE_SIDE - 1
    low, high = min(across, 0.0) + min(down, 0.0), max(across, 0.0) + max(down, 0.0)
    return start + last * low, start + last * high


def _beside(points5: NDArray[np.floating]) -> float:
    """How far to the right of the eyes' middle the face's middle lies, in pixels."""
    return -NOSE_LEADS * float((points5[2] - _between_the_eyes(points5)) @ face_right(points5))


def _cut(image: Image, points5: NDArray[np.floating], beside: float, size: int, margin: float) -> Crop:
    """The crop with the face's middle `beside` pixels to the right of the eyes' middle: sideways it is centred on the
    whole face, so that a turned head's ear is in it too."""
    check_image(image)
    matrix = _matrix(points5, beside, size, margin)
    return Crop(warp(image, matrix, size), matrix)


def _matrix(points5: NDArray[np.floating], beside: float, size: int, margin: float) -> Doubles:
    axes, (x, y) = face_axes(points5), _between_the_eyes(points5).tolist()
    (across, down), side = _right(*axes), FACE_SIDE * _unit(*axes) * (1 + margin)
    centre, target = (x + across * beside, y + down * beside), (0.5 * size - 0.5, EYE_LINE * size - 0.5)
    return _similarity(centre, (across, down), size / max(side, 1e-3), target)


def _between_the_eyes(points5: NDArray[np.floating]) -> NDArray[np.floating]:
    return (points5[0] + points5[1]) / 2


def whole_photograph(image: Image) -> Crop:
    """The photograph itself as a crop."""
    return Crop(image, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
