"""Genuine and impostor pairs, drawn by one of the two protocols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np

from .catalogue import Images
from .pair_index import PairIndex, draw_distinct, other_across, other_within, same_across, same_within
from .schema import Ints, Mix, Pairs
from .split import quotas

RngFor = Callable[[str], np.random.Generator]
NO_ROWS = np.empty(0, np.int64)


class KindRule(StrEnum):
    """Whether the two masks of a masked-masked pair are of the same kind."""

    ANY = "any"
    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PairRules:
    """Rules for drawn pairs: the mix (None: as it occurs), mask kinds, photographs, and the maximum number."""

    mix: Mix | None = None
    kinds: KindRule = KindRule.ANY
    allow_same_source: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The pairs of one split; with the disjoint protocol as many genuine as impostor pairs.

    `able` is the number of available genuine pairs of each type before the mix is applied; `borrowed` counts the
    rows (reference protocol) whose partner is from the other part.
    """

    same: Pairs
    diff: Pairs
    able: dict[str, int]
    borrowed: int = 0


def draw_disjoint(rng_for_name: RngFor, images: Images, rows: Ints, rules: PairRules) -> Drawn:
    """Pairs among these rows: none twice in either order, none of one image or, unless allowed, one photograph.

    A person with n images gives at most n genuine pairs. There are as many impostor as genuine pairs, in total and of
    each type (masked-masked, masked-bare, bare-bare), so that the two distributions can be compared. With a mix, the
    scarcest type limits the total, and the shares hold.
    """
    indexes = _same_indexes(images, rows, rules)
    offered = {name: _genuine_pairs(rng_for_name(f"same {name}"), images, rows, s) for name, s in indexes.items()}
    able = {name: len(pairs) for name, pairs in offered.items()}
    counts = _how_many(able, len(rows), rules)
    same = [_some(rng_for_name(f"cut {name}"), offered[name], counts[name]) for name in counts]
    drawn = Pairs.joined(same)
    sorts = count_sorts(images, drawn)
    diff = [
        _impostor_pairs(rng_for_name(f"diff {name}"), images, rows, index, sorts[name])
        for name, index in _other_indexes(images, rows, rules.kinds).items()
    ]
    return Drawn(
        _turned(rng_for_name("turn same"), drawn),
        _turned(rng_for_name("turn diff"), Pairs.joined(diff)),
        able,
    )


