"""InsightFace's `.lst` with boxes and landmarks, the format of its align and `face2rec` scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from maskgen.core.reasons import counted
from maskgen.points.mark import Mark, PointsFormat, Row, number

BOX, LANDMARKS = slice(3, 7), slice(7, 17)


class InsightFaceLst(PointsFormat):
    """Separated by tabs: aligned (0 or 1), path, label, x0, y0, x1, y1, then x of the five points, then y of the five.

    Source: `parse_lst_line` of InsightFace's face_preprocess.py, which takes the landmarks as (2, 5).
    """

    title = "InsightFace's .lst (aligned, path, label, box, landmarks with tabs between)"

    @classmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Recognised by three tab-separated values, the first and the third whole numbers."""
        values = head[0].split("\t")
        return len(values) >= 3 and _is_whole(values[0]) and _is_whole(values[2]) and not _is_whole(values[1])

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every line that is not empty."""
        for line in lines:
            if line.strip():
                values = line.rstrip("\r\n").split("\t")
                yield values[1] if len(values) > 1 else "", line

    def mark(self, text: str) -> Mark:
        """Box and five points, or the box alone."""
        values = text.strip().split("\t")
        if len(values) not in (3, 7, 17):
            raise ValueError(f"it has {counted(len(values), 'value')}: an .lst with a box has 7, with landmarks 17")
        box = [number(value) for value in values[BOX]]
        points = [number(value) for value in values[LANDMARKS]]
        return Mark(
            np.array(box, np.float32) if box else None,
            np.array(points, np.float32).reshape(2, 5).T if points else None,
        )


def _is_whole(text: str) -> bool:
    return text.strip().removeprefix("-").isdecimal()
