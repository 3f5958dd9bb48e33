"""Identification of probes among enrolled people: ranks, and open-set error rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskgen.core.reasons import are, counted
from maskgen.core.seeding import rng_for

from .bootstrap import REPLICATES, Interval, draw_people, percentiles
from .checks import check_count, check_finite, check_rate, whole_each
from .distances import ALIKE, normalised

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_AT_ONCE = 1 << 23  # distances computed at once: 64 MB
_SLACK = 1e-9  # tolerance for rounding of a count


@dataclass(frozen=True, slots=True)
class Search:
    """Search results of n probes; a person's distance is that of their nearest enrolled face.

    Convention:
        - `person` int64 (n,): the probe's person
        - `own`, `other` float64 (n,): distance to that person and to the nearest other one, inf if there is none
        - `rival` int64 (n,): that other person, the one with the lowest number of several, -1 if there is none
        - `rank` int64 (n,): rank of the own person, ties counted against it; 0 if the person is not enrolled
        - a difference of at most 1e-6 is a tie
    """

    person: Ints
    own: Doubles
    other: Doubles
    rival: Ints
    rank: Ints

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether the probe's person is enrolled, bool (n,)."""
        return self.rank > 0


@dataclass(frozen=True, slots=True)
class PersonResult:
    """Counts for one person.

    `probes` of the person; `first` and `fifth` of them have rank 1 and at most 5; `accepted` have rank 1 within the
    threshold. `taken_for_another` of them would match another person if their own were not enrolled; `let_in` probes of
    others would match this person if their own were not enrolled. Without a threshold these three are None.
    """

    person: int
    enrolled: int
    probes: int
    first: int
    fifth: int
    accepted: int | None
    taken_for_another: int | None
    let_in: int | None


@dataclass(frozen=True, slots=True)
class Identification:
    """Ranks over the probes whose person is enrolled, and an open set's errors over all of them.

    If there are too few probes for the requested rate, `threshold`, `far` and `accepted` are NaN, and `reason` says
    why. `far` is the false match rate at the threshold, at most the requested one; `accepted` is the share of probes
    with rank 1 within the threshold. `intervals` are of rank1, rank5 and accepted.
    """

    probes: int
    unknown: int
    rank1: float
    rank5: float
    far_asked: float
    far: float
    threshold: float
    accepted: float
    intervals: Mapping[str, Interval]
    people: tuple[PersonResult, ...]
    reason: str = ""


