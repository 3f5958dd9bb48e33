"""Errors at a fixed false match rate, as NIST reports them: the threshold from bare faces, applied to masked ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskgen.core.reasons import are
from maskgen.core.seeding import rng_for

from .bootstrap import Interval, draw_people, percentiles
from .checks import check_count, check_finite, check_rate, flag_each, whole_each
from .distances import ALIKE, normalised

FMR = 1e-3
MOST = 12_000  # maximum of pictures that are compared; of more, a random sample
SORTS = ("bare-bare", "masked-bare", "masked-masked")  # by the number of masked faces
_ROWS = 512  # pictures per block of comparisons

Bools = NDArray[np.bool_]
Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Comparisons:
    """The comparisons of one type at the threshold.

    Attributes:
        genuine, impostor: their numbers.
        fnmr: share of genuine comparisons that do not match, NaN without any.
        interval: of `fnmr`, bootstrap over people.
        fmr: share of impostor comparisons that match, NaN without any.
    """

    genuine: int
    impostor: int
    fnmr: float
    interval: Interval
    fmr: float


@dataclass(frozen=True, slots=True)
class FixedFmr:
    """Error rates at a fixed false match rate.

    Attributes:
        asked: the false match rate of bare faces at the threshold.
        threshold: largest L2 distance that matches, NaN if it cannot be set.
        pictures, people: the numbers compared.
        sorts: by type of comparison.
        one_photograph: comparisons of two pictures of one photograph, which are left out.
        reason: why there is no threshold, else empty.
    """

    asked: float
    threshold: float
    pictures: int
    people: int
    sorts: dict[str, Comparisons]
    one_photograph: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The pictures that are compared: `unit` embeddings, numbers of `people` and `photographs`, and `masked`."""

    unit: Floats
    people: Ints
    photographs: Ints
    masked: Bools

    def take(self, rows: Ints) -> _Pictures:
        """The pictures of these rows."""
        return _Pictures(self.unit[rows], self.people[rows], self.photographs[rows], self.masked[rows])

    def alike(self) -> tuple[int, int]:
        """The numbers of pairs of one photograph, and of those among them that show two people."""
        both = self.photographs * (self.people.max(initial=0) + 1) + self.people
        pairs = _count_pairs(self.photographs)
        return pairs, pairs - _count_pairs(both)

    def impostors(self) -> int:
        """The number of comparisons of two people."""
        many = len(self.people)
        return many * (many - 1) // 2 - _count_pairs(self.people) - self.alike()[1]


def fixed_fmr(
    embeddings: ArrayLike,
    people: ArrayLike,
    masked: ArrayLike,
    asked: float = FMR,
    replicates: int = 1000,
    seed: int = 0,
    photographs: ArrayLike | None = None,
) -> FixedFmr:
    """Compare every picture with every other one, each pair once, except two pictures of one photograph.

    A masked picture agrees with a bare one of the same photograph in everything but the mask. The threshold is the
    loosest at which at most `asked` of the comparisons of two bare faces of two people match; cosines that differ by
    at most 1e-6 are equal.

    Args:
        embeddings: float32 (n, dim).
        people: int64 (n,), the person of each.
        masked: bool (n,), or 0 and 1.
        asked: false match rate above 0 and below 1.
        photographs: int64 (n,), the photograph of each; by default each is a photograph of its own.

    Raises:
        ValueError: an embedding is not finite, the numbers of rows differ, or an argument has another value.

    Source: Ngan, Grother and Hanaoka, NISTIR 8311 and 8331, Face recognition accuracy with masks, 2020.
    """
    check_rate("asked", asked)
    check_count("replicates", replicates)
    pictures = _drawn(_checked(embeddings, people, masked, photographs), seed)
    bare = pictures.take(np.flatnonzero(~pictures.masked))
    impostors, alike = bare.impostors(), pictures.alike()[0]
    many = len(np.unique(pictures.people))
    allowed = int(asked * impostors + 1e-9)
    if allowed < 1:
        return FixedFmr(asked, float("nan"), len(pictures.people), many, {}, alike, _too_few(asked, impostors))
    beyond = _beyond(bare, allowed)
    sorts, threshold = _sorts(pictures, beyond, replicates, seed), float(np.sqrt(max(0.0, 2 - 2 * beyond)))
    return FixedFmr(asked, threshold, len(pictures.people), many, sorts, alike)


def _too_few(asked: float, impostors: int) -> str:
    needs = f"A false match rate of {asked:g} needs {round(1 / asked):,} comparisons of bare faces of two people"
    return f"{needs}, and there {are(impostors)} {impostors:,}."


def _beyond(bare: _Pictures, allowed: int) -> float:
    """The cosine that so many of the comparisons of two bare faces of two people, and no more, are above."""
    # A comparison's cosine differs by rounding from block to block: without a distance, a collapsed network's genuine
    # pairs would match, or some of them.
    return _largest(bare, allowed + 1) + ALIKE


