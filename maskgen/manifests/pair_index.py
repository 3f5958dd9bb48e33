"""An implicit index of all pairs that a rule allows, for exact uniform sampling without listing them.

A person with 2,650 images has 3.5 million pairs; a set of 2 million images has 2 * 10^12. They are not stored: for each
image the index has the range of its allowed partners in a sorted list, and a range to skip within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .catalogue import Images
from .schema import Ints, Pairs


@dataclass(frozen=True, slots=True)
class PairIndex:
    """The pairs of each anchor with its allowed partners, numbered from 0 in the order of the anchors.

    Convention:
        - `anchors` int64 (a,) and `partners` int64 (b,) are rows of an `Images`
        - the partners of anchor i are partners[low[i]:high[i]] without partners[skip_low[i]:skip_high[i]],
          all int64 (a,), and the skipped range is inside the first
    """

    anchors: Ints
    partners: Ints
    low: Ints
    high: Ints
    skip_low: Ints
    skip_high: Ints

    def __post_init__(self) -> None:
        inside = (self.low <= self.skip_low) & (self.skip_low <= self.skip_high) & (self.skip_high <= self.high)
        if not inside.all():
            raise ValueError("a skipped range reaches outside its anchor's partners")

    @property
    def counts(self) -> Ints:
        """The number of allowed partners of each anchor, int64 (a,)."""
        return (self.high - self.low) - (self.skip_high - self.skip_low)

    @property
    def total(self) -> int:
        """The number of pairs."""
        return int(self.counts.sum())

    def pairs(self, numbers: Ints) -> Pairs:
        """The pairs of these numbers, each in 0..total-1."""
        ends = np.cumsum(self.counts)
        anchor = np.searchsorted(ends, numbers, side="right")
        place = self.low[anchor] + numbers - (ends[anchor] - self.counts[anchor])
        place += (place >= self.skip_low[anchor]) * (self.skip_high - self.skip_low)[anchor]
        return Pairs(self.anchors[anchor], self.partners[place])

    def one_each(self, rng: np.random.Generator) -> Pairs:
        """One uniformly drawn partner for each anchor; an anchor without partners gives no pair."""
        counts = self.counts
        starts = np.cumsum(counts) - counts
        able = counts > 0
        return self.pairs(starts[able] + rng.integers(0, counts[able]))

    @staticmethod
    def joined(indexes: Sequence[PairIndex], person: NDArray[np.int32]) -> PairIndex:
        """The union of several indexes, with anchors in the order of their person's code."""
        shifts = np.cumsum([0, *(len(s.partners) for s in indexes)])
        anchors = np.concatenate([s.anchors for s in indexes])
        order = np.argsort(person[anchors], kind="stable")
        ranges = (
            np.concatenate([getattr(s, name) + shift for s, shift in zip(indexes, shifts, strict=False)])[order]
            for name in ("low", "high", "skip_low", "skip_high")
        )
        return PairIndex(anchors[order], np.concatenate([s.partners for s in indexes]), *ranges)


def same_within(images: Images, rows: Ints, allow_same_source: bool) -> PairIndex:
    """Each genuine pair of the rows once, of two photographs unless the same one is allowed."""
    rows, person, photo = _by_person(images, rows)
    low = np.arange(1, len(rows) + 1) if allow_same_source else _ends(photo)
    high = _ends(person)
    return PairIndex(rows, rows, low, high, low, low)


def same_across(images: Images, anchors: Ints, pool: Ints, allow_same_source: bool) -> PairIndex:
    """Each anchor with every row of the pool of its person, of other photographs unless the same one is allowed."""
    pool, person, photo = _by_person(images, pool)
    anchors, wanted, wanted_photo = _by_person(images, anchors)
    low, high = np.searchsorted(person, wanted), np.searchsorted(person, wanted, side="right")
    if allow_same_source:
        skip_low, skip_high = _itself(len(images), anchors, pool, low)
    else:
        skip_low = np.searchsorted(photo, wanted_photo)
        skip_high = np.searchsorted(photo, wanted_photo, side="right")
    return PairIndex(anchors, pool, low, high, skip_low, skip_high)


def other_within(images: Images, rows: Ints) -> PairIndex:
    """Each impostor pair of the rows once."""
    rows, person, _ = _by_person(images, rows)
    low = _ends(person)
    return PairIndex(rows, rows, low, np.full(len(rows), len(rows)), low, low)


def other_across(images: Images, anchors: Ints, pool: Ints) -> PairIndex:
    """Each anchor with every row of the pool of another person."""
    pool, person, _ = _by_person(images, pool)
    anchors, wanted, _ = _by_person(images, anchors)
    skip_low, skip_high = np.searchsorted(person, wanted), np.searchsorted(person, wanted, side="right")
    zeros = np.zeros(len(anchors), np.int64)
    return PairIndex(anchors, pool, zeros, zeros + len(pool), skip_low, skip_high)


def draw_distinct(rng: np.random.Generator, sizes: Ints, wanted: Ints) -> Ints:
    """Numbers drawn without replacement from consecutive groups, sorted.

    Args:
        sizes: size of each group, int64 (g,); group i holds the numbers from sum(sizes[:i]) on.
        wanted: number to draw from each group, int64 (g,); from a smaller group all are taken.
    """
    wanted = np.minimum(wanted, sizes)
    starts = np.cumsum(sizes) - sizes
    dense = sizes <= 4 * wanted
    few = _draw_listed(rng, starts[dense], sizes[dense], wanted[dense])
    many = _draw_again(rng, starts[~dense], sizes[~dense], wanted[~dense])
    return np.sort(np.concatenate([few, many]))


def _draw_listed(rng: np.random.Generator, starts: Ints, sizes: Ints, wanted: Ints) -> Ints:
    """For small groups: list all numbers, shuffle each group, keep the first ones."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    first = np.cumsum(sizes) - sizes
    place = np.arange(len(group)) - first[group]
    shuffled = np.lexsort((rng.random(len(group)), group))  # stays group by group, so `place` still counts in it
    return (starts[group] + place)[shuffled[place < wanted[group]]]


def _draw_again(rng: np.random.Generator, starts: Ints, sizes: Ints, wanted: Ints) -> Ints:
    """For large groups: draw with replacement and redraw duplicates; the distribution is that of single draws."""
    drawn = np.empty(0, np.int64)
    missing = wanted
    while missing.any():
        group = np.repeat(np.arange(len(sizes)), missing)
        drawn = np.unique(np.concatenate([drawn, starts[group] + rng.integers(0, sizes[group])]))
        missing = wanted - np.diff(np.searchsorted(drawn, np.append(starts, np.iinfo(np.int64).max)))
    return drawn


def _by_person(images: Images, rows: Ints) -> tuple[Ints, NDArray[np.int32], Ints]:
    """The rows by (person, photograph, row), each one's person, and a number of its (person, photograph)."""
    order = np.lexsort((rows, images.source[rows], images.person[rows]))
    rows = rows[order]
    person = images.person[rows]
    photo = person.astype(np.int64) << 32 | images.source[rows].astype(np.int64)
    return rows, person, photo


def _ends(values: NDArray[np.integer]) -> Ints:
    return np.searchsorted(values, values, side="right").astype(np.int64)


def _itself(size: int, anchors: Ints, pool: Ints, low: Ints) -> tuple[Ints, Ints]:
    place = np.full(size, -1)
    place[pool] = np.arange(len(pool))
    own = place[anchors]
    return np.where(own < 0, low, own), np.where(own < 0, low, own + 1)
