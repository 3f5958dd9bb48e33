"""Splits: people into train, eval and test, images into eval and test, and the cap on images per person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from .catalogue import Images
from .schema import Bools, Ints

_ROWS_AT_ONCE = 1 << 18  # balanced


def quotas(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers that sum to `total` in these shares, by largest remainder (ties to the earlier share).

    Example:
        >>> quotas(10, [0.5, 0.25, 0.25])
        [5, 3, 2]
    """
    exact = [total * Fraction(str(share)) for share in shares]
    scale = sum(exact)
    exact = [value * total / scale for value in exact] if scale else exact
    whole = [int(value) for value in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_rest[: total - sum(whole)] if scale else []:
        whole[i] += 1
    return whole


def split_people(rng: np.random.Generator, people: int, shares: Sequence[float], least: Sequence[int]) -> list[Ints]:
    """The codes 0..people-1 divided at random into parts with these shares, each part ascending.

    Args:
        least: minimum of people per part unless its share is 0; taken from the largest part.
    """
    counts = quotas(people, shares)
    for part, share in enumerate(shares):
        largest = max(range(len(counts)), key=counts.__getitem__)
        lacking = min(least[part] - counts[part], counts[largest] - least[largest])
        if share > 0 and lacking > 0:
            counts[part] += lacking
            counts[largest] -= lacking
    order = rng.permutation(people)
    return [np.sort(part) for part in np.split(order, np.cumsum(counts)[:-1])]


def split_images(
    rng: np.random.Generator, images: Images, test_share: float, allow_same_source: bool
) -> tuple[Ints, Ints]:
    """Rows for eval and rows for test, divided by image; the test part is rounded up.

    Two images of each person (of two photographs unless the same one is allowed) stay in eval as long as there are
    enough others, so that every eval image has a partner; beyond that, all images of a person go to test.
    """
    n_test = ceil(Fraction(str(test_share)) * len(images))
    chance = rng.random(len(images))
    kept = _two_of_each(images, chance, allow_same_source)
    whole_people = rng.permutation(len(images.people))[images.person]
    order = np.lexsort((chance, np.where(kept, whole_people, 0), kept))
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def _two_of_each(images: Images, chance: NDArray[np.float64], allow_same_source: bool) -> Bools:
    """True for two random images of each person, bool (n,): the first of two photographs, or any two."""
    order = np.lexsort((chance, images.person))
    person = images.person[order]
    fresh = np.ones(len(order), np.bool_)
    if not allow_same_source:
        photo = person.astype(np.int64) << 32 | images.source[order].astype(np.int64)
        fresh[:] = False
        fresh[np.unique(photo, return_index=True)[1]] = True
    kept = np.zeros(len(order), np.bool_)
    kept[order] = fresh & (_running_count(fresh, person) <= 2)
    return kept


def _running_count(marks: Bools, group: NDArray[np.integer]) -> Ints:
    """The cumulative count of marks within each group, int64 (n,), for consecutive groups."""
    total = np.cumsum(marks, dtype=np.int64)
    before = np.concatenate([np.zeros(1, np.int64), total])[np.searchsorted(group, group)]
    return np.asarray(total - before, np.int64)


def balance(rng: np.random.Generator, images: Images, most: int) -> Ints:
    """Rows of at most `most` images per person, ascending, spread evenly over the photographs and then the kinds.

    Images are selected in rounds (round-robin): a round takes one image of every photograph that has one left, and the
    kind advances by one from photograph to photograph. So no second image of a photograph is selected before the first
    image of every other one.
    """
    chance = rng.random(len(images))
    kept = [np.empty(0, np.int64)]
    for rows in _blocks(images.person):
        kept.append(rows[_balanced(rng, images.codes(rows), chance[rows], most)])
    return np.concatenate(kept)


def _blocks(person: NDArray[np.integer]) -> Iterator[Ints]:
    """The rows in parts of whole people, which are balanced one by one: all at once would need gigabytes."""
    last = 0
    while last < len(person):
        first, last = last, min(last + _ROWS_AT_ONCE, len(person))
        last = int(np.searchsorted(person, person[last - 1], side="right"))
        yield np.arange(first, last)


def _balanced(rng: np.random.Generator, images: Images, chance: NDArray[np.float64], most: int) -> Ints:
    turn = _round_of(images, chance, rng)
    by_kind = np.lexsort((chance, images.kind, turn, images.person))
    kind_turn = np.empty(len(images), np.int64)
    kind_turn[by_kind] = _place(images.person[by_kind], turn[by_kind], images.kind[by_kind])
    order = np.lexsort((chance, kind_turn, turn, images.person))
    return np.sort(order[_place(images.person[order]) < most])


def _round_of(images: Images, chance: NDArray[np.float64], rng: np.random.Generator) -> Ints:
    """The round in which each image is selected, int64 (n,), from 0."""
    person = images.person.astype(np.int64)
    photo, photo_of = np.unique(person << 32 | images.source, return_inverse=True)
    owner = photo >> 32
    shuffled = np.lexsort((rng.random(len(photo)), owner))
    seat = np.empty(len(photo), np.int64)  # the photograph's random position among its person's
    seat[shuffled] = _place(owner[shuffled])
    rank, kinds = _rank_of_kind(images)
    ahead = (rank - seat[photo_of]) % kinds
    order = np.lexsort((chance, ahead, photo_of))
    turn = np.empty(len(images), np.int64)
    turn[order] = _place(photo_of[order])
    return turn


def _rank_of_kind(images: Images) -> tuple[Ints, Ints]:
    """Each image's kind as its rank among the person's kinds, and the number of those, int64 (n,)."""
    had, of = np.unique(images.person.astype(np.int64) << 32 | images.kind, return_inverse=True)
    owner = had >> 32
    return _place(owner)[of], np.bincount(owner)[images.person]


def _place(*groups: NDArray[np.integer]) -> Ints:
    """Each row's position in its group, int64 (n,), from 0; groups are consecutive."""
    n = len(groups[0])
    new = np.zeros(n, np.bool_)
    new[:1] = True
    for group in groups:
        new[1:] |= group[1:] != group[:-1]
    rows = np.arange(n)
    return rows - np.maximum.accumulate(np.where(new, rows, 0))
