"""Numbers that would give a rate, and a wrong one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgen.metrics.bootstrap import PairPeople, intervals
from maskgen.metrics.distances import pair_l2
from maskgen.metrics.fixed_fmr import fixed_fmr
from maskgen.metrics.folds import best_threshold, fold_accuracy
from maskgen.metrics.histogram_iou import compare_histograms
from maskgen.metrics.identification import identify, search
from maskgen.metrics.roc import Trials, tar_at_far
from maskgen.metrics.verification import confusion, verify

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


PAIRS = PairPeople([0, 1], [[0, 1]])  # type: ignore[arg-type]


def test_values_of_another_kind_are_refused() -> None:
    """Each gave a rate: people of 0.2 and 0.7 were one person, "0" was masked, and a FAR below 0 had a TAR of 1."""
    roc = Trials([1.0, 2.0], [3.0]).roc()
    for call, told in (
        (lambda: fixed_fmr(ROWS, PEOPLE / 12, MASKED, 0.1), "people are float64, not whole numbers"),
        (lambda: fixed_fmr(ROWS, [f"{one}" for one in PEOPLE], MASKED, 0.1), "people are <U1, not whole numbers"),
        (lambda: fixed_fmr(ROWS, PEOPLE, MASKED, 0.1, photographs=PEOPLE + 0.5), "photographs are float64"),
        (lambda: search(ROWS, PEOPLE / 12, ROWS, PEOPLE), "probe_people are float64"),
        (lambda: fixed_fmr(ROWS, PEOPLE, [f"{int(one)}" for one in MASKED], 0.1), "masked must be True or False"),
        (lambda: fixed_fmr(ROWS, PEOPLE, np.where(MASKED, np.nan, 0), 0.1), "masked must be True or False"),
        (lambda: fixed_fmr(ROWS * 1j, PEOPLE, MASKED, 0.1), "embeddings are of type complex64: give real numbers"),
        (lambda: fixed_fmr(ROWS, PEOPLE, MASKED, 0.1, replicates=0), "replicates is 0: give a whole number"),
        (lambda: intervals(lambda same, different: {}, PAIRS, -1), "replicates is -1"),
        (lambda: intervals(lambda same, different: {}, PAIRS, level=95), "level is 95"),
        (lambda: roc.at(-0.1), "far -0.1 is out of range"),
        (lambda: roc.at(np.nan), "far nan is out of range"),
        (lambda: Trials([1.0], [3.0]).roc(np.zeros(1)), "weights of one type of pairs add up to 0"),
        (lambda: confusion([1.0], [2.0], np.nan), "threshold is nan: give a number"),
        (lambda: confusion([np.nan], [2.0], 1.0), "a distance is not finite"),
        (lambda: verify([1.0, 1.0], [2.0], np.nan, PAIRS), "threshold is nan: give a number"),
        (lambda: best_threshold([], []), "a threshold needs genuine or impostor pairs"),
        (lambda: best_threshold([np.nan], [1.0]), "a distance is not finite"),
        (lambda: compare_histograms([1.0], [2.0], 0), "bins is 0: give a whole number of at least 1"),
        (lambda: pair_l2(ROWS, [0, -1], [1, 2]), "first has -1 to 0: the embeddings are 0 to 11"),
        (lambda: pair_l2(ROWS, [0], [12]), "second has 12 to 12"),
        (lambda: pair_l2(ROWS, [0.0], [1.0]), "first must be whole numbers"),
    ):
        with pytest.raises(ValueError, match=told):
            call()


def test_lists_and_numpy_numbers_measure_the_same() -> None:
    """A NumPy number as the seed drew other folds and intervals."""
    near, far, different = np.linspace(0, 1.2, 20), np.linspace(0.8, 2, 20), np.arange(40).reshape(20, 2)
    people = PairPeople(np.arange(20), different)
    wanted = verify(near, far, 1.0, people, 20, seed=3)
    listed = PairPeople(list(range(20)), different.tolist())  # type: ignore[arg-type]
    found = verify(near.tolist(), far.tolist(), np.float32(1), listed, np.int64(20), seed=np.int64(3))
    assert found.intervals == wanted.intervals
    assert wanted.folds is not None and found.folds is not None
    np.testing.assert_array_equal(found.folds.thresholds, wanted.folds.thresholds)
    np.testing.assert_array_equal(pair_l2(ROWS, [0, 1], [2, 3]), pair_l2(ROWS, np.array([0, 1]), np.array([2, 3])))
