"""Curves, rates and reports against slow loops and scikit-learn; intervals by what they must do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from maskgen.metrics.bootstrap import Interval, PairPeople, intervals, percentiles
from maskgen.metrics.folds import best_threshold, fold_accuracy
from maskgen.metrics.roc import Trials, tar_at_far
from maskgen.metrics.verification import confusion, verify

# Few different numbers, so that ties are common.
numbers = st.lists(st.integers(0, 12).map(lambda n: n / 6), min_size=1, max_size=30)


def labels(same: list[float], different: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([1] * len(same) + [0] * len(different)), -np.array(same + different)


@given(numbers, numbers)
def test_curve_and_area_as_scikit_learn_has_them(same: list[float], different: list[float]) -> None:
    truth, scores = labels(same, different)
    far, tar, thresholds = oracle.roc_curve(truth, scores, drop_intermediate=False)
    found = Trials(same, different).roc()
    np.testing.assert_allclose(found.far, far)
    np.testing.assert_allclose(found.tar, tar)
    np.testing.assert_allclose(found.thresholds[1:], -thresholds[1:])
    assert found.auc == pytest.approx(oracle.roc_auc_score(truth, scores))


@given(numbers, numbers, st.integers(0, 1 << 20))
def test_weights_are_repetitions(same: list[float], different: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = [rng.integers(0, 4, len(values)) for values in (same, different)]
    times = [np.where(t.any(), t, 1) for t in times]
    repeated = [np.repeat(values, t) for values, t in zip((same, different), times, strict=True)]
    weighted, plain = Trials(same, different).roc(*map(np.float64, times)), Trials(*repeated).roc()
    assert weighted.auc == pytest.approx(plain.auc)
    assert weighted.eer == pytest.approx(plain.eer)
    for far in (0.1, 0.5):
        assert weighted.at(far)[0] == pytest.approx(plain.at(far)[0])


def slow_eer(same: list[float], different: list[float]) -> float:
    """Walk along the curve's lines in many small steps."""
    points = [(0.0, 1.0)]
    for threshold in sorted({*same, *different}):
        far = sum(d <= threshold for d in different) / len(different)
        points.append((far, sum(s > threshold for s in same) / len(same)))
    best = (9.0, 9.0)
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        for step in range(2001):
            x, y = (a + (b - a) * step / 2000 for a, b in ((x0, x1), (y0, y1)))
            best = min(best, (abs(x - y), x))
    return best[1]


@given(numbers, numbers)
def test_equal_error_rate_as_a_slow_loop_has_it(same: list[float], different: list[float]) -> None:
    assert Trials(same, different).roc().eer == pytest.approx(slow_eer(same, different), abs=1e-3)


@given(numbers, numbers, st.sampled_from([0.05, 0.1, 0.2, 0.5]))
def test_tar_at_far_as_a_slow_loop_has_it(same: list[float], different: list[float], far: float) -> None:
    found = tar_at_far(Trials(same, different).roc(), far, len(different))
    if len(different) * far < 1:
        assert math.isnan(found.tar)
        assert f"there {'is' if len(different) == 1 else 'are'} {len(different)}" in found.reason
        return
    accepted = [
        sum(s <= t for s in same) / len(same)
        for t in [-1.0, *same, *different]
        if sum(d <= t for d in different) <= far * len(different) + 1e-9
    ]
    assert found.tar == pytest.approx(max(accepted))
    assert sum(d <= found.threshold for d in different) <= far * len(different) + 1e-9


@given(numbers, numbers, st.floats(0, 2))
def test_counts_and_report_as_scikit_learn_has_them(same: list[float], different: list[float], at: float) -> None:
    truth, scores = labels(same, different)
    said = (-scores <= at).astype(int)
    found = confusion(same, different, at)
    table = [[found.same_same, found.same_different], [found.different_same, found.different_different]]
    np.testing.assert_array_equal(table, oracle.confusion_matrix(truth, said, labels=[1, 0]))
    assert found.accuracy == pytest.approx(oracle.accuracy_score(truth, said))
    names = {"1": "same", "0": "different"}
    expected = oracle.classification_report(truth, said, labels=[1, 0], output_dict=True, zero_division=0.0)
    report = found.report()
    for name, values in expected.items():
        if not isinstance(values, dict):
            continue
        mine = report[names.get(name, name)]
        assert mine.support == values["support"]
        expected_numbers = (values["precision"], values["recall"], values["f1-score"])
        assert (mine.precision, mine.recall, mine.f1) == pytest.approx(expected_numbers)


@given(numbers, numbers)
def test_no_threshold_is_better_than_the_best(same: list[float], different: list[float]) -> None:
    def right(at: float) -> int:
        return sum(s <= at for s in same) + sum(d > at for d in different)

    assert right(best_threshold(same, different)) == max(right(t) for t in [-1.0, *same, *different])


