"""One given face (`Mark`), and the base of all annotation formats."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from maskgen.core.records import Floats, check_pixels, check_points, floats
from maskgen.faces.upright_crop import five_points

Row = tuple[str, str | None]  # a photograph's name, and the text of one face; None if it has no face
_LARGEST = 1e9  # pixels
SWAPPED = 0.2  # tolerance for swapped eyes, in distances from the eyes to the mouth

# For each point, the index of its mirror image.
_SWAP5 = np.array([1, 0, 2, 4, 3])
_SWAP68 = np.concatenate(
    [
        np.arange(16, -1, -1),  # jaw
        np.arange(26, 16, -1),  # brows
        np.arange(27, 31),
        np.arange(35, 30, -1),  # nose
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],  # eyes
        np.arange(54, 47, -1),
        np.arange(59, 54, -1),  # lips, outside
        np.arange(64, 59, -1),
        np.arange(67, 64, -1),  # lips, inside
    ]
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One face: `box` float32 (4,) as x0, y0, x1, y1, `points` float32 (5, 2) or (68, 2), or both.

    Lists and arrays of other numbers are converted; points may be flat, x, y, x, y, ..., as in the catalogue.

    Convention:
        - pixels of the upright photograph, x right, y down, pixel centres at integers
        - five points are left eye, right eye, nose tip, left and right mouth corner; "left" is the viewer's

    Raises:
        ValueError: neither is given, the box has no area, there are not 5 or 68 points, a number is not finite, left
            and right are swapped, or coordinates are shares of the picture's sides.
    """

    box: Floats | None = None
    points: Floats | None = None

    def __post_init__(self) -> None:
        if self.box is None and self.points is None:
            raise ValueError("it gives neither a box nor points")
        if self.box is not None:
            object.__setattr__(self, "box", given_numbers(self.box, "a box"))
            _check_box(self.box)
            check_pixels(self.box, "the box lies")
        if self.points is not None:
            object.__setattr__(self, "points", _pairs(given_numbers(self.points, "points")))
            check_points(self.points, len(self.points))
            check_pixels(self.points, "all points lie")
            _check_sides(five_points(self.points) if len(self.points) == 68 else self.points)

    @property
    def kind(self) -> str:
        """The kind of annotation, as in the catalogue: "points68", "points5" or "box"."""
        return "box" if self.points is None else f"points{len(self.points)}"


def given_numbers(values: Any, what: str) -> Floats:
    """Given numbers as a float32 array; a tensor may be on any device, of any type of numbers, and track gradients.

    Raises:
        ValueError: they are not numbers, or rows of several lengths.
    """
    try:
        # NumPy takes no tensor of bfloat16, of a GPU or with gradients.
        return floats(values.tolist() if hasattr(values, "detach") else values)
    except (TypeError, ValueError):
        raise ValueError(f"expected {what} of numbers, in rows of one length, got {type(values).__name__}") from None


def _pairs(points: Floats) -> Floats:
    """Points (5, 2) or (68, 2), which may have been flat."""
    pairs = points.reshape(-1, 2) if points.shape in ((10,), (136,)) else points
    if pairs.shape not in ((5, 2), (68, 2)):
        raise ValueError(f"expected 5 or 68 points, (n, 2) or x, y, x, y, ..., got {points.shape}")
    return pairs


def _check_box(box: Floats) -> None:
    if box.shape != (4,) or not np.isfinite(box).all():
        raise ValueError("the box is not four finite numbers")
    if not (box[2] > box[0] and box[3] > box[1]):
        raise ValueError(f"the box from {box[0]:g},{box[1]:g} to {box[2]:g},{box[3]:g} has no area")


def _check_sides(points5: Floats) -> None:
    if is_mirrored(points5):
        raise ValueError("left and right are swapped: left is the viewer's left")


def is_mirrored(points5: Floats) -> bool:
    """Whether left and right of five points are swapped, as in a picture mirrored after the annotation."""
    across, down = points5[1] - points5[0], points5[3:].mean(0) - points5[:2].mean(0)
    cross = float(across[0] * down[1] - across[1] * down[0])
    return cross < -SWAPPED * float(down @ down)


def mirrored(points: Floats) -> Floats:
    """Five or 68 points reordered for a mirrored picture; coordinates are unchanged.

    Example:
        >>> mirrored(np.float32([[9, 0], [1, 0], [5, 5], [8, 9], [2, 9]]))[:, 0].tolist()
        [1.0, 9.0, 5.0, 2.0, 8.0]
    """
    return points[_SWAP5 if len(points) == 5 else _SWAP68]


class PointsFormat(ABC):
    """A format of annotation files; constructed from the file's first lines."""

    title: ClassVar[str]

    def __init__(self, head: Sequence[str]) -> None:
        self.head = head

    @classmethod
    @abstractmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Whether a file with these first lines is of this format."""

    @abstractmethod
    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every face of a file.

        Raises:
            ValueError: the file is truncated or not of the format; says where.
        """

    @abstractmethod
    def mark(self, text: str) -> Mark:
        """The face of a row's text.

        Raises:
            ValueError: it cannot be used; says why.
        """


def numbers(text: str) -> list[float]:
    """Numbers separated by spaces, tabs or commas.

    Raises:
        ValueError: one is not a number.

    Example:
        >>> numbers("1, 2.5 3")
        [1.0, 2.5, 3.0]
    """
    return [number(one) for one in re.split(r"[\s,]+", text.strip()) if one]


def number(text: str) -> float:
    """One number.

    Raises:
        ValueError: it is not a number, or larger than any picture.
    """
    try:
        found = float(text)
    except ValueError:
        raise ValueError(f"{text.strip()[:40]!r} is no number") from None
    if abs(found) > _LARGEST:  # NaN passes: `Mark` says which point is not finite
        raise ValueError(f"{text.strip()[:40]!r} is not in any picture")
    return found


def box_of(x: float, y: float, width: float, height: float) -> Floats:
    """A box by its corner and sides as x0, y0, x1, y1."""
    return np.array([x, y, x + width, y + height], np.float32)
