"""Errors at a fixed false match rate, as NIST reports them: the threshold from bare faces, applied to masked ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from maskgen.core.reasons import are
from maskgen.core.seeding import rng_for

from .bootstrap import Interval, draw_people, percentiles
from .distances import normalised

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
        reason: why there is no threshold, else empty.
    """

    asked: float
    threshold: float
    pictures: int
    people: int
    sorts: dict[str, Comparisons]
    reason: str = ""


def fixed_fmr(
    embeddings: Floats, people: Ints, masked: Bools, asked: float = FMR, replicates: int = 1000, seed: int = 0
) -> FixedFmr:
    """Compare every picture with every other one, each pair once.

    The threshold is the loosest at which at most `asked` of the comparisons of two bare faces of two people match.

    Args:
        embeddings: float32 (n, dim).
        people: int64 (n,), the person of each.
        masked: bool (n,).
        asked: false match rate between 0 and 1.

    Source: Ngan, Grother and Hanaoka, NISTIR 8311 and 8331, Face recognition accuracy with masks, 2020.
    """
    rows = _drawn(len(people), seed)
    unit, people, masked = normalised(embeddings[rows]), people[rows], masked[rows]
    bare = np.flatnonzero(~masked)
    impostors = _count_impostors(people[bare])
    many = len(np.unique(people))
    allowed = int(asked * impostors + 1e-9)
    if allowed < 1:
        reason = f"A false match rate of {asked:g} needs {round(1 / asked):,} comparisons of bare faces of two people, "
        return FixedFmr(asked, float("nan"), len(rows), many, {}, f"{reason}and there {are(impostors)} {impostors:,}.")
    beyond = _largest(unit[bare], people[bare], allowed + 1)
    codes = np.unique(people, return_inverse=True)[1]
    found = _sorts(unit, codes, masked, beyond, replicates, seed)
    threshold = float(np.sqrt(max(0.0, 2 - 2 * beyond)))
    return FixedFmr(asked, threshold, len(rows), many, found)


def _drawn(many: int, seed: int) -> Ints:
    if many <= MOST:
        return np.arange(many, dtype=np.int64)
    return np.sort(rng_for(seed, "fixed fmr").choice(many, MOST, replace=False)).astype(np.int64)


def _count_impostors(people: Ints) -> int:
    counts = np.unique(people, return_counts=True)[1].astype(np.int64)
    return int((len(people) ** 2 - (counts**2).sum()) // 2)


def _blocks(unit: Floats) -> Iterator[tuple[int, Floats]]:
    """The first row of a block, and its cosines with all rows from the first of the block on."""
    for at in range(0, len(unit), _ROWS):
        yield at, unit[at : at + _ROWS] @ unit[at:].T


def _largest(unit: Floats, people: Ints, count: int) -> float:
    """The `count`-th largest cosine of two pictures of two people."""
    kept = np.zeros(0, np.float32)
    for at, cosines in _blocks(unit):
        rows, columns = np.triu_indices(len(cosines), 1, cosines.shape[1])
        other = people[at + rows] != people[at + columns]
        kept = np.concatenate([kept, cosines[rows[other], columns[other]]])
        if len(kept) > count:
            kept = np.partition(kept, len(kept) - count)[-count:]
    return float(kept.min())


def _sorts(
    unit: Floats, codes: Ints, masked: Bools, beyond: float, replicates: int, seed: int
) -> dict[str, Comparisons]:
    """Both rates of each type; two pictures match if their cosine is above `beyond`."""
    matches, impostors = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for at, cosines in _blocks(unit):
        rows, columns = np.triu_indices(len(cosines), 1, cosines.shape[1])
        other = codes[at + rows] != codes[at + columns]
        rows, columns = rows[other], columns[other]
        sort = masked[at + rows].astype(np.int64) + masked[at + columns]
        impostors += np.bincount(sort, minlength=3)
        matches += np.bincount(sort[cosines[rows, columns] > beyond], minlength=3)
    genuine, missed = _genuine(unit, codes, masked, beyond)
    found = {}
    for sort, name in enumerate(SORTS):
        rate, interval = _rate(missed[sort], genuine[sort], replicates, seed)
        fmr = float(matches[sort] / impostors[sort]) if impostors[sort] else float("nan")
        if genuine[sort].any() or impostors[sort]:
            found[name] = Comparisons(int(genuine[sort].sum()), int(impostors[sort]), rate, interval, fmr)
    return found


def _genuine(unit: Floats, codes: Ints, masked: Bools, beyond: float) -> tuple[Ints, Ints]:
    """Genuine comparisons and those that do not match, int64 (3, people)."""
    many = int(codes.max()) + 1
    genuine, missed = np.zeros((3, many), np.int64), np.zeros((3, many), np.int64)
    order = np.argsort(codes, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if len(own) < 2:
            continue
        pairs = np.array(list(combinations(own.tolist(), 2)), np.int64)
        sort = masked[pairs].sum(axis=1)
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