def test_a_threshold_lies_halfway() -> None:
    assert best_threshold([0.1, 0.2], [0.6, 0.9]) == pytest.approx(0.4)


def test_folds_judge_each_pair_once_with_a_threshold_that_did_not_see_it() -> None:
    rng = np.random.default_rng(0)
    same, different = rng.normal(0.8, 0.15, 300), rng.normal(1.2, 0.15, 500)
    found = fold_accuracy(same, different, seed=3)
    expected = 1 - 0.5 * math.erfc(0.2 / 0.15 / math.sqrt(2))
    assert found.mean == pytest.approx(expected, abs=0.03)
    assert found.deviation == pytest.approx(np.std(found.accuracies, ddof=1))
    assert found.error == pytest.approx(found.deviation / math.sqrt(10))
    again = fold_accuracy(same, different, seed=3)
    np.testing.assert_array_equal(found.accuracies, again.accuracies)
    assert (fold_accuracy(same, different, seed=4).accuracies != found.accuracies).any()
    # Right pairs are counted in whole numbers over folds of 30 + 50.
    np.testing.assert_allclose(found.accuracies * 80, np.rint(found.accuracies * 80), atol=1e-9)
    with pytest.raises(ValueError, match="too few"):
        fold_accuracy(same[:9], different)


def test_intervals_cover_what_is_true() -> None:
    """Rates of pairs that lean on their people: about 95 of 100 intervals hold the rate of all people."""
    rng, people, each = np.random.default_rng(5), 60, 4
    truth, inside = 0.5, 0
    for trial in range(100):
        skill = rng.random(people)
        right = rng.random((people, each)) < skill[:, None]
        who = np.repeat(np.arange(people), each)
        pairs = PairPeople(who, rng.integers(0, people, (10, 2)))
        found = intervals(lambda same, _, r=right: {"rate": same @ r.ravel() / same.sum()}, pairs, 200, seed=trial)
        inside += found["rate"].low <= truth <= found["rate"].high
    assert 88 <= inside <= 100


def test_people_not_pairs_are_drawn() -> None:
    """A hundred pairs of one person say no more than one: between two people the rate is 0, 1/2 or 1."""
    pairs = PairPeople(np.repeat([0, 1], 100), np.array([[0, 1]]))
    right = np.repeat([1.0, 0.0], 100)
    seen = set()

    def measure(same: np.ndarray, different: np.ndarray) -> dict[str, float]:
        assert different.tolist() == [same[0] * same[100]]
        seen.add(float(same @ right / same.sum()))
        return {"rate": same @ right / same.sum()}

    intervals(measure, pairs, 200)
    assert seen == {0.5}  # where one person was drawn twice, the pair of both is gone and nothing can be measured


def test_percentiles_pass_over_what_is_no_number() -> None:
    assert percentiles(np.array([1.0, math.nan, 3.0]), 0.5) == Interval(1.5, 2.5, 0.5)
    assert math.isnan(percentiles(np.array([math.nan])).low)


def test_everything_at_once() -> None:
    rng = np.random.default_rng(2)
    same, different = rng.normal(0.8, 0.1, 150), rng.normal(1.2, 0.1, 150)
    people = PairPeople(rng.integers(0, 50, 150), rng.integers(0, 50, (150, 2)))
    found = verify(same, different, 1.0, people, replicates=100, seed=1)
    assert list(found.rates) == ["accuracy", "auc", "eer", "tar@0.01", "tar@0.001", "tar@0.0001"]
    assert set(found.intervals) == {"accuracy", "auc", "eer", "tar@0.01"}  # of the others nothing can be said
    for name, interval in found.intervals.items():
        assert interval.low <= found.rates[name] <= interval.high
        assert interval.low < interval.high
    assert math.isnan(found.rates["tar@0.001"])
    assert found.folds is not None
    assert found.folds.mean == pytest.approx(found.confusion.accuracy, abs=0.03)
    again = verify(same, different, 1.0, people, replicates=100, seed=1)
    assert again.intervals == found.intervals
    assert (
        "ten genuine and ten impostor pairs"
        in verify(same[:5], different, 1.0, PairPeople(people.same[:5], people.different)).no_folds
    )


def test_few_people_are_told_since_intervals_over_them_say_little() -> None:
    same, different = np.arange(9), np.array([[0, 1], [7, 8]])
    found = verify(np.full(9, 0.5), [1.0, 1.2], 0.8, PairPeople(same, different), replicates=10)
    assert found.few_people == "Only 9 people are in these pairs: intervals over people are unreliable."
    assert verify(np.full(9, 0.5), [1.0, 1.2], 0.8, PairPeople(same, different + 2), replicates=10).few_people == ""


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="needs genuine and impostor"):
        Trials([], [1.0])
    with pytest.raises(ValueError, match="not finite"):
        Trials([math.nan], [1.0])