def _checked(embeddings: ArrayLike, people: ArrayLike, masked: ArrayLike, photographs: ArrayLike | None) -> _Pictures:
    rows = np.asarray(embeddings)
    check_finite(rows)
    unit, many = normalised(rows), len(rows)
    whole = np.arange(many) if photographs is None else photographs
    return _Pictures(
        unit,
        whole_each("people", people, many),
        whole_each("photographs", whole, many),
        flag_each("masked", masked, many),
    )


def _drawn(pictures: _Pictures, seed: int) -> _Pictures:
    """At most `MOST` of the pictures, with codes of people and photographs from 0."""
    many = len(pictures.people)
    if many > MOST:
        rows = np.sort(rng_for(seed, "fixed fmr").choice(many, MOST, replace=False)).astype(np.int64)
        pictures = pictures.take(rows)
    return _Pictures(pictures.unit, _codes(pictures.people), _codes(pictures.photographs), pictures.masked)


def _codes(values: Ints) -> Ints:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _count_pairs(values: Ints) -> int:
    """The number of pairs of equal values."""
    counts = np.unique(values, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())


def _impostors(pictures: _Pictures) -> Iterator[tuple[Ints, Ints, Floats]]:
    """The comparisons of two people in blocks: the rows of both pictures, and their cosines."""
    unit, people, photographs = pictures.unit, pictures.people, pictures.photographs
    for at in range(0, len(unit), _ROWS):
        cosines = unit[at : at + _ROWS] @ unit[at:].T
        rows, columns = np.triu_indices(len(cosines), 1, cosines.shape[1])
        other = people[at + rows] != people[at + columns]
        other &= photographs[at + rows] != photographs[at + columns]
        rows, columns = rows[other], columns[other]
        yield at + rows, at + columns, cosines[rows, columns]


def _largest(pictures: _Pictures, count: int) -> float:
    """The `count`-th largest cosine of two pictures of two people."""
    kept = np.zeros(0, np.float32)
    for _, _, cosines in _impostors(pictures):
        kept = np.concatenate([kept, cosines])
        if len(kept) > count:
            kept = np.partition(kept, len(kept) - count)[-count:]
    return float(kept.min())


def _sorts(pictures: _Pictures, beyond: float, replicates: int, seed: int) -> dict[str, Comparisons]:
    """Both rates of each type; two pictures match if their cosine is above `beyond`."""
    matches, impostors = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for first, second, cosines in _impostors(pictures):
        worn = pictures.masked[first].astype(np.int64) + pictures.masked[second]
        impostors += np.bincount(worn, minlength=3)
        matches += np.bincount(worn[cosines > beyond], minlength=3)
    genuine, missed = _genuine(pictures, beyond)
    found = {}
    for sort, name in enumerate(SORTS):
        rate, interval = _rate(missed[sort], genuine[sort], replicates, seed)
        fmr = float(matches[sort] / impostors[sort]) if impostors[sort] else float("nan")
        if genuine[sort].any() or impostors[sort]:
            found[name] = Comparisons(int(genuine[sort].sum()), int(impostors[sort]), rate, interval, fmr)
    return found


def _genuine(pictures: _Pictures, beyond: float) -> tuple[Ints, Ints]:
    """Genuine comparisons and those that do not match, int64 (3, people)."""
    unit, codes = pictures.unit, pictures.people
    many = int(codes.max()) + 1
    genuine, missed = np.zeros((3, many), np.int64), np.zeros((3, many), np.int64)
    order = np.argsort(codes, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if len(own) < 2:
            continue
        pairs = np.array(list(combinations(own.tolist(), 2)), np.int64)
        pairs = pairs[pictures.photographs[pairs[:, 0]] != pictures.photographs[pairs[:, 1]]]
        sort = pictures.masked[pairs].sum(axis=1)
        apart = (unit[pairs[:, 0]] * unit[pairs[:, 1]]).sum(axis=1) <= beyond
        genuine[:, codes[own[0]]] = np.bincount(sort, minlength=3)
        missed[:, codes[own[0]]] = np.bincount(sort[apart], minlength=3)
    return genuine, missed


def _rate(missed: Ints, genuine: Ints, replicates: int, seed: int) -> tuple[float, Interval]:
    """The false non-match rate, and its interval over people with any comparison."""
    own = genuine > 0
    if not own.any():
        nothing = float("nan")
        return nothing, Interval(nothing, nothing)
    missed, genuine = missed[own], genuine[own]
    rng = rng_for(seed, "fixed fmr bootstrap")
    draws: Doubles = np.array([draw_people(len(genuine), rng) for _ in range(replicates)])
    return float(missed.sum() / genuine.sum()), percentiles((draws @ missed) / (draws @ genuine))
