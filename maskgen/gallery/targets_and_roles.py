"""The people of a gallery: target numbers, photographs per person, and simulated galleries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from maskgen.core.seeding import rng_for

ENROL, PROBE = "enrol", "probe"


@dataclass(frozen=True, slots=True)
class PhotographCounts:
    """The numbers of a person's bare and masked photographs in the gallery."""

    person: str
    bare: int
    masked: int


def role_of(masked: bool) -> str:
    """The role of a face: bare faces are enrolled, masked faces are probes."""
    return PROBE if masked else ENROL


def targets(people: Iterable[str]) -> dict[str, int]:
    """A number for each person, 0 to n - 1 in the order of their names by code point."""
    return {person: number for number, person in enumerate(sorted(set(people)))}


def photograph_counts(states: Iterable[tuple[str, bool]], everyone: Iterable[str] = ()) -> list[PhotographCounts]:
    """Counts by person, sorted by name.

    Args:
        states: person and mask label of each photograph.
        everyone: people to list even without photographs.
    """
    counts: dict[str, list[int]] = {person: [0, 0] for person in everyone}
    for person, masked in states:
        counts.setdefault(person, [0, 0])[int(masked)] += 1
    return [PhotographCounts(person, *counts[person]) for person in sorted(counts)]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a run: `path` and `source` as in its catalogue."""

    path: str
    person: str
    source: str
    masked: bool


def simulated(
    pictures: Sequence[Picture], each: tuple[int, int], seed: int
) -> tuple[list[Picture], list[PhotographCounts]]:
    """A gallery from a run: for each person bare and masked pictures, all from different photographs.

    Args:
        each: the numbers of bare and of masked pictures per person.

    Returns:
        The pictures by person, bare ones first; and the people with too few photographs, who are left out.
    """
    by_person: dict[str, list[Picture]] = {}
    for picture in pictures:
        by_person.setdefault(picture.person, []).append(picture)
    chosen: list[Picture] = []
    short: list[PhotographCounts] = []
    for person in sorted(by_person):
        bare, masked = _drawn(by_person[person], each, seed)
        if (len(bare), len(masked)) == each:
            chosen += [*bare, *masked]
        else:
            short.append(PhotographCounts(person, len(bare), len(masked)))
    return chosen, short


def _drawn(own: Sequence[Picture], each: tuple[int, int], seed: int) -> tuple[list[Picture], list[Picture]]:
    """A person's bare and masked pictures, photographs in random order, first those with masked pictures only."""
    sources: dict[str, dict[bool, list[Picture]]] = {}
    for picture in sorted(own, key=lambda one: one.path):
        sources.setdefault(picture.source, {False: [], True: []})[picture.masked].append(picture)
    rng = rng_for(seed, "gallery", own[0].person)
    order = [sorted(sources)[at] for at in rng.permutation(len(sources))]
    bare: list[Picture] = []
    masked: list[Picture] = []
    for source in sorted(order, key=lambda one: _kinds_of(sources[one])):
        here = sources[source]
        if here[True] and len(masked) < each[1]:
            masked.append(here[True][int(rng.integers(len(here[True])))])
        elif here[False] and len(bare) < each[0]:
            bare.append(here[False][0])
    return bare, masked


def _kinds_of(states: Mapping[bool, Sequence[Picture]]) -> int:
    """0 for a photograph with masked pictures only, 1 for both, 2 for bare only."""
    return 0 if not states[False] else 1 if states[True] else 2
