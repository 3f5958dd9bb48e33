"""One given face in any form that numbers have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgen import Mark

BOX = [1, 2, 30, 40]
POINTS = [[10, 10], [20, 10], [15, 15], [11, 20], [19, 20]]


@pytest.mark.parametrize("form", [list, tuple, np.array, np.float32, np.float64])
def test_lists_and_arrays_of_any_numbers_are_a_face(form: Any) -> None:
    mark = Mark(box=form(BOX), points=form(POINTS))
    assert mark.box is not None and mark.box.dtype == np.float32 and mark.box.tolist() == BOX
    assert mark.points is not None and mark.points.dtype == np.float32 and mark.points.tolist() == POINTS
    assert mark.kind == "points5"


def test_float32_arrays_are_kept() -> None:
    points = np.array(POINTS, np.float32)
    assert Mark(points=points).points is points


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"box": [1, 2, 3]}, "the box is not four finite numbers"),
        ({"box": "a box"}, "expected a box of numbers"),
        ({"points": [[1, 2], [3]]}, "expected points of numbers, in rows of one length, got list"),
        ({"points": 3}, r"expected points of shape \(5, 2\), got \(\)"),
        ({"points": POINTS[:4]}, r"expected points of shape \(5, 2\), got \(4, 2\)"),
        ({"points": [POINTS]}, r"expected points of shape \(5, 2\), got \(1, 5, 2\)"),
    ],
)
def test_other_shapes_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Mark(**wrong)
