"""One face as a file marks it, and what every format of such files has in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from maskgen.core.records import Floats, check_points

Row = tuple[str, str | None]  # a photograph's name, and the text that marks one face; None where it shows none
SWAPPED = 0.2  # how far right of the right eye the left one may be, in distances from the eyes to the mouth


@dataclass(frozen=True, slots=True)
class Mark:
    """One face: `box` float32 (4,) as x0, y0, x1, y1, `points` float32 (5, 2) or (68, 2), or both.

    Convention:
        - pixels of the upright photograph, x right, y down, pixel centres at integers
        - five points are left eye, right eye, nose tip, left and right mouth corner; "left" is the viewer's

    Raises:
        ValueError: neither is there, a box without area, numbers that are not finite, or left and right swapped.
    """

    box: Floats | None = None
    points: Floats | None = None

    def __post_init__(self) -> None:
        if self.box is None and self.points is None:
            raise ValueError("it gives neither a box nor points")
        if self.box is not None:
            _check_box(self.box)
        if self.points is not None:
            check_points(self.points, 68 if len(self.points) == 68 else 5)
            if len(self.points) == 5:
                _check_sides(self.points)

    @property
    def kind(self) -> str:
        """What it gives, as the catalogue says it: "points68", "points5" or "box"."""
        return "box" if self.points is None else f"points{len(self.points)}"


def _check_box(box: Floats) -> None:
    if box.shape != (4,) or not np.isfinite(box).all():
        raise ValueError("the box is not four finite numbers")
    if not (box[2] > box[0] and box[3] > box[1]):
        raise ValueError(f"the box from {box[0]:g},{box[1]:g} to {box[2]:g},{box[3]:g} has no area")


def _check_sides(points: Floats) -> None:
    across, down = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    cross = float(across[0] * down[1] - across[1] * down[0])
    if cross < -SWAPPED * float(down @ down):
        raise ValueError("left and right are swapped: left is the viewer's left")


class PointsFormat(ABC):
    """A format of files that mark faces; made from the file's first lines."""

    title: ClassVar[str]

    def __init__(self, head: Sequence[str]) -> None:
        self.head = head

    @classmethod
    @abstractmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Whether a file that begins with these lines is of this format."""

    @abstractmethod
    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every face of a file.

        Raises:
            ValueError: the file breaks off or is not of the format; says where.
        """

    @abstractmethod
    def mark(self, text: str) -> Mark:
        """The face that a row's text marks.

        Raises:
            ValueError: it cannot be used; says why.
        """


def numbers(text: str) -> list[float]:
    """Numbers with spaces, tabs or commas between them.

    Raises:
        ValueError: something else is among them.

    Example:
        >>> numbers("1, 2.5 3")
        [1.0, 2.5, 3.0]
    """
    return [number(one) for one in re.split(r"[\s,]+", text.strip()) if one]


def number(text: str) -> float:
    """One number.

    Raises:
        ValueError: it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text.strip()[:40]!r} is no number") from None


def box_of(x: float, y: float, width: float, height: float) -> Floats:
    """A box by its corner and sides as x0, y0, x1, y1."""
    return np.array([x, y, x + width, y + height], np.float32)
