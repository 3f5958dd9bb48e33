"""Distances against a slow loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskgen.metrics import distances
from maskgen.metrics.distances import l2, normalised, pair_l2


def slow(a: np.ndarray, b: np.ndarray) -> float:
    length_a, length_b = (math.sqrt(sum(float(x) ** 2 for x in v)) for v in (a, b))
    return math.sqrt(sum((float(x) / length_a - float(y) / length_b) ** 2 for x, y in zip(a, b, strict=True)))


@given(st.integers(1, 9), st.integers(1, 17), st.integers(0, 1 << 30))
def test_as_a_slow_loop_has_them(n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n, d)) * 3
    found = l2(a.astype(np.float32), b.astype(np.float32))
    assert found.dtype == np.float32
    assert found.shape == (n,)
    np.testing.assert_allclose(found, [slow(x, y) for x, y in zip(a, b, strict=True)], atol=2e-6)


def test_alike_opposite_and_square() -> None:
    a = np.array([[3.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    b = np.array([[1.0, 0.0], [0.0, -9.0], [0.0, 5.0]])
    np.testing.assert_allclose(l2(a, b), [0, 2, math.sqrt(2)], rtol=1e-6)


def test_length_does_not_count_and_noughts_stay() -> None:
    rows = np.random.default_rng(0).normal(size=(4, 8))
    np.testing.assert_allclose(normalised(rows), normalised(rows * 1e6), atol=1e-7)
    assert not normalised(np.zeros((1, 8))).any()
    assert np.isnan(l2(np.full((1, 2), np.nan), np.ones((1, 2)))).all()


def test_pairs_of_rows_are_gathered_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(7, 5))
    first, second = rng.integers(0, 7, (2, 23))
    whole = l2(rows[first], rows[second])
    monkeypatch.setattr(distances, "_AT_ONCE", 20)
    np.testing.assert_array_equal(pair_l2(rows, first, second), whole)
    assert pair_l2(rows, first[:0], second[:0]).shape == (0,)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="different shapes"):
        l2(np.ones((2, 3)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="embeddings are"):
        l2(np.ones(3), np.ones(3))