def search(probes: ArrayLike, probe_people: ArrayLike, enrolled: ArrayLike, enrolled_people: ArrayLike) -> Search:
    """Search every probe among the enrolled faces.

    Args:
        probes: (n, d) embeddings, not normalised, of `probe_people` int64 (n,).
        enrolled: (m, d), m > 0, of `enrolled_people` int64 (m,), in any order.

    Raises:
        ValueError: an embedding is not finite, nobody is enrolled, the shapes do not fit, or people are no whole
            numbers.
    """
    faces, looked = _embeddings(enrolled), _embeddings(probes)
    if not len(faces) or looked.shape[1] != faces.shape[1]:
        raise ValueError(f"probes of shape {looked.shape} cannot be searched among enrolled faces {faces.shape}")
    enrolled_people = whole_each("enrolled_people", enrolled_people, len(faces))
    probe_people = whole_each("probe_people", probe_people, len(looked))
    order = np.argsort(enrolled_people, kind="stable")
    people, starts = np.unique(enrolled_people[order], return_index=True)
    step = max(1, _AT_ONCE // len(faces))
    parts = []
    for at in range(0, len(looked), step):
        near = np.minimum.reduceat(_distances(looked[at : at + step], faces[order]), starts, axis=1)
        parts.append(_found(near, people, probe_people[at : at + step]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.empty(0)] * 4
    own, other, rival, rank = columns
    return Search(probe_people, own, other, rival.astype(np.int64), rank.astype(np.int64))


def _embeddings(rows: ArrayLike) -> Doubles:
    given = np.asarray(rows)
    check_finite(given)
    return normalised(given).astype(np.float64)


def _distances(one: Doubles, other: Doubles) -> Doubles:
    return np.sqrt(np.maximum(2 - 2 * one @ other.T, 0))


def _found(near: Doubles, people: Ints, whose: Ints) -> tuple[Doubles, Doubles, Ints, Ints]:
    """Own and other distance, rival and rank of each row of `near` (n, people)."""
    rows = np.arange(len(near))
    place = np.minimum(np.searchsorted(people, whose), len(people) - 1)
    known = people[place] == whose
    own = np.where(known, near[rows, place], np.inf)
    others = near.copy()
    others[rows[known], place[known]] = np.inf
    other = others.min(axis=1)
    # Distances to equal embeddings differ by rounding, at each place in the matrix and on each processor by another.
    nearest = (others <= other[:, None] + ALIKE).argmax(axis=1)
    rival = np.where(np.isfinite(other), people[nearest], -1)
    rank = np.where(known, 1 + (others <= own[:, None] + ALIKE).sum(axis=1), 0)
    return own, other, rival, rank


def identify(
    found: Search, enrolled_people: Ints, far: float, replicates: int = REPLICATES, seed: int = 0
) -> Identification:
    """Ranks, and open-set error rates with each probe's own person removed from the gallery.

    The threshold is the largest at which at most `far` of the probes match another person. It is chosen and tested on
    the same probes.

    Args:
        far: requested false match rate, above 0 and below 1.
        replicates, seed: of the bootstrap over people, each with all their probes.

    Raises:
        ValueError: another rate, or no replicates.

    Source: Phillips, Grother and Micheals, Evaluation methods in face recognition, 2011: detection and identification
        rate at a false alarm rate.
    """
    check_rate("far", far)
    check_count("replicates", replicates)
    threshold, reason = _threshold(found.other, far)
    known = found.is_known
    right = {"rank1": known & (found.rank == 1), "rank5": known & (found.rank <= 5)}
    if not reason:
        right["accepted"] = right["rank1"] & (found.own <= threshold)
    means = {name: _share(hits[known]) for name, hits in right.items()}
    among = {name: hits[known] for name, hits in right.items()}
    return Identification(
        probes=len(known),
        unknown=int((~known).sum()),
        rank1=means["rank1"],
        rank5=means["rank5"],
        far_asked=far,
        far=math.nan if reason else _share(found.other <= threshold),
        threshold=threshold,
        accepted=means.get("accepted", math.nan),
        intervals=_intervals(among, found.person[known], replicates, seed),
        people=_people(found, right, threshold, enrolled_people),
        reason=reason,
    )


def _threshold(others: Doubles, far: float) -> tuple[float, str]:
    let_in = int(len(others) * far + _SLACK)
    if let_in < 1:
        needs = f"A false accept rate of {far:g} needs {counted(round(1 / far), 'probe')}"
        return float("nan"), f"{needs}, and there {are(len(others))} {len(others):,}."
    first_out = np.sort(others)[let_in] if let_in < len(others) else np.inf
    return float(np.nextafter(first_out, -np.inf)), ""


def _share(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def _intervals(right: Mapping[str, NDArray[np.bool_]], person: Ints, replicates: int, seed: int) -> dict[str, Interval]:
    if not len(person):
        return {name: percentiles(np.empty(0)) for name in right}
    _, codes = np.unique(person, return_inverse=True)
    n = int(codes.max()) + 1
    probes = np.bincount(codes, minlength=n)
    hits = {name: np.bincount(codes, weights=values, minlength=n) for name, values in right.items()}
    rng = rng_for(seed, "bootstrap")
    times = [draw_people(n, rng) for _ in range(replicates)]
    return {name: percentiles(np.array([t @ own / (t @ probes) for t in times])) for name, own in hits.items()}


def _people(
    found: Search, right: Mapping[str, NDArray[np.bool_]], threshold: float, enrolled_people: Ints
) -> tuple[PersonResult, ...]:
    everyone = np.unique(np.concatenate([found.person, enrolled_people]))
    columns = [
        _counts(enrolled_people, everyone),
        _counts(found.person, everyone),
        *(_counts(found.person[right[name]], everyone) for name in ("rank1", "rank5")),
    ]
    within: list[list[int] | list[None]] = [[None] * len(everyone)] * 3
    if "accepted" in right:
        let_in = found.other <= threshold
        whose = found.person[right["accepted"]], found.person[let_in], found.rival[let_in]
        within = [_counts(people, everyone).tolist() for people in whose]
    rows = zip(everyone.tolist(), *(column.tolist() for column in columns), *within, strict=True)
    return tuple(PersonResult(*row) for row in rows)


def _counts(values: Ints, of: Ints) -> Ints:
    """The number of occurrences of each of the ascending numbers `of` among the values."""
    return np.bincount(np.searchsorted(of, values), minlength=len(of)).astype(np.int64)
