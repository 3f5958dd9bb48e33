"""Upright square crops around faces: one similarity warp, so that a photograph is resampled once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Crop, Doubles, Floats, Image, check_image, check_points

# Share of the crop added around the face. With it the eyes of a frontal face are 0.3 of the crop's side apart: the
# whole chin, the ears' roots and the hair's edge are inside, as recognition models of 112 to 160 pixels expect.
DEFAULT_MARGIN = 0.15
FACE_SIDE = 2.9  # side of the crop without margin, in eye distances
EYE_LINE = 0.37  # how far down the crop the eyes are
NOSE_LEADS = 1.53  # how much farther the face's middle moves than the nose's tip when a head turns, the other way
TALL = 0.85  # eye distances for one distance from the eyes to the mouth of a face that looks at us


def five_points(points68: NDArray[np.floating]) -> Floats:
    """Eyes' centres, nose tip and mouth corners, (5, 2), from 68 iBUG points."""
    check_points(points68, 68)
    eyes = [points68[36:42].mean(0), points68[42:48].mean(0)]
    return np.stack([*eyes, points68[30], points68[48], points68[54]]).astype(np.float32)


def face_unit(points5: NDArray[np.floating]) -> float:
    """The eyes' distance that the face has when it looks at us, in pixels.

    Turning brings the eyes nearer to each other, nodding brings them nearer to the mouth; the larger of the two says.
    """
    eyes, mouth = points5[:2].mean(0), points5[3:].mean(0)
    across, down = points5[1] - points5[0], mouth - eyes
    return float(max(np.hypot(*across), TALL * np.hypot(*down)))


def upright(points5: NDArray[np.floating]) -> Doubles:
    """Unit vector (2,) to the face's own right in the picture, from the eyes' line and the line down to the mouth."""
    across = np.asarray(points5[1] - points5[0], np.float64)
    down = np.asarray(points5[3:].mean(0) - points5[:2].mean(0), np.float64)
    turned = np.array([down[1], -down[0]])
    both = across / max(np.hypot(*across), 1e-9) + turned / max(np.hypot(*turned), 1e-9)
    length = np.hypot(*both)
    return both / length if length > 1e-6 else np.array([1.0, 0.0])


def similarity(centre: NDArray[np.floating], right: Doubles, scale: float, target: NDArray[np.floating]) -> Doubles:
    """The matrix (2, 3) that turns `right` level, scales by `scale` and takes `centre` to `target`."""
    turn = scale * np.array([[right[0], right[1]], [-right[1], right[0]]])
    return np.column_stack([turn, np.asarray(target, np.float64) - turn @ np.asarray(centre, np.float64)])


def warped(image: Image, matrix: Doubles, size: int) -> Image:
    """A picture under a similarity, (size, size, 3): reduced by areas first where it shrinks, so nothing flickers."""
    shrink = int(np.floor(1 / max(np.hypot(matrix[0, 0], matrix[0, 1]), 1e-6)))
    if shrink >= 2:
        image, matrix = _reduced(image, matrix, shrink, size)
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def seen(image: Image, matrix: Doubles, size: int, margin: int = 2) -> tuple[Image, Doubles]:
    """The part of a picture that its warp by `matrix` to a square of `size` looks at, and the matrix for that part.

    Args:
        margin: pixels that the part has more on every side, where the picture has them.
    """
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64) @ back[:, :2].T + back[:, 2]
    height, width = image.shape[:2]
    low = np.clip(np.floor(corners.min(0)).astype(int) - margin, 0, [width - 1, height - 1])
    high = np.clip(np.ceil(corners.max(0)).astype(int) + margin, low + 1, [width, height])
    part = image[low[1] : high[1], low[0] : high[0]]
    return part, np.column_stack([matrix[:, :2], matrix[:, :2] @ low + matrix[:, 2]])


def _reduced(image: Image, matrix: Doubles, shrink: int, size: int) -> tuple[Image, Doubles]:
    """The part of the picture that the crop sees, made smaller by a whole number, and the matrix for it."""
    part, matrix = seen(image, matrix, size, 2 * shrink)
    small = (max(1, part.shape[1] // shrink), max(1, part.shape[0] // shrink))
    times = np.array([part.shape[1] / small[0], part.shape[0] / small[1]])
    # Pixel centres: x of the part is (x_small + 0.5) * times - 0.5.
    shift = matrix[:, :2] @ (0.5 * times - 0.5) + matrix[:, 2]
    return cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.column_stack([matrix[:, :2] * times, shift])


def align(image: Image, points68: NDArray[np.floating], size: int, margin: float = DEFAULT_MARGIN) -> Crop:
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
    across = (points68 - points5[:2].mean(0)) @ upright(points5)
    return _cut(image, points5, float(across.min() + across.max()) / 2, size, margin)


def align_five(image: Image, points5: NDArray[np.floating], size: int, margin: float = DEFAULT_MARGIN) -> Crop:
    """As `align`, by a detector's five points: for faces whose outline a real mask hides.

    The face's middle is told from how far the nose is off the eyes' middle, which on 4,026 photographs of LFW leaves
    0.06 eye distances to the middle of the 68 points.
    """
    check_points(points5, 5)
    off = float((points5[2] - points5[:2].mean(0)) @ upright(points5))
    return _cut(image, points5, -NOSE_LEADS * off, size, margin)


def _cut(image: Image, points5: NDArray[np.floating], beside: float, size: int, margin: float) -> Crop:
    """The crop with the face's middle `beside` pixels to the right of the eyes' middle: sideways it is centred on the
    whole face, so that a turned head's ear is in it too."""
    check_image(image)
    right = upright(points5)
    side = FACE_SIDE * face_unit(points5) * (1 + margin)
    target = np.array([0.5, EYE_LINE]) * size - 0.5
    matrix = similarity(points5[:2].mean(0) + right * beside, right, size / side, target)
    return Crop(warped(image, matrix, size), matrix)


def whole(image: Image) -> Crop:
    """The photograph itself as a crop."""
    return Crop(image, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
