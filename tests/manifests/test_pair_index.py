"""Spaces of pairs against a slow double loop over all images, and draws without repeats."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_makers import made_up

from maskgen.manifests.catalogue import Images
from maskgen.manifests.pair_index import PairIndex, draw_distinct, other_across, other_within, same_across, same_within

IMAGE = st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 3))
SOME_IMAGES = st.lists(IMAGE, max_size=24).map(
    lambda rows: made_up(*map(list, zip(*rows, strict=True))) if rows else made_up([], [], [])
)


def listed(index: PairIndex) -> Counter[frozenset[int]]:
    pairs = index.pairs(np.arange(index.total))
    return Counter(frozenset(pair) for pair in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def slow(images: Images, some: np.ndarray, others: np.ndarray, same: bool, allow: bool) -> Counter[frozenset[int]]:
    found: Counter[frozenset[int]] = Counter()
    for a in some.tolist():
        for b in others.tolist():
            alike = images.person[a] == images.person[b]
            once = a == b or (same and not allow and images.source[a] == images.source[b])
            if alike == same and not once:
                found[frozenset((a, b))] += 1
    return found


@given(SOME_IMAGES, st.booleans())
def test_pairs_of_one_person_are_those_of_a_double_loop(images: Images, allow: bool) -> None:
    rows = np.flatnonzero(images.kind != 2)
    both_orders = slow(images, rows, rows, same=True, allow=allow)
    assert listed(same_within(images, rows, allow)) == Counter(dict.fromkeys(both_orders, 1))


@given(SOME_IMAGES)
def test_pairs_of_two_people_are_those_of_a_double_loop(images: Images) -> None:
    rows = np.arange(len(images))
    both_orders = slow(images, rows, rows, same=False, allow=True)
    assert listed(other_within(images, rows)) == Counter(dict.fromkeys(both_orders, 1))


@given(SOME_IMAGES, st.booleans(), st.booleans())
def test_pairs_across_two_lists_are_those_of_a_double_loop(images: Images, allow: bool, overlap: bool) -> None:
    some = np.flatnonzero(images.kind == 0)
    pool = np.arange(len(images)) if overlap else np.flatnonzero(images.kind != 0)
    assert listed(same_across(images, some, pool, allow)) == slow(images, some, pool, True, allow)
    assert listed(other_across(images, some, pool)) == slow(images, some, pool, False, True)


@given(SOME_IMAGES)
def test_joined_spaces_hold_the_pairs_of_all_in_order_of_people(images: Images) -> None:
    parts = [np.flatnonzero(images.kind == kind) for kind in range(4)]
    indexes = [same_within(images, part, True) for part in parts]
    joined = PairIndex.joined(indexes, images.person)
    assert listed(joined) == sum((listed(index) for index in indexes), Counter())
    assert (np.diff(images.person[joined.pairs(np.arange(joined.total)).first]) >= 0).all()


@given(SOME_IMAGES, st.integers(0, 9))
def test_one_each_gives_every_anchor_that_can_one_partner(images: Images, seed: int) -> None:
    index = same_across(images, np.arange(len(images)), np.arange(len(images)), False)
    pairs = index.one_each(np.random.default_rng(seed))
    assert sorted(pairs.first.tolist()) == sorted(index.anchors[index.counts > 0].tolist())
    assert (images.person[pairs.first] == images.person[pairs.second]).all()
    assert (images.source[pairs.first] != images.source[pairs.second]).all()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=12), st.integers(0, 9))
def test_draws_are_distinct_and_as_many_as_wanted_of_each_group(groups: list[tuple[int, int]], seed: int) -> None:
    sizes, wanted = (np.array([group[i] for group in groups], np.int64) for i in (0, 1))
    drawn = draw_distinct(np.random.default_rng(seed), sizes, wanted)
    assert len(np.unique(drawn)) == len(drawn)
    ends = np.cumsum(sizes)
    counts = np.bincount(np.searchsorted(ends, drawn, side="right"), minlength=len(sizes))[: len(sizes)]
    assert counts.tolist() == np.minimum(sizes, wanted).tolist()


@settings(max_examples=5)
@given(st.integers(0, 3))
def test_a_group_too_large_to_list_is_drawn_from(seed: int) -> None:
    drawn = draw_distinct(np.random.default_rng(seed), np.array([3, 10**12]), np.array([2, 500]))
    assert (drawn < 3).sum() == 2 and len(np.unique(drawn)) == 502 and drawn.max() < 10**12 + 3


@pytest.mark.parametrize(("size", "wanted"), [(6, 3), (40, 3)])
def test_every_member_is_drawn_equally_often(size: int, wanted: int) -> None:
    rng = np.random.default_rng(0)
    drawn = np.concatenate([draw_distinct(rng, np.array([size]), np.array([wanted])) for _ in range(4000)])
    counts = np.bincount(drawn, minlength=size)
    expected = 4000 * wanted / size
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()
