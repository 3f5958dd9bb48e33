"""Leaks: images and people that two splits share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from maskgen.core.number_sets import distinct_pairs, repeated, shared

from ..schema import Ints
from .coded import CodedList, CodedLists
from .findings import EXAMPLES, Finding
from .pairs_output import PairsOutput


def check_leaks(lists: CodedLists, beside: PairsOutput) -> Iterator[Finding]:
    """The leaks of each two splits, by image and by person, and those by content, which report.json counts."""
    splits: dict[str, list[CodedList]] = {}
    for one in lists.lists:
        splits.setdefault(one.split, []).append(one)
    check = "photographs, byte for byte, in training and in evaluation"
    yield Finding("train, eval and test", check, beside.leaked, beside.such)
    for (name, ones), (other_name, others) in combinations(splits.items(), 2):
        where = f"{name}, {other_name}"
        by_image = beside.reference and {name, other_name} == {"eval", "test"}
        if by_image:  # a partner may come from the other part; an image of its own part may not be in both
            yield _leak(lists, where, "images, as the first of a pair, in both", _first(ones), _first(others))
        yield _leak(lists, where, "images in both", _all(ones), _all(others), not by_image)
        yield from _people_leaks(lists, where, ones, others, beside, by_image)


def _first(ones: Sequence[CodedList]) -> Ints:
    return np.concatenate([one.codes[:, 0] for one in ones])


def _all(ones: Sequence[CodedList]) -> Ints:
    return np.concatenate([one.codes.ravel() for one in ones])


def _leak(lists: CodedLists, where: str, check: str, some: Ints, others: Ints, is_fault: bool = True) -> Finding:
    both = shared(some, others)
    return Finding(where, check, len(both), tuple(lists.path(c) for c in both[:EXAMPLES]), is_fault)


def _people_leaks(
    lists: CodedLists,
    where: str,
    ones: Sequence[CodedList],
    others: Sequence[CodedList],
    beside: PairsOutput,
    by_image: bool,
) -> Iterator[Finding]:
    """People in both: by target with a people.csv, else by folder if folders are people."""
    if beside.people is not None:
        sides = [np.concatenate([one.targets.ravel() for one in group]) for group in (ones, others)]
        both = shared(sides[0], sides[1])
        names = tuple(beside.people[t][0] for t in both[:EXAMPLES].tolist() if t in beside.people)
        yield Finding(where, "people in both", len(both), names, not by_image)
        return
    if not all(_folder_is_person(lists, one) for one in (*ones, *others)):
        yield Finding(where, "people in both cannot be checked: folders are not people", 0, fault=False)
        return
    both = shared(lists.folder[_all(ones)], lists.folder[_all(others)])
    place = lists.path_of_folder()
    names = tuple(lists.path(place[f]).rpartition("/")[0] for f in both[:EXAMPLES].tolist())
    yield Finding(where, "folders, counted as people, in both", len(both), names, "train" in where)


def _folder_is_person(lists: CodedLists, one: CodedList) -> bool:
    """Whether each folder of a file holds one target and each target lies in one folder."""
    folders, targets = lists.folder[one.codes.ravel()], one.targets.ravel()
    both = distinct_pairs(folders, targets)
    return not (repeated(both[0]).any() or repeated(both[1]).any())
