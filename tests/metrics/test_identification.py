"""Ranks and open sets against a slow loop."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.metrics import identification
from maskgen.metrics.identification import identify, search


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a / np.linalg.norm(a) - b / np.linalg.norm(b)))


def faces(seed: int, people: int, each: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(people) * 3, each))
    return rng.normal(size=(people * 3, 6))[who] + spread * rng.normal(size=(len(who), 6)), who


@settings(max_examples=40)
@given(st.integers(0, 1 << 20), st.integers(2, 8), st.integers(1, 3), st.sampled_from([0.0, 0.5, 2.0]))
def test_as_a_slow_loop_has_it(seed: int, people: int, each: int, spread: float) -> None:
    rows, who = faces(seed, people, 2 * each, spread)
    half = len(rows) // 2
    probes, probe_people, enrolled, enrolled_people = rows[:half], who[:half], rows[half:], who[half:]
    found = search(probes, probe_people, enrolled, enrolled_people)
    for i in range(half):
        near: dict[int, float] = {}
        for face, person in zip(enrolled, enrolled_people.tolist(), strict=True):
            near[person] = min(near.get(person, math.inf), distance(probes[i], face))
        own = near.pop(int(probe_people[i]), math.inf)
        assert found.own[i] == pytest.approx(own, abs=1e-3)
        assert found.other[i] == pytest.approx(min(near.values(), default=math.inf), abs=1e-3)
        if near:
            assert near[int(found.rival[i])] == pytest.approx(min(near.values()), abs=1e-3)
        if all(abs(d - own) > 1e-3 for d in near.values()):
            assert found.rank[i] == (0 if own == math.inf else 1 + sum(d < own for d in near.values()))


def test_a_tie_is_no_hit() -> None:
    found = search(np.eye(2)[:1], np.array([1]), np.eye(2)[[0, 0]], np.array([1, 2]))
    assert found.rank.tolist() == [2]


@pytest.mark.parametrize("dim", [7, 64, 128])
def test_people_with_one_embedding_are_tied(dim: int) -> None:
    """Their distances differ by rounding, at another place among the enrolled faces as well."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(40 + 7 * seed, dim)).astype(np.float32)
        both, who = np.concatenate([rows, rows]), rng.permutation(2 * len(rows))
        near = both + rng.normal(scale=0.01, size=both.shape).astype(np.float32)
        for probes in (both, near):
            found = search(probes, who, both, who)
            assert (found.rank == 2).all()
            np.testing.assert_array_equal(found.rival, np.roll(who, len(rows)))


def test_parts_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, who = faces(1, 5, 6, 1.0)
    whole = search(rows[:13], who[:13], rows[13:], who[13:])
    monkeypatch.setattr(identification, "_AT_ONCE", 40)
    parts = search(rows[:13], who[:13], rows[13:], who[13:])
    np.testing.assert_allclose(whole.own, parts.own, atol=1e-7)
    np.testing.assert_array_equal(whole.rank, parts.rank)


@given(st.integers(0, 1 << 20), st.sampled_from([0.05, 0.1, 0.3]))
@settings(max_examples=30)
def test_no_more_false_accepts_than_asked_and_no_fewer_than_need_be(seed: int, far: float) -> None:
    rows, who = faces(seed, 10, 6, 1.0)
    found = search(rows[:30], who[:30], rows[30:], who[30:])
    result = identify(found, who[30:], far, replicates=50)
    assert result.far <= far
    let_in = sum(d <= result.threshold for d in found.other)
    assert let_in == round(result.far * 30) == int(30 * far)
    right = [found.rank[i] == 1 and found.own[i] <= result.threshold for i in range(30) if found.rank[i]]
    assert result.accepted == pytest.approx(sum(right) / len(right))
    assert result.rank1 <= result.rank5
    assert sum(p.let_in for p in result.people) == sum(p.taken_for_another for p in result.people) == let_in
    assert sum(p.accepted for p in result.people) == sum(right)
    assert sum(p.probes for p in result.people) == 30
    assert result.intervals["rank1"].low <= result.rank1 <= result.intervals["rank1"].high


def test_people_who_are_not_enrolled_count_in_the_open_set_only() -> None:
    rows = np.eye(4)[[0, 1, 3]]
    found = search(rows, np.array([0, 1, 9]), np.eye(4)[:2] + 0.01, np.array([0, 1]))
    result = identify(found, np.array([0, 1]), 0.4)
    assert (result.probes, result.unknown, result.rank1) == (3, 1, 1.0)
    assert result.people[-1].person == 9
    assert result.people[-1].enrolled == 0


def test_too_few_probes_for_the_rate() -> None:
    found = search(np.eye(3), np.arange(3), np.eye(3), np.arange(3))
    result = identify(found, np.arange(3), 0.01)
    assert result.rank1 == 1.0
    assert math.isnan(result.accepted)
    assert "needs 100 probes, and there are 3." in result.reason


def test_without_a_threshold_nothing_is_counted_within_it() -> None:
    rows, who = faces(3, 5, 6, 1.0)
    result = identify(search(rows[:15], who[:15], rows[15:], who[15:]), who[15:], 0.01, replicates=50)
    assert result.reason and math.isnan(result.accepted)
    assert {(one.accepted, one.taken_for_another, one.let_in) for one in result.people} == {(None, None, None)}
    assert sum(one.probes for one in result.people) == 15
