"""This program's CSV: path, and a box, 5 points or 68 points of each face."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from maskgen.core.reasons import counted
from maskgen.points.mark import Mark, PointsFormat, Row, number

BOX = ("left", "top", "right", "bottom")
_BETWEEN = "\x1f"  # joins a row's values; no number contains it


class CsvPoints(PointsFormat):
    """`path`, then `left,top,right,bottom` or `x1,y1,...,x5,y5` or `x1,y1,...,x68,y68`, or a box and points.

    Separated by commas, semicolons or tabs. Other columns are ignored. Cells of the box or of the points may be empty.
    A photograph has one row per face.
    """

    title = "a CSV file with the columns path and left,top,right,bottom or x1,y1,...,x5,y5 (or x68,y68)"

    def __init__(self, head: Sequence[str]) -> None:
        super().__init__(head)
        self._between = _delimiter(head[0])
        names = _header(head[0])
        self._columns = len(names)
        self._path = names.index("path")
        self._box = [names.index(name) for name in BOX] if set(BOX) <= set(names) else []
        many = max((n for n in (5, 68) if f"x{n}" in names), default=0)
        wanted = [f"{axis}{at}" for at in range(1, many + 1) for axis in "xy"]
        if missing := [name for name in wanted if name not in names]:
            raise ValueError(f"it has no column {missing[0]}")
        if not self._box and not wanted:
            raise ValueError(f"it has neither the columns {','.join(BOX)} nor x1,y1,...,x5,y5 or x68,y68")
        self._points = [names.index(name) for name in wanted]

    @classmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Recognised by a header with a column `path`."""
        return "path" in _header(head[0])

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every row except the header and empty ones."""
        table = csv.reader(lines, delimiter=self._between)
        next(table)
        for values in table:
            if values:
                yield values[self._path] if len(values) > self._path else "", _BETWEEN.join(values)

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
