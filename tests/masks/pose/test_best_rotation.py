"""Turns of many faces at once, against the singular value decomposition of each."""

import numpy as np
import pytest

from maskgen.masks.pose.best_rotation import best_rotations, columns, rows


def decomposed(products: np.ndarray) -> tuple[float, np.ndarray]:
    u, s, vt = np.linalg.svd(products)
    s[2], u[:, 2] = s[2] * np.sign(np.linalg.det(u @ vt)), u[:, 2] * np.sign(np.linalg.det(u @ vt))
    return float(s.sum()), u @ vt


def turns(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    trace, turn = best_rotations(columns(products.reshape(-1, 9)))
    return rows([trace])[:, 0], rows(turn).reshape(-1, 3, 3)


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_the_turn_and_its_trace_are_those_of_the_decomposition(unit: float) -> None:
    products = np.random.default_rng(3).normal(size=(300, 3, 3)) * unit  # half of them mirror
    for found, turn, one in zip(*turns(products), products, strict=True):
        trace, wanted = decomposed(one)
        assert found == pytest.approx(trace, rel=1e-12)
        np.testing.assert_allclose(turn, wanted, atol=1e-10)


@pytest.mark.parametrize("number", [1, 5])
def test_products_that_leave_the_turn_open_still_give_one(number: int) -> None:
    line = np.outer([1.0, 2.0, 3.0], [0.3, -1.0, 2.0])
    for open_ in (np.zeros((3, 3)), line, np.diag([3.0, 1.0, -1.0])):
        trace, turn = (each[0] for each in turns(np.stack([open_] * number)))
        assert trace == pytest.approx(np.sum(turn * open_), abs=1e-12)
        assert trace == pytest.approx(decomposed(open_)[0], abs=1e-12)
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)


def test_an_open_turn_is_its_own_faces_matter() -> None:
    products = np.random.default_rng(4).normal(size=(7, 3, 3))
    products[2] = np.outer([1.0, 2.0, 3.0], [0.3, -1.0, 2.0])
    for number, (trace, turn) in enumerate(zip(*turns(products), strict=True)):
        alone = turns(products[number : number + 1])
        assert trace == alone[0][0]
        np.testing.assert_array_equal(turn, alone[1][0])
