"""CelebA's lists: `list_landmarks_celeba.txt`, `list_landmarks_align_celeba.txt` and `list_bbox_celeba.txt`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from maskgen.core.reasons import counted
from maskgen.points.mark import Mark, PointsFormat, Row, box_of, numbers

LANDMARKS = tuple(
    f"{place}_{axis}" for place in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
)
_NAMED = re.compile(r"(.+\.(?:jpe?g|png|bmp|webp|tiff?)\b\"?)[\s,]+(.*)", re.IGNORECASE)
BOX = ("x_1", "y_1", "width", "height")


class CelebA(PointsFormat):
    """A line with the number of photographs, the column names, then lines of a name and ten numbers or a box.

    The same tables as CSV, without the first line, are read too.
    """

    title = "CelebA's list_landmarks_celeba.txt, list_landmarks_align_celeba.txt or list_bbox_celeba.txt"

    def __init__(self, head: Sequence[str]) -> None:
        super().__init__(head)
        self._is_box = _columns(head) == BOX

    @classmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Recognised by the column names in the first or the second line."""
        return _columns(head) is not None

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every line below the column names."""
        begun = False
        for line in lines:
            if begun and line.strip():
                yield _parted(line.strip())
            begun = begun or _names(line) is not None

    def mark(self, text: str) -> Mark:
        """The five points, or the box."""
        values = numbers(text)
        wanted = len(BOX) if self._is_box else len(LANDMARKS)
        if len(values) != wanted:
            raise ValueError(f"it has {counted(len(values), 'number')}, not {wanted}")
        if self._is_box:
            return Mark(box_of(values[0], values[1], values[2], values[3]))
        return Mark(points=np.array(values, np.float32).reshape(5, 2))


def _parted(line: str) -> tuple[str, str]:
    """The name and the numbers of a line; a name may hold spaces and commas and ends with its file's suffix."""
    found = _NAMED.match(line)
    if found:
        return found[1].strip('"'), found[2]
    name, _, values = line.replace(",", " ", 1).partition(" ")
    return name, values


def _columns(head: Sequence[str]) -> tuple[str, ...] | None:
    first, *others = head
    if not first.strip().isdecimal():
        return _names(first)
    return _names(others[0]) if others else None


def _names(line: str) -> tuple[str, ...] | None:
    names = tuple(name for name in re.split(r"[\s,]+", line.strip()) if name != "image_id")
    return names if names in (LANDMARKS, BOX) else None
