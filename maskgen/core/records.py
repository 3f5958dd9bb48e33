"""The records passed between stages; each checks itself.

Convention (everywhere in maskgen):
    - pictures are uint8 (height, width, 3), RGB, sRGB-encoded, 0..255
    - x right, y down, pixel centres at integers; "left" is the viewer's left
    - angles in degrees: yaw > 0 turns the nose to the viewer's right, pitch > 0 raises it, roll > 0 turns the head
      clockwise in the picture
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Image = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_SHARES = 2  # coordinates of a whole face up to this are shares, some of them beyond the picture's edge


def floats(values: ArrayLike) -> Floats:
    """Any numbers as a float32 array."""
    return np.asarray(values, np.float32)


def check_pixels(numbers: NDArray[np.floating], what: str) -> None:
    """Raise ValueError for coordinates of a face that are shares of the picture's sides, 0..1 or -1..1.

    Faces of so few pixels are not masked, so without this check every picture of a data set would silently stay bare.
    Placeholders, the same number everywhere, are not meant.
    """
    if numbers.size and np.abs(numbers).max() <= _SHARES and np.ptp(numbers) > 0:
        raise ValueError(
            f"{what} within {_SHARES} pixels of the picture's corner: give pixels, not shares of its sides"
        )


def check_image(image: NDArray[np.uint8]) -> None:
    """Raise ValueError unless the array is a non-empty RGB picture, uint8 (height, width, 3)."""
    expected = "expected a uint8 RGB picture (height, width, 3)"
    if not isinstance(image, np.ndarray):
        raise ValueError(f"{expected} as a NumPy array, got {type(image).__name__}")
    if 0 in image.shape:
        raise ValueError(f"{expected}, got an empty one, {image.shape}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"{expected}, got {image.dtype} {image.shape}")


def check_points(xy: NDArray[np.floating], n: int) -> None:
    """Raise ValueError unless the array is (n, 2) finite numbers."""
    if xy.shape != (n, 2):
        raise ValueError(f"expected points of shape ({n}, 2), got {xy.shape}")
    if not np.isfinite(xy).all():
        raise ValueError("points hold a NaN or an infinity")


@dataclass(frozen=True, slots=True)
class Detection:
    """One detected face: `box` float32 (4,) as x0, y0, x1, y1, `points5` float32 (5, 2), both in photograph pixels.

    The five points are left eye, right eye, nose tip, left and right mouth corner; `score` is the detector's, 0..1.
    `box_given` says that the box is not the detector's: it was given, or made around given points.
    """

    box: Floats
    points5: Floats
    score: float
    box_given: bool = False

    def __post_init__(self) -> None:
        if self.box.shape != (4,) or not np.isfinite(self.box).all():
            raise ValueError(f"expected a finite box of shape (4,), got {self.box!r}")
        check_points(self.points5, 5)
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score {self.score} is outside 0..1")


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure a landmark model is of 68 points: `seen` bool (68,), which of them nothing of the head hides, and
    `expected`, the mean error that it expects of these, in eye distances of a face that looks at us."""

    seen: NDArray[np.bool_]
    expected: float

    def __post_init__(self) -> None:
        if self.seen.shape != (68,) or not self.expected >= 0:
            raise ValueError(f"expected 68 flags and an error of at least 0, got {self.seen.shape}, {self.expected}")


@dataclass(frozen=True, slots=True)
class Face:
    """A detection with its 68 iBUG points: `points68` float32 (68, 2), in the same pixels as the detection.

    `index` numbers the selected faces of a photograph from 0, most prominent first; `of` is the number of faces
    detected in it; `given` is "box", "points5" or "points68" if that was given, "" for a detected face.
    `certainty` is the landmark model's own certainty of its points, None if it states none.
    """

    detection: Detection
    points68: Floats
    index: int = 0
    of: int = 1
    given: str = ""
    certainty: Certainty | None = None

    def __post_init__(self) -> None:
        check_points(self.points68, 68)
        if not 0 <= self.index < self.of:
            raise ValueError(f"face {self.index} of {self.of}")


@dataclass(frozen=True, slots=True)
class Crop:
    """A picture cut from a photograph around one face.

    Attributes:
        square: the side in pixels to which the picture is stretched after rendering; None for no stretching.

    Convention:
        - `matrix`, float64 (2, 3), takes photograph pixels (x, y, 1) to crop pixels
    """

    image: Image
    matrix: Doubles
    square: int | None = None

    def __post_init__(self) -> None:
        check_image(self.image)
        if self.matrix.shape != (2, 3):
            raise ValueError(f"expected a matrix of shape (2, 3), got {self.matrix.shape}")

    def carry(self, xy: NDArray[np.floating]) -> Floats:
        """Photograph points (n, 2) in crop pixels, float32 (n, 2)."""
        return (xy @ self.matrix[:, :2].T + self.matrix[:, 2]).astype(np.float32)

    def stretched(self, xy: NDArray[np.floating]) -> Floats:
        """Crop points (n, 2) in pixels of the square that is written, float32 (n, 2)."""
        if self.square is None:
            return xy.astype(np.float32)
        steps = self.square / np.array(self.image.shape[1::-1])
        return ((xy + 0.5) * steps - 0.5).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Pose:
    """The pose of a head in degrees, and its size: `scale` is pixels per distance between the eyes."""

    yaw: float
    pitch: float
    roll: float
    scale: float
