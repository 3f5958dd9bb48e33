"""Who and what goes where."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_makers import made_up

from maskgen.manifests import split
from maskgen.manifests.split import balance, quotas, split_images, split_people


@given(st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_quotas_sum_and_are_within_one_of_the_share(total: int, shares: list[float]) -> None:
    got = quotas(total, shares)
    if sum(shares) == 0:
        assert sum(got) == 0
        return
    assert sum(got) == total
    for whole, share in zip(got, shares, strict=True):
        assert abs(whole - total * share / sum(shares)) < 1 + 1e-6


def test_quotas_give_a_zero_share_nothing() -> None:
    assert quotas(7, [0.5, 0.0, 0.5]) == [4, 0, 3]


@given(st.integers(0, 300), st.integers(0, 5))
def test_each_person_is_in_one_split(people: int, seed: int) -> None:
    parts = split_people(np.random.default_rng(seed), people, [0.8, 0.1, 0.1], (1, 2, 2))
    assert sorted(np.concatenate(parts).tolist()) == list(range(people))
    if people >= 20:
        assert [len(part) for part in parts] == quotas(people, [0.8, 0.1, 0.1])
    elif people >= 5:
        assert len(parts[0]) >= 1 and len(parts[1]) >= 2 and len(parts[2]) >= 2


def test_a_small_set_gives_eval_and_test_two_people_each() -> None:
    parts = split_people(np.random.default_rng(0), 12, [0.8, 0.1, 0.1], (1, 2, 2))
    assert [len(part) for part in parts] == [8, 2, 2]
    parts = split_people(np.random.default_rng(0), 12, [1.0, 0.0, 0.0], (1, 2, 2))
    assert [len(part) for part in parts] == [12, 0, 0]


PEOPLE = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=12)


def people_images(people: list[tuple[int, int]]) -> tuple[list[int], list[int], list[int]]:
    person, photograph, kind = [], [], []
    for code, (photographs, kinds) in enumerate(people):
        for i in range(photographs):
            for k in range(kinds):
                person.append(code)
                photograph.append(code * 10 + i)
                kind.append(1 + k)
    return person, photograph, kind


@given(PEOPLE, st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]), st.booleans(), st.integers(0, 5))
def test_images_are_divided_and_the_test_part_is_rounded_up(
    people: list[tuple[int, int]], share: float, allow: bool, seed: int
) -> None:
    images = made_up(*people_images(people))
    kept, tried = split_images(np.random.default_rng(seed), images, share, allow)
    assert sorted([*kept.tolist(), *tried.tolist()]) == list(range(len(images)))
    assert len(tried) == -(-len(images) * round(share * 10) // 10)


def test_two_photographs_of_each_stay_in_eval_while_the_others_suffice() -> None:
    images = made_up(*people_images([(4, 3)] * 30))
    kept, _ = split_images(np.random.default_rng(0), images, 0.8, False)
    for code in range(30):
        own = kept[images.person[kept] == code]
        assert len(np.unique(images.source[own])) >= 2


@given(PEOPLE, st.integers(1, 12), st.integers(0, 5))
def test_balance_never_takes_a_second_image_of_a_photograph_before_the_first_of_another(
    people: list[tuple[int, int]], most: int, seed: int
) -> None:
    images = made_up(*people_images(people))
    rows = balance(np.random.default_rng(seed), images, most)
    for code, (photographs, kinds) in enumerate(people):
        own = rows[images.person[rows] == code]
        assert len(own) == min(most, photographs * kinds)
        taken = np.bincount(np.unique(images.source[own], return_inverse=True)[1])
        spread = [*taken.tolist(), *[0] * (photographs - len(taken))]
        assert max(spread) - min(spread) <= 1


@pytest.mark.parametrize("most", [5, 10, 20, 35])
def test_balance_takes_the_kinds_evenly_where_every_photograph_has_all(most: int) -> None:
    images = made_up(*people_images([(20, 5)] * 3))
    rows = balance(np.random.default_rng(0), images, most)
    for code in range(3):
        kinds = Counter(images.kind[rows[images.person[rows] == code]].tolist())
        assert max(kinds.values()) - min(kinds.values()) <= 1


def test_balance_takes_scarce_kinds_first_where_a_photograph_has_one() -> None:
    kinds = [1] * 30 + [2] * 5 + [3] * 2
    images = made_up([0] * 37, list(range(37)), kinds)
    rows = balance(np.random.default_rng(1), images, 15)
    assert Counter(images.kind[rows].tolist()) == {1: 8, 2: 5, 3: 2}


def test_balance_depends_on_the_seed_only() -> None:
    images = made_up(*people_images([(4, 3)] * 5))
    first, again, other = (balance(np.random.default_rng(seed), images, 3).tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_balance_in_parts_of_people_is_that_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = made_up(*people_images([(5, 3), (1, 1), (4, 2), (2, 3), (7, 1)]))
    whole = balance(np.random.default_rng(3), images, 4).tolist()
    for size in (1, 3, 16):
        monkeypatch.setattr(split, "_ROWS_AT_ONCE", size)
        assert balance(np.random.default_rng(3), images, 4).tolist() == whole
