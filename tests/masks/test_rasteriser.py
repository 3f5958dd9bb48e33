"""The rasteriser against a slow loop over pixels, and its depth."""

import numpy as np

from maskgen.masks.rasteriser import Canvas

TRIANGLE = np.array([[10.0, 5.0, 0.0], [50.0, 8.0, 0.0], [14.0, 35.0, 0.0]])
ONE = np.array([[0, 1, 2]], np.int32)


def inside(x: float, y: float) -> tuple[float, float, float]:
    a, b, c = TRIANGLE[:, :2]
    m = np.array([b - a, c - a]).T
    s, t = np.linalg.solve(m, np.array([x, y]) - a)
    return 1 - s - t, s, t


def test_values_are_interpolated_where_a_slow_loop_says() -> None:
    corners = np.array([[0.1, 0.2, 0.9], [0.9, 0.4, 0.5], [0.3, 0.8, 0.7]])
    canvas = Canvas(40, 60)
    canvas.draw(TRIANGLE, ONE, corners)
    for y in range(40):
        for x in range(60):
            shares = np.array(inside(x, y))
            if shares.min() > 0.03:
                np.testing.assert_allclose(canvas.values[y, x], shares @ corners, atol=0.02)
            elif shares.min() < -0.03:
                assert (canvas.values[y, x] == 0).all()


def test_what_is_nearer_hides_what_is_behind_in_any_order() -> None:
    behind, before = TRIANGLE + [0, 0, -3], TRIANGLE + [0, 0, 3]
    red, blue = np.tile([1.0, 0.0, 0.1], (3, 1)), np.tile([0.0, 0.0, 1.0], (3, 1))
    first, second = Canvas(40, 60), Canvas(40, 60)
    first.draw(behind, ONE, red)
    first.draw(before, ONE, blue)
    second.draw(before, ONE, blue)
    second.draw(behind, ONE, red)
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_allclose(first.values[12, 20], [0, 0, 1], atol=1e-4)


def test_hiding_leaves_no_colour() -> None:
    canvas = Canvas(40, 60)
    both = np.concatenate([TRIANGLE + [0, 0, -2], TRIANGLE])
    canvas.draw(both, np.array([[0, 1, 2], [3, 4, 5]], np.int32), np.repeat([[1.0], [0.0]], 3, 0) * np.ones(3))
    assert canvas.values[12, 20].max() == 0
