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


def test_points_may_be_flat_as_in_the_catalogue() -> None:
    flat = [value for point in POINTS for value in point]
    mark = Mark(points=flat)  # type: ignore[arg-type]
    assert mark.points is not None and mark.points.tolist() == POINTS
    many = np.arange(136.0)
    mark = Mark(points=many)  # type: ignore[arg-type]
    assert mark.kind == "points68"
    assert mark.points is not None and mark.points.tolist() == many.reshape(68, 2).tolist()


def test_float32_arrays_are_kept() -> None:
    points = np.array(POINTS, np.float32)
    assert Mark(points=points).points is points


def test_tensors_of_any_kind_are_a_face() -> None:
    torch = pytest.importorskip("torch")
    for kind in (torch.bfloat16, torch.float16, torch.float64, torch.int32):
        assert np.array_equal(Mark(points=torch.tensor(POINTS, dtype=kind)).points, POINTS)  # type: ignore[arg-type]
    tracked = torch.tensor(POINTS, dtype=torch.float32, requires_grad=True)
    assert np.array_equal(Mark(points=tracked).points, POINTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"box": [1, 2, 3]}, "the box is not four finite numbers"),
        ({"box": "a box"}, "expected a box of numbers"),
        ({"points": [[1, 2], [3]]}, "expected points of numbers, in rows of one length, got list"),
        ({"points": 3}, r"expected 5 or 68 points, \(n, 2\) or x, y, x, y, ..., got \(\)"),
        ({"points": POINTS[:4]}, r"expected 5 or 68 points, .* got \(4, 2\)"),
        ({"points": [POINTS]}, r"expected 5 or 68 points, .* got \(1, 5, 2\)"),
        ({"points": np.ones((106, 2))}, r"expected 5 or 68 points, .* got \(106, 2\)"),
        ({"points": [1, 2, 3, 4, 5]}, r"expected 5 or 68 points, .* got \(5,\)"),
        ({"points": [0, 1] * 98}, r"expected 5 or 68 points, .* got \(196,\)"),
        ({"points": [float("nan")] * 136}, "NaN"),
        ({"box": [0.3, 0.1, 0.5, 0.4]}, "the box lies within 2 pixels .* give pixels, not shares of its sides"),
        ({"points": np.array(POINTS) / 20}, "all points lie within 2 pixels .* give pixels, not shares of its sides"),
        ({"points": np.array(POINTS) / 10 - 1}, "all points lie within 2 pixels .* give pixels"),
    ],
)
def test_other_shapes_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Mark(**wrong)
