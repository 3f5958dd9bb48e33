"""Pairs by both protocols: what is promised of them, for any set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_makers import made_up

from maskgen.core.seeding import rng_for
from maskgen.manifests.catalogue import Images
from maskgen.manifests.pairs import (
    Drawn,
    KindRule,
    PairRules,
    count_sorts,
    describe,
    draw_disjoint,
    draw_reference,
    without_second_photograph,
)
from maskgen.manifests.schema import Mix, Pairs

IMAGE = st.tuples(st.integers(0, 4), st.integers(0, 8), st.integers(0, 3))
SETS = st.lists(IMAGE, min_size=1, max_size=40).map(lambda rows: made_up(*map(list, zip(*rows, strict=True))))
MIXES = st.sampled_from([None, Mix.of({"mm": 1}), Mix.of({"mm": 1, "mb": 1}), Mix.of({"mb": 2, "bb": 1, "mm": 1})])


def seeded(seed: int) -> Callable[[str], np.random.Generator]:
    return lambda name: rng_for(seed, name)


def whole(images: Images) -> np.ndarray:
    return np.arange(len(images))


def allowed(images: Images, a: int, b: int, rules: PairRules) -> bool:
    masked = images.kind[a] > 0 and images.kind[b] > 0
    alike = images.kind[a] == images.kind[b]
    if masked and rules.kinds is KindRule.SAME and not alike:
        return False
    return not (masked and rules.kinds is KindRule.OTHER and alike)


def check_pairs(images: Images, pairs: Pairs, same: bool, rules: PairRules) -> None:
    seen = set()
    for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        assert (images.person[a] == images.person[b]) == same
        assert rules.allow_same_source and same or images.source[a] != images.source[b]
        assert allowed(images, a, b, rules)
        assert frozenset((a, b)) not in seen
        seen.add(frozenset((a, b)))


@given(SETS, MIXES, st.sampled_from(KindRule), st.booleans(), st.integers(0, 3))
def test_disjoint_pairs_keep_every_promise(
    images: Images, mix: Mix | None, kinds: KindRule, allow: bool, seed: int
) -> None:
    rules = PairRules(mix, kinds, allow)
    drawn = draw_disjoint(seeded(seed), images, whole(images), rules)
    check_pairs(images, drawn.same, True, rules)
    check_pairs(images, drawn.diff, False, rules)
    assert len(drawn.diff) <= len(drawn.same) <= len(images)
    if mix is not None and len(drawn.same):
        sorts = count_sorts(images, drawn.same)
        for name, share in mix.shares().items():
            assert abs(sorts[name] - share * len(drawn.same)) < 1


@given(SETS, st.sampled_from(KindRule), st.booleans())
def test_a_person_gives_as_many_pairs_as_images_or_all_there_are(images: Images, kinds: KindRule, allow: bool) -> None:
    rules = PairRules(None, kinds, allow)
    drawn = draw_disjoint(seeded(0), images, whole(images), rules)
    for person in range(len(images.people)):
        own = np.flatnonzero(images.person == person).tolist()
        possible = sum(
            allowed(images, a, b, rules) and (allow or images.source[a] != images.source[b])
            for a in own
            for b in own
            if a < b
        )
        assert (images.person[drawn.same.first] == person).sum() == min(possible, len(own))


def test_there_are_as_many_different_as_same_pairs_of_each_sort() -> None:
    images = made_up(np.repeat(range(20), 12).tolist(), (np.arange(240) // 3).tolist(), [0, 1, 2] * 80)
    drawn = draw_disjoint(seeded(0), images, whole(images), PairRules())
    assert count_sorts(images, drawn.same) == count_sorts(images, drawn.diff)


def test_at_most_so_many_pairs() -> None:
    images = made_up(np.repeat(range(20), 12).tolist(), (np.arange(240) // 3).tolist(), [0, 1, 2] * 80)
    drawn = draw_disjoint(seeded(0), images, whole(images), PairRules(Mix.of({"mm": 1, "mb": 3}), most=8))
    assert count_sorts(images, drawn.same) == {"mm": 2, "mb": 6, "bb": 0} == count_sorts(images, drawn.diff)


def test_the_scarcest_sort_decides_how_many_pairs_there_are() -> None:
    person = np.repeat(range(10), 6).tolist()
    kind = [1] * 60
    kind[0] = kind[6] = kind[12] = 0  # three bare images
    images = made_up(person, list(range(60)), kind)
    drawn = draw_disjoint(seeded(0), images, whole(images), PairRules(Mix.of({"mm": 1, "mb": 1})))
    assert drawn.able["mb"] == 15 and count_sorts(images, drawn.same) == {"mm": 15, "mb": 15, "bb": 0}


@given(SETS, st.booleans(), st.booleans(), st.integers(0, 3))
def test_reference_pairs_serve_each_image_once_as_first(images: Images, allow: bool, halves: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    rows, rest = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    drawn = draw_reference(seeded(seed), images, rows, rest, allow, halves)
    slow = slow_partners(images, rows, rest, allow)
    for pairs, same in ((drawn.same, True), (drawn.diff, False)):
        assert len(np.unique(pairs.first)) == len(pairs) and np.isin(pairs.first, rows).all()
        assert ((images.person[pairs.first] == images.person[pairs.second]) == same).all()
    own = np.isin(drawn.same.second, rows)
    assert all(a not in slow["own"] for a in drawn.same.first[~own].tolist())
    assert drawn.borrowed == (~own).sum()
    assert drawn.able["any"] == len(slow["own"] | slow["rest"])
    if halves:
        assert len(drawn.same) == min(len(rows) // 2, drawn.able["any"])
        assert not np.isin(drawn.diff.first, drawn.same.first).any()
    else:
        assert set(drawn.same.first.tolist()) == slow["own"] | slow["rest"]


def slow_partners(images: Images, rows: np.ndarray, rest: np.ndarray, allow: bool) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {"own": set(), "rest": set()}
    for a in rows.tolist():
        for name, pool in (("own", rows), ("rest", rest)):
            for b in pool.tolist():
                apart = a != b and (allow or images.source[a] != images.source[b])
                if images.person[a] == images.person[b] and apart:
                    found[name].add(a)
    return found


def test_a_photograph_filed_under_two_people_makes_no_pair() -> None:
    images = made_up([0, 0, 1, 1], [7, 8, 7, 9], [1, 1, 1, 1])
    drawn = draw_disjoint(seeded(0), images, whole(images), PairRules())
    assert len(drawn.same) == 2 and len(drawn.diff) == 2
    assert (images.source[drawn.diff.first] != images.source[drawn.diff.second]).all()


def test_describe_and_people_with_one_photograph() -> None:
    images = made_up([0, 0, 0, 1, 1], [1, 1, 2, 5, 5], [0, 1, 1, 1, 2])
    pairs = Pairs(np.array([0, 1, 1]), np.array([1, 2, 3]))
    expected = {"rows": 3, "mm": 2, "mb": 1, "bb": 0, "mm_same_kind": 2, "mm_other_kind": 0}
    assert describe(images, pairs) == expected | {"one_photograph": 1}
    assert without_second_photograph(images, whole(images)) == (1, 2)
    first, rest = np.array([0, 1, 3]), np.array([2, 4])
    assert without_second_photograph(images, first, rest) == (1, 1)
    assert without_second_photograph(images, first[:2], rest) == (0, 0)


def test_pairs_refuse_an_image_with_itself() -> None:
    with pytest.raises(ValueError, match="paired with itself"):
        Pairs(np.array([3]), np.array([3]))


@pytest.mark.parametrize("weights", [{"mm": 0}, {"mm": -1, "mb": 2}, {"xx": 1}, {"mm": float("nan")}])
def test_mixes_that_are_none(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"weights|not one of"):
        Mix.of(weights)


def test_an_empty_set_gives_no_pairs() -> None:
    drawn = draw_disjoint(seeded(0), made_up([], [], []), np.empty(0, np.int64), PairRules())
    assert drawn == drawn and isinstance(drawn, Drawn) and not len(drawn.same) + len(drawn.diff)
