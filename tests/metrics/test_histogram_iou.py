"""Overlap and threshold against slow loops and known curves."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maskgen.metrics.histogram_iou import compare_histograms

numbers = st.lists(st.floats(0, 2, width=32), min_size=1, max_size=40)


def slow_iou(same: list[float], different: list[float], bins: int) -> float:
    low, high = min(same + different), max(same + different)
    edges = np.linspace(low, high, bins + 1)
    both = either = 0.0
    for i in range(bins):
        last = i == bins - 1
        shares = [
            sum(edges[i] <= x < edges[i + 1] or (last and x == high) for x in values) / len(values)
            for values in (same, different)
        ]
        both, either = both + min(shares), either + max(shares)
    return both / either


@given(numbers, numbers, st.integers(2, 30))
def test_iou_as_a_slow_loop_has_it(same: list[float], different: list[float], bins: int) -> None:
    found = compare_histograms(same, different, bins)
    if found.degenerate:
        assert found.iou == 1.0
        assert math.isnan(found.threshold)
        return
    assert found.iou == pytest.approx(slow_iou(same, different, bins))
    width = found.edges[1] - found.edges[0]
    assert found.same.sum() * width == pytest.approx(1)
    assert found.different.sum() * width == pytest.approx(1)
    assert len(found.edges) == bins + 1
    assert found.edges[0] <= found.threshold <= found.edges[-1]


@given(numbers, numbers, st.integers(2, 30))
def test_no_bin_edge_makes_fewer_errors_than_the_edge_at_the_threshold(
    same: list[float], different: list[float], bins: int
) -> None:
    found = compare_histograms(same, different, bins)
    assume(not found.degenerate)
    width = found.edges[1] - found.edges[0]
    lead = np.concatenate([[0], np.cumsum(found.same - found.different) * width])
    near = np.abs(found.edges - found.threshold) <= 0.5001 * width
    assert lead[near].max() == pytest.approx(lead.max())


@given(numbers, numbers)
def test_any_order_gives_the_same(same: list[float], different: list[float]) -> None:
    one, other = compare_histograms(same, different), compare_histograms(same[::-1], different[::-1])
    assert one.iou == other.iou
    assert one.threshold == other.threshold or (one.degenerate and other.degenerate)


def test_two_normal_curves_cross_in_the_middle() -> None:
    rng = np.random.default_rng(0)
    found = compare_histograms(rng.normal(0.8, 0.1, 200_000), rng.normal(1.2, 0.1, 100_000))
    assert found.threshold == pytest.approx(1.0, abs=0.015)
    shared = math.erfc(2 / math.sqrt(2))  # both tails beyond two deviations
    assert found.iou == pytest.approx(shared / (2 - shared), abs=0.003)


def test_curves_of_two_widths_cross_where_their_densities_do() -> None:
    rng = np.random.default_rng(1)
    found = compare_histograms(rng.normal(0.7, 0.05, 300_000), rng.normal(1.2, 0.15, 300_000))
    at = np.linspace(0.7, 1.2, 50_001)
    densities = [np.exp(-(((at - m) / s) ** 2) / 2) / s for m, s in ((0.7, 0.05), (1.2, 0.15))]
    expected = at[np.flatnonzero(densities[0] < densities[1])[0]]
    assert found.threshold == pytest.approx(expected, abs=0.015)


def test_a_gap_is_cut_in_its_middle() -> None:
    found = compare_histograms([0.0, 0.1], [0.9, 1.0])
    assert found.iou == 0
    assert found.threshold == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("same", "different", "says"),
    [
        ([], [1.0], "of the same person"),
        ([1.0], [], "of different people"),
        ([0.5, math.nan], [1.0, math.inf], "2 of 4 distances are not finite"),
        ([0.7] * 5, [0.7 + 1e-8] * 5, "collapsed"),
        ([1.0, 1.1], [0.1, 0.2], "no larger"),
        ([1.0, 1.1], [1.0, 1.1], "no larger"),
    ],
)
def test_degenerate_distances_are_a_sentence(same: list[float], different: list[float], says: str) -> None:
    found = compare_histograms(same, different)
    assert says in found.degenerate
    assert found.degenerate.endswith(".")
    assert found.iou == 1.0
    assert math.isnan(found.threshold)
