"""Numbers that would give a rate, and a wrong one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgen.metrics.bootstrap import PairPeople
from maskgen.metrics.fixed_fmr import fixed_fmr
from maskgen.metrics.folds import fold_accuracy
from maskgen.metrics.identification import identify, search
from maskgen.metrics.roc import Trials, tar_at_far
from maskgen.metrics.verification import verify

PEOPLE = np.repeat(np.arange(4), 3)
MASKED = np.tile([False, True, False], 4)
ROWS = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)


def with_nan(row: int) -> np.ndarray:
    rows = ROWS.copy()
    rows[row] = np.nan
    return rows


def test_nan_is_no_match() -> None:
    """A masked picture without an embedding matched everybody, and a probe without one had rank 1."""
    for call in (
        lambda: fixed_fmr(with_nan(1), PEOPLE, MASKED, 0.1),
        lambda: fixed_fmr(with_nan(0), PEOPLE, MASKED, 0.1),
        lambda: search(with_nan(0), PEOPLE, ROWS, PEOPLE),
        lambda: search(ROWS, PEOPLE, with_nan(0), PEOPLE),
        lambda: search(ROWS, PEOPLE, np.where(with_nan(3) == ROWS, ROWS, np.inf), PEOPLE),
    ):
        with pytest.raises(ValueError, match="1 of 12 embeddings are not finite"):
            call()
    with pytest.raises(ValueError, match="a distance is not finite"):
        fold_accuracy([np.nan] * 10, np.ones(10))


@pytest.mark.parametrize("form", [np.int64, np.uint8, np.float32, list])
def test_masked_may_be_0_and_1(form: Any) -> None:
    """`~1` is -2, which is true: every picture counted as bare."""
    masked = MASKED.astype(int).tolist() if form is list else MASKED.astype(form)
    wanted = repr(fixed_fmr(ROWS, PEOPLE, MASKED, 0.1, replicates=5))
    assert "masked-masked" in wanted
    assert repr(fixed_fmr(ROWS, PEOPLE, masked, 0.1, replicates=5)) == wanted
    assert repr(fixed_fmr(ROWS.tolist(), PEOPLE.tolist(), masked, 0.1, replicates=5)) == wanted


def test_other_numbers_of_rows_are_refused() -> None:
    for call, told in (
        (lambda: fixed_fmr(ROWS, PEOPLE[:5], MASKED), r"12 embeddings, and people of shape \(5,\): give one for each"),
        (lambda: fixed_fmr(ROWS, PEOPLE, MASKED[:, None]), r"masked of shape \(12, 1\)"),
        (lambda: fixed_fmr(ROWS, PEOPLE, MASKED, photographs=PEOPLE[:3]), r"photographs of shape \(3,\)"),
        (lambda: search(ROWS, PEOPLE, ROWS, PEOPLE[:5]), r"enrolled_people of shape \(5,\)"),
        (lambda: search(ROWS, PEOPLE[:5], ROWS, PEOPLE), r"probe_people of shape \(5,\)"),
        (lambda: search(ROWS[:, :3], PEOPLE, ROWS, PEOPLE), r"\(12, 3\) cannot be searched among .* \(12, 4\)"),
        (lambda: search(ROWS, PEOPLE, ROWS[:0], PEOPLE[:0]), r"cannot be searched among enrolled faces \(0, 4\)"),
        (lambda: Trials([1.0, 2.0], [3.0]).roc(np.ones(3), np.ones(1)), "3 and 1 weights"),
        (lambda: verify([1.0], [2.0], 1.5, PairPeople(np.arange(3), np.zeros((1, 2), int))), "3 and 1 weights"),
    ):
        with pytest.raises(ValueError, match=told):
            call()


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_other_rates_are_refused(rate: float) -> None:
    for call in (
        lambda: fixed_fmr(ROWS, PEOPLE, MASKED, rate),
        lambda: identify(search(ROWS, PEOPLE, ROWS, PEOPLE), PEOPLE, rate),
        lambda: tar_at_far(Trials([1.0], [2.0]).roc(), rate, 1),
    ):
        with pytest.raises(ValueError, match="give a rate above 0 and below 1"):
            call()


@pytest.mark.parametrize("folds", [1, 0, -2])
def test_one_fold_has_no_others(folds: int) -> None:
    with pytest.raises(ValueError, match="folds are too few: a threshold is chosen on the others"):
        fold_accuracy(np.zeros(20), np.ones(20), folds)
