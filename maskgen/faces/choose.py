"""Which of a photograph's faces are meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Detection
from maskgen.faces.align import face_unit

LOWEST_SCORE = 0.7
SMALLEST_UNIT = 8.0  # pixels between the eyes


def visible_area(face: Detection, shape: tuple[int, int]) -> float:
    """Of the box inside the picture: a face that the edge cuts through is not what the picture is of."""
    x0, y0, x1, y1 = (float(v) for v in face.box)
    height, width = shape
    return max(0.0, min(x1, width) - max(x0, 0.0)) * max(0.0, min(y1, height) - max(y0, 0.0))


def _off_centre(face: Detection, shape: tuple[int, int]) -> float:
    middle = np.array([shape[1], shape[0]]) / 2
    return float(np.hypot(*((face.box[:2] + face.box[2:]) / 2 - middle)))


def choose(detections: Sequence[Detection], shape: tuple[int, int], which: str) -> list[Detection]:
    """The faces that are meant, first the one that counts most.

    Args:
        shape: the picture's (height, width).
        which: "largest", "central" (nearest to the middle), or "all", largest first.

    Raises:
        SetAsideError: NO_FACE, LOW_SCORE or TOO_SMALL where none is left.
        ValueError: `which` is none of the three.
    """
    orders: dict[str, Callable[[Detection], float]] = {
        "largest": lambda face: -visible_area(face, shape),
        "all": lambda face: -visible_area(face, shape),
        "central": lambda face: _off_centre(face, shape),
    }
    if which not in orders:
        raise ValueError(f"which is {which!r}, not largest, central or all")
    if not detections:
        raise SetAsideError(Reason.NO_FACE)
    likely = [face for face in detections if face.score >= LOWEST_SCORE]
    if not likely:
        raise SetAsideError(Reason.LOW_SCORE, f"best score {max(face.score for face in detections):.2f}")
    usable = [face for face in likely if face_unit(face.points5) >= SMALLEST_UNIT]
    if not usable:
        largest = max(face_unit(face.points5) for face in likely)
        raise SetAsideError(Reason.TOO_SMALL, f"{largest:.1f} pixels between the eyes")
    ranked = sorted(usable, key=lambda face: (orders[which](face), -face.score, *face.box.tolist()))
    return ranked if which == "all" else ranked[:1]