def draw_reference(
    rng_for_name: RngFor, images: Images, rows: Ints, rest: Ints, allow_same_source: bool, halves: bool
) -> Drawn:
    """Pairs of the reference protocol: each row is first in one genuine and one impostor pair.

    Partners are from the same part; if a person has none there, from the other part.

    Args:
        rows: the images of this part.
        rest: the images of the other part.
        halves: each row is used once, half of them in genuine pairs (the test part).
    """
    index = same_across(images, rows, rows, allow_same_source)
    alone = index.anchors[index.counts == 0]
    borrowed = same_across(images, alone, rest, allow_same_source).one_each(rng_for_name("borrow"))
    same = Pairs.joined([index.one_each(rng_for_name("same")), borrowed])
    able = len(same)
    strangers = rows
    if halves:
        # Rows with a partner in their own part come first: an image in both parts is a small leak.
        order = np.argsort(rng_for_name("halves").random(able) + (np.arange(able) >= able - len(borrowed)))
        same = same.take(order[: len(rows) // 2])
        strangers = np.setdiff1d(rows, same.first)
    diff = _one_impostor_each(rng_for_name("diff"), images, strangers, rows)
    n_borrowed = int(np.isin(same.first, borrowed.first).sum())
    return Drawn(_in_order(same), _in_order(diff), {"any": able}, n_borrowed)


def count_sorts(images: Images, pairs: Pairs) -> dict[str, int]:
    """The numbers of masked-masked, masked-bare and bare-bare pairs: mm, mb, bb."""
    bare = images.bare[pairs.first].astype(int) + images.bare[pairs.second]
    return dict(zip(("mm", "mb", "bb"), np.bincount(bare, minlength=3).tolist(), strict=True))


def describe(images: Images, pairs: Pairs) -> dict[str, int]:
    """Counts for the report: rows, types, masked pairs of one kind and of two, pairs of one source."""
    kinds = images.kind[pairs.first], images.kind[pairs.second]
    masked = (kinds[0] > 0) & (kinds[1] > 0)
    return {
        "rows": len(pairs),
        **count_sorts(images, pairs),
        "mm_same_kind": int((masked & (kinds[0] == kinds[1])).sum()),
        "mm_other_kind": int((masked & (kinds[0] != kinds[1])).sum()),
        "one_photograph": int((images.source[pairs.first] == images.source[pairs.second]).sum()),
    }


def without_second_photograph(images: Images, rows: Ints, rest: Ints = NO_ROWS) -> tuple[int, int]:
    """The number of people of these rows with a single photograph, and the number of their images among the rows.

    Args:
        rest: images of the other part, from which partners may be drawn, too.
    """
    every = np.concatenate([rows, rest])
    photo = np.unique(images.person[every].astype(np.int64) << 32 | images.source[every])
    photographs = np.bincount(photo >> 32, minlength=len(images.people))
    held = np.bincount(images.person[rows], minlength=len(images.people))
    alone = (photographs == 1) & (held > 0)
    return int(alone.sum()), int(held[alone].sum())


def _same_indexes(images: Images, rows: Ints, rules: PairRules) -> dict[str, PairIndex]:
    """The indexes of genuine pairs by type, or one as "any" without a mix."""
    again = rules.allow_same_source
    masked, bare, by_kind = _parts(images, rows)
    if rules.kinds is KindRule.ANY:
        mm = same_within(images, masked, again)
    elif rules.kinds is KindRule.SAME:
        mm = PairIndex.joined([same_within(images, part, again) for part in by_kind], images.person)
    else:
        mm = PairIndex.joined([same_across(images, a, b, again) for a, b in _two_kinds(by_kind)], images.person)
    indexes = {
        "mm": mm,
        "mb": same_across(images, masked, bare, again),
        "bb": same_within(images, bare, again),
    }
    if rules.mix is None:
        return {"any": PairIndex.joined(list(indexes.values()), images.person)}
    return {name: indexes[name] for name, share in rules.mix.shares().items() if share > 0}


def _other_indexes(images: Images, rows: Ints, kinds: KindRule) -> dict[str, PairIndex]:
    """The indexes of impostor pairs by type."""
    masked, bare, by_kind = _parts(images, rows)
    if kinds is KindRule.ANY:
        mm = other_within(images, masked)
    elif kinds is KindRule.SAME:
        mm = PairIndex.joined([other_within(images, part) for part in by_kind], images.person)
    else:
        mm = PairIndex.joined([other_across(images, a, b) for a, b in _two_kinds(by_kind)], images.person)
    return {"mm": mm, "mb": other_across(images, masked, bare), "bb": other_within(images, bare)}


def _parts(images: Images, rows: Ints) -> tuple[Ints, Ints, list[Ints]]:
    """The masked rows, the bare rows, and the masked rows by kind (one empty kind if all are bare)."""
    kind = images.kind[rows]
    return (
        rows[kind > 0],
        rows[kind == 0],
        [rows[kind == code] for code in range(1, max(2, len(images.kinds)))],
    )


def _two_kinds(by_kind: list[Ints]) -> list[tuple[Ints, Ints]]:
    return list(combinations(by_kind, 2)) or [(NO_ROWS, NO_ROWS)]


def _genuine_pairs(rng: np.random.Generator, images: Images, rows: Ints, index: PairIndex) -> Pairs:
    """Genuine pairs: for each person as many as images among the rows, or all if there are fewer."""
    people = len(images.people)
    sizes = np.zeros(people, np.int64)
    np.add.at(sizes, images.person[index.anchors], index.counts)
    return index.pairs(draw_distinct(rng, sizes, np.bincount(images.person[rows], minlength=people)))


def _how_many(able: dict[str, int], images: int, rules: PairRules) -> dict[str, int]:
    """The number of pairs of each type: the shares of the mix, limited by the scarcest type."""
    limit = images if rules.most is None else min(images, rules.most)
    if rules.mix is None:
        return {"any": min(able["any"], limit)}
    shares = {name: share for name, share in rules.mix.shares().items() if share > 0}
    total = min(limit, *(int(able[name] / share) for name, share in shares.items()))
    while True:
        counts = dict(zip(shares, quotas(total, list(shares.values())), strict=True))
        if all(counts[name] <= able[name] for name in counts):
            return counts
        total -= 1  # a share was rounded up beyond the available pairs


def _some(rng: np.random.Generator, pairs: Pairs, n: int) -> Pairs:
    return pairs.take(np.sort(rng.permutation(len(pairs))[:n]))


def _impostor_pairs(rng: np.random.Generator, images: Images, rows: Ints, index: PairIndex, n: int) -> Pairs:
    """`n` impostor pairs, or all if there are fewer, without pairs of one photograph filed under two people."""
    wanted = n + _filed_twice(images, rows)
    numbers = draw_distinct(rng, np.array([index.total]), np.array([wanted]))
    pairs = index.pairs(numbers)
    return _some(rng, pairs.take(images.source[pairs.first] != images.source[pairs.second]), n)


def _filed_twice(images: Images, rows: Ints) -> int:
    """The number of pairs of one photograph filed under two people."""
    source = images.source[rows].astype(np.int64)
    _, together = np.unique(source, return_counts=True)
    _, alone = np.unique(source << 32 | images.person[rows], return_counts=True)
    return _pairs_of(together) - _pairs_of(alone)


def _pairs_of(counts: Ints) -> int:
    return int((counts * (counts - 1) // 2).sum())


def _one_impostor_each(rng: np.random.Generator, images: Images, rows: Ints, pool: Ints) -> Pairs:
    """An impostor partner for each row; a row is left out if every draw was its own photograph."""
    found: list[Pairs] = []
    for _ in range(32):
        pairs = other_across(images, rows, pool).one_each(rng)
        good = images.source[pairs.first] != images.source[pairs.second]
        found.append(pairs.take(good))
        rows = pairs.first[~good]
        if not len(rows):
            break
    return Pairs.joined(found)


def _turned(rng: np.random.Generator, pairs: Pairs) -> Pairs:
    """Each pair in random order, so that neither column is always the masked face."""
    turn = rng.random(len(pairs)) < 0.5
    return _in_order(Pairs(np.where(turn, pairs.second, pairs.first), np.where(turn, pairs.first, pairs.second)))


def _in_order(pairs: Pairs) -> Pairs:
    return pairs.take(np.lexsort((pairs.second, pairs.first)))
