"""From a table of images to manifests: splits of people, training images, evaluation pairs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from maskgen.core.number_sets import distinct, shared, varying
from maskgen.core.reasons import UserError, are, counted
from maskgen.core.seeding import rng_for

from .catalogue import Images
from .pairs import NO_ROWS, Drawn, PairRules, describe, draw_disjoint, draw_reference, without_second_photograph
from .schema import Ints, Pairs, Split
from .split import balance, split_images, split_people

NOBODY = np.empty(0, np.int64)
LEAK_EXAMPLES = 3  # of photographs in training and evaluation
_LEAST = (1, 2, 2)  # minimum of people for train, eval and test: impostor pairs need two


class Protocol(StrEnum):
    """How the evaluation set is divided into eval and test: by person, or by image as in the reference project."""

    DISJOINT = "disjoint"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class ManifestSettings:
    """The settings that, with the images, decide the manifests.

    `shares` divides the people of one set into train, eval and test. None means that `train_runs` are for training and
    the other runs for evaluation, with `test_share` (of people, or of images with the reference protocol) for test.
    """

    protocol: Protocol = Protocol.DISJOINT
    shares: tuple[float, float, float] | None = None
    train_runs: Collection[str] = ()
    test_share: float = 0.1
    rules: PairRules = field(default_factory=PairRules)
    balance: int | None = None
    min_images: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Manifests:
    """The manifests: training rows of `images`, pairs, and each person's target and split.

    `target` is int64 (people,): 0..n-1 for the training people in order of (run, name), then eval, test and people left
    out. `train` is ascending, and so in the order of the targets. `facts` are counts for the report.
    """

    images: Images
    target: Ints
    split: tuple[Split, ...]
    train: Ints
    eval: Drawn
    test: Drawn
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Parts:
    """People of each split, as codes."""

    train: Ints
    eval: Ints
    test: Ints


def make_manifests(images: Images, settings: ManifestSettings, listed: Drawn | None = None) -> Manifests:
    """The manifests of these images.

    Args:
        listed: test pairs from a file; their people are the test people, and no test pairs are drawn.

    Raises:
        UserError: there are too few images for the settings.
    """
    parts = _assign(images, settings, listed)
    train_people, too_few = _enough_images(images, parts.train, settings.min_images)
    train = _rows_of(images, train_people)
    kept = train if settings.balance is None else _balanced(images, train, settings)
    judged, trial, facts = _draw(images, parts, settings, listed)
    split = _splits(images, _Parts(train_people, parts.eval, parts.test), settings, listed)
    facts["train"] = _train_facts(images, kept, train, too_few)
    evaluated = np.concatenate([_rows_of(images, people) for people in (parts.eval, parts.test)])
    facts["leaks"] = _leaks(images, kept, evaluated)
    facts["photographs_of_two_people"] = {
        "train": _of_two_people(images, kept),
        "evaluation": _of_two_people(images, evaluated),
    }
    return Manifests(images, _targets(split), split, kept, judged, trial, facts)


def _rng(settings: ManifestSettings, *names: str) -> Callable[[str], np.random.Generator]:
    return lambda name: rng_for(settings.seed, "pairs", *names, name)


def _rows_of(images: Images, people: Ints) -> Ints:
    chosen = np.zeros(len(images.people), np.bool_)
    chosen[people] = True
    return np.flatnonzero(chosen[images.person])


def _assign(images: Images, settings: ManifestSettings, listed: Drawn | None) -> _Parts:
    """People of each split; with the reference protocol `eval` includes those of test."""
    there = images.counts() > 0
    named = NOBODY if listed is None else _people_in(images, listed)
    there[named] = False
    rng = _rng(settings)("people")
    if settings.shares is not None:
        return _by_shares(rng, np.flatnonzero(there), named, settings, listed is not None)
    trains = np.array([person.run in settings.train_runs for person in images.people], np.bool_)
    pool = np.flatnonzero(there & ~trains)
    if listed is not None or settings.protocol is Protocol.REFERENCE:
        return _Parts(np.flatnonzero(there & trains), pool, named)
    shares = (1 - settings.test_share, settings.test_share)
    eval_part, test = split_people(rng, len(pool), shares, _LEAST[1:])
    return _Parts(np.flatnonzero(there & trains), pool[eval_part], pool[test])


def _by_shares(rng: np.random.Generator, people: Ints, named: Ints, settings: ManifestSettings, listed: bool) -> _Parts:
    assert settings.shares is not None
    train_share, eval_share, test_share = settings.shares
    if listed:
        shares: tuple[float, ...] = (train_share, eval_share)
    elif settings.protocol is Protocol.REFERENCE:
        shares = (train_share, eval_share + test_share)
    else:
        shares = settings.shares
    needed = sum(least for share, least in zip(shares, _LEAST, strict=False) if share > 0)
    if len(people) < needed:
        names = "train and eval" if len(shares) == 2 else "train, eval and test"
        asked, there = counted(needed, "person"), f"there {are(len(people))} {len(people):,}"
        raise UserError(f"{names} need {asked}, and {there}: mask photographs of more people.")
    parts = [people[part] for part in split_people(rng, len(people), shares, _LEAST)]
    for name, part, share in zip(("train", "eval", "test"), parts, shares, strict=False):
        if share > 0 and not len(part):
            among = counted(len(people), "person")
            raise UserError(f"--people gives {name} {share:g} of {among}, which is none: give more.")
    return _Parts(parts[0], parts[1], parts[2] if len(parts) == 3 else named)


def _people_in(images: Images, drawn: Drawn) -> Ints:
    pairs = Pairs.joined([drawn.same, drawn.diff])
    return distinct(images.person[np.concatenate([pairs.first, pairs.second])])


def _enough_images(images: Images, people: Ints, least: int) -> tuple[Ints, Ints]:
    """The people with at least `least` images, and the others."""
    enough = images.counts()[people] >= least
    if len(people) and not enough.any():
        raise UserError(f"No person in training has {counted(least, 'image')}: lower --min-images.")
    return people[enough], people[~enough]


def _balanced(images: Images, train: Ints, settings: ManifestSettings) -> Ints:
    assert settings.balance is not None
    return train[balance(_rng(settings)("balance"), images.codes(train), settings.balance)]


def _draw(
    images: Images, parts: _Parts, settings: ManifestSettings, listed: Drawn | None
) -> tuple[Drawn, Drawn, dict[str, Any]]:
    if settings.protocol is Protocol.REFERENCE:
        return _draw_reference(images, parts.eval, settings)
    judged, eval_facts = _draw_part(images, parts.eval, settings, "eval")
    if listed is not None:
        trial, test_facts = listed, _pair_facts(images, _rows_of(images, parts.test), listed)
    else:
        trial, test_facts = _draw_part(images, parts.test, settings, "test")
    return judged, trial, {"eval": eval_facts, "test": test_facts}


def _draw_part(images: Images, people: Ints, settings: ManifestSettings, name: str) -> tuple[Drawn, dict[str, Any]]:
    rows = _rows_of(images, people)
    if not len(people):
        drawn = Drawn(Pairs.empty(), Pairs.empty(), {})
        return drawn, _pair_facts(images, rows, drawn)
    if len(people) < 2:
        raise UserError(f"There is one person for {name}, and pairs need two: give {name} more people.")
    drawn = draw_disjoint(_rng(settings, name), images, rows, settings.rules)
    _refuse_none(images, drawn, settings.rules, name)
    return drawn, _pair_facts(images, rows, drawn)


def _refuse_none(images: Images, drawn: Drawn, rules: PairRules, name: str) -> None:
    """Raise UserError where no pair of a requested type exists."""
    for sort, able in drawn.able.items():
        if able:
            continue
        if sort == "any":
            what = "same-person pair"
        else:
            what = {"mm": "masked-masked", "mb": "masked-bare", "bb": "bare-bare"}[sort] + " same-person pair"
        if sort in ("mb", "bb") and not images.bare.any():
            hint = "mask with --bare, or leave that type out of --mix"
        elif rules.allow_same_source:
            hint = "no person has two such images; give a larger set"
        else:
            hint = "no person has two photographs for it; give a larger set, or --allow-same-source"
        raise UserError(f"No {what} can be made for {name}: {hint}.")


def _draw_reference(images: Images, people: Ints, settings: ManifestSettings) -> tuple[Drawn, Drawn, dict[str, Any]]:
    rows = _rows_of(images, people)
    if not len(people):
        none = Drawn(Pairs.empty(), Pairs.empty(), {})
        return none, none, {"eval": _pair_facts(images, rows, none), "test": _pair_facts(images, rows, none)}
    if len(people) < 2:
        raise UserError("There is one person for eval and test, and pairs need two: give a larger set.")
    allow = settings.rules.allow_same_source
    own = images.codes(rows)
    divided = split_images(_rng(settings)("images"), own, settings.test_share, allow)
    in_eval, in_test = (rows[part] for part in divided)
    judged = draw_reference(_rng(settings, "eval"), images, in_eval, in_test, allow, halves=False)
    trial = draw_reference(_rng(settings, "test"), images, in_test, in_eval, allow, halves=True)
    facts = {
        "eval": _pair_facts(images, in_eval, judged, in_test),
        "test": _pair_facts(images, in_test, trial, in_eval),
    }
    return judged, trial, facts


def _pair_facts(images: Images, rows: Ints, drawn: Drawn, rest: Ints = NO_ROWS) -> dict[str, Any]:
    """Counts of a part for the report; `rest` are images of the other part that may be partners."""
    people, held = without_second_photograph(images, rows, rest)
    return {
        "people": len(distinct(images.person[rows])),
        "images": len(rows),
        "people_with_one_photograph": people,
        "images_of_people_with_one_photograph": held,
        "same": describe(images, drawn.same),
        "diff": describe(images, drawn.diff),
        "same_pairs_that_could_be_had": drawn.able,
        "partners_from_the_other_part": drawn.borrowed,
    }


def _train_facts(images: Images, kept: Ints, train: Ints, too_few: Ints) -> dict[str, Any]:
    kinds = np.bincount(images.kind[kept], minlength=len(images.kinds))
    return {
        "people": len(distinct(images.person[kept])),
        "images": len(kept),
        "photographs": len(distinct(images.source[kept])),
        "kinds": {name: int(n) for name, n in zip(images.kinds, kinds, strict=True) if n},
        "images_over_balance": len(train) - len(kept),
        "people_under_min_images": len(too_few),
        "images_of_people_under_min_images": int(images.counts()[too_few].sum()),
    }


def _leaks(images: Images, train: Ints, judged: Ints) -> dict[str, Any]:
    """Leaks: photographs with the same bytes, and people with the same name, in training and evaluation."""
    both = shared(images.source[train], images.source[judged])
    names = [{images.people[p].name for p in distinct(images.person[rows]).tolist()} for rows in (train, judged)]
    return {
        "photographs_in_training_and_evaluation": len(both),
        "such_photographs": [_same_photograph(images, train, judged, code) for code in both[:LEAK_EXAMPLES].tolist()],
        "people_named_alike_in_training_and_evaluation": len(names[0] & names[1]),
    }


def _of_two_people(images: Images, rows: Ints) -> dict[str, Any]:
    """Photographs that have, byte for byte, two people among these images: one of the labels is wrong, or two runs of
    one source name each person twice."""
    source, person = images.source[rows], images.person[rows]
    codes = distinct(source[varying(source, person)])
    such = []
    for code in codes[:LEAK_EXAMPLES].tolist():
        own = rows[source == code]
        others = own[images.person[own] != images.person[own[0]]]
        such.append(_same_photograph(images, own, others, code))
    return {"photographs": len(codes), "such_photographs": such}


def _same_photograph(images: Images, train: Ints, judged: Ints, code: int) -> str:
    """The names in their sources of two photographs with the same bytes, with the runs if there are several."""
    several = len({person.run for person in images.people}) > 1

    def name(rows: Ints) -> str:
        row = int(rows[np.argmax(images.source[rows] == code)])
        key = images.keys[row].as_py()
        return f"{images.people[images.person[row]].run}: {key}" if several else str(key)

    return f"{name(train)} and {name(judged)}"


def _splits(images: Images, parts: _Parts, settings: ManifestSettings, listed: Drawn | None) -> tuple[Split, ...]:
    split = np.full(len(images.people), Split.LEFT_OUT, dtype=object)
    split[parts.train] = Split.TRAIN
    split[parts.eval] = Split.BOTH if settings.protocol is Protocol.REFERENCE and listed is None else Split.EVAL
    split[parts.test] = Split.TEST
    return tuple(split)


def _targets(split: tuple[Split, ...]) -> Ints:
    """Targets from 0 in the order of the splits and, in each, of the people."""
    ranks = {name: rank for rank, name in enumerate((Split.TRAIN, Split.EVAL, Split.BOTH, Split.TEST, Split.LEFT_OUT))}
    order = np.argsort([ranks[name] for name in split], kind="stable")
    target = np.empty(len(split), np.int64)
    target[order] = np.arange(len(split))
    return target
