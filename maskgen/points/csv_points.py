"""This program's CSV: path, and a box, 5 points or 68 points of each face."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, dropwhile

import numpy as np

from maskgen.core.reasons import counted, csv_fault
from maskgen.points.mark import Mark, PointsFormat, Row, number

BOX = ("left", "top", "right", "bottom")
_POINT = re.compile(r"[xy][0-9]+")
_NUMBERED = "x1,y1,...,x5,y5 or x1,y1,...,x68,y68"
_BETWEEN = "\x1f"  # joins a row's values; no number contains it


class CsvPoints(PointsFormat):
    """`path`, then `left,top,right,bottom` or `x1,y1,...,x5,y5` or `x1,y1,...,x68,y68`, or a box and points.

    Separated by commas, semicolons or tabs. Other columns are ignored,
    unless they are called x or y with a number. Cells of the box or of the points may be empty.
    A photograph has one row per face.
    """

    title = "a CSV file with the columns path and left,top,right,bottom or x1,y1,...,x5,y5 (or x68,y68)"

    def __init__(self, head: Sequence[str]) -> None:
        super().__init__(head)
        self._between = _delimiter(head[0])
        names = _header(head[0])
        self._columns = len(names)
        if twice := [name for name in ("path", *BOX) if names.count(name) > 1]:
            raise ValueError(f"it has two columns {twice[0]}")
        self._path = names.index("path")
        self._box = [names.index(name) for name in BOX] if set(BOX) <= set(names) else []
        self._points = [names.index(name) for name in _point_columns(names)]
        if not self._box and not self._points:
            raise ValueError(f"it has neither the columns {','.join(BOX)} nor {_NUMBERED}")

    @classmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Recognised by a header with a column `path`."""
        return "path" in _header(head[0])

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every row except the header and empty ones."""
        numbered = dropwhile(lambda line: not line[1].strip(), enumerate(lines))
        before, header = next(numbered)
        table = csv.reader(chain([header], (line for _, line in numbered)), delimiter=self._between, strict=True)
        next(table)
        try:
            for values in table:
                if values:
                    yield values[self._path] if len(values) > self._path else "", _BETWEEN.join(values)
        except csv.Error as error:
            raise ValueError(f"line {before + table.line_num}: {csv_fault(error)}") from error

    def mark(self, text: str) -> Mark:
        """Box and points of a row, each if all its cells are filled."""
        values = [value.strip() for value in text.split(_BETWEEN)]
        if any(values[self._columns :]):  # shifted, so that a number might stand in another's place
            raise ValueError(f"it has {counted(len(values), 'value')}, more than the header")
        box, points = _filled(values, self._box, "box"), _filled(values, self._points, "points")
        return Mark(
            None if box is None else np.array(box, np.float32),
            None if points is None else np.array(points, np.float32).reshape(-1, 2),
        )


def _point_columns(names: Sequence[str]) -> list[str]:
    """The columns of five or 68 points in order; none where no column is x or y with a number.

    Raises:
        ValueError: they are numbered otherwise. Some of 68 points would pass for five, and the jaw's for the eyes.
    """
    there = [name for name in names if _POINT.fullmatch(name)]
    if not there:
        return []
    many = 5 if len(there) <= 2 * 5 + 1 else 68
    wanted = [f"{axis}{at}" for at in range(1, many + 1) for axis in "xy"]
    wrong = [f"has no column {name}" for name in wanted if name not in there][:1]
    wrong += [f"has a column {name}" for name in there if name not in wanted][:1]
    wrong += [f"has two columns {name}" for name in wanted if there.count(name) > 1][:1]
    if wrong:
        raise ValueError(f"it {' and '.join(wrong)}: number the columns of points {_NUMBERED}")
    return wanted


def _filled(values: list[str], columns: list[int], what: str) -> list[float] | None:
    if columns and max(columns) >= len(values):
        raise ValueError(f"it has {counted(len(values), 'value')}, fewer than the header")
    found = [values[at] for at in columns]
    if not any(found):
        return None
    if not all(found):
        raise ValueError(f"some of its {what} are empty")
    return [number(value) for value in found]


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _header(line: str) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    except csv.Error:
        return []
