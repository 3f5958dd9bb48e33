"""WIDER Face's annotation text: its own boxes, and RetinaFace's with five points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from maskgen.core.reasons import counted
from maskgen.points.mark import Mark, PointsFormat, Row, box_of, numbers

INVALID = 7  # the number in a row that marks a face as invalid


class WiderFace(PointsFormat):
    """A photograph's name, the number of its faces, then a line per face: x, y, width, height and six labels.

    The format of `wider_face_train_bbx_gt.txt`; a photograph without a face has one line of zeros.
    """

    title = "WIDER Face's wider_face_train_bbx_gt.txt"

    @classmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Recognised by a name, a whole number and a row of numbers."""
        return len(head) > 2 and not _all_numbers(head[0]) and head[1].strip().isdecimal() and _all_numbers(head[2])

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every face, and every photograph without one."""
        numbered = ((at, line.strip()) for at, line in enumerate(lines, 1) if line.strip())
        for at, name in numbered:
            _, count = next(numbered, (at, ""))
            if _all_numbers(name) or not count.isdecimal():
                raise ValueError(f"line {at}: a photograph's name and the number of its faces are expected here")
            if not int(count):
                next(numbered, None)
                yield name, None
            for _ in range(int(count)):
                place, row = next(numbered, (at, ""))
                if not row:
                    raise ValueError(f"line {place}: the file ends among the faces of {name}")
                yield name, row

    def mark(self, text: str) -> Mark:
        """The box."""
        values = numbers(text)
        if len(values) < 4:
            raise ValueError(f"it has {counted(len(values), 'number')}, fewer than a box")
        if len(values) > INVALID and values[INVALID]:
            raise ValueError("the file marks the face as invalid")
        return Mark(box_of(values[0], values[1], values[2], values[3]))


class RetinaFace(PointsFormat):
    """`# name`, then a line per face: x, y, width, height, and x, y, flag of each of five points, and its clarity.

    The format of RetinaFace's `label.txt` for WIDER Face. Points of -1 are missing: the box is used.
    """

    title = "RetinaFace's label.txt for WIDER Face"

    @classmethod
    def recognises(cls, head: Sequence[str]) -> bool:
        """Recognised by a name after "# ", and a face or another name below: WIDER Face's file may begin with a folder
        that is called #1, and any file with a comment."""
        return head[0].startswith("# ") and all(line.startswith("# ") or _all_numbers(line) for line in head[1:2])

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Every face, and every photograph without one."""
        name, faces = "", 0
        for line in lines:
            if line.startswith("# "):
                if name and not faces:
                    yield name, None
                name, faces = line[1:].strip(), 0
            elif line.strip():
                faces += 1
                yield name, line.strip()
        if name and not faces:
            yield name, None

    def mark(self, text: str) -> Mark:
        """The box, and the points if all are given."""
        values = numbers(text)
        if len(values) not in (4, 18, 19, 20):  # of more points than five the first would pass for the eyes
            raise ValueError(f"it has {counted(len(values), 'number')}: a box has 4, with points there are 19 or 20")
        box = box_of(values[0], values[1], values[2], values[3])
        # Some files omit the last flag.
        flagged = np.array([*values[4:18], 0.0], np.float32).reshape(-1, 3) if len(values) >= 18 else None
        if flagged is None or (flagged[:, :2] < 0).all(1).any():
            return Mark(box)
        return Mark(box, flagged[:, :2].copy())


def _all_numbers(line: str) -> bool:
    try:
        numbers(line)
    except ValueError:
        return False
    return True
