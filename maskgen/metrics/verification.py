"""Verification: all measurements on the distances of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskgen.core.reasons import are

from .bootstrap import REPLICATES, Interval, PairPeople, intervals
from .checks import check_distances, check_threshold
from .folds import FOLDS, Folds, fold_accuracy
from .roc import Roc, TarAtFar, Trials, tar_at_far

Doubles = NDArray[np.float64]

FAR_RATES = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True, slots=True)
class ClassReport:
    """Precision, recall and F1 of one class, and its number of pairs; 0.0 if no pair was assigned to it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """The confusion matrix.

    Convention:
        - rows are the truth, genuine and impostor; columns the decision, same and different
    """

    same_same: int
    same_different: int
    different_same: int
    different_different: int

    @property
    def total(self) -> int:
        """All pairs."""
        return self.same_same + self.same_different + self.different_same + self.different_different

    @property
    def accuracy(self) -> float:
        """Share of correct decisions."""
        return (self.same_same + self.different_different) / self.total if self.total else float("nan")

    def report(self) -> dict[str, ClassReport]:
        """Scores by class, and their mean ("macro avg") and mean by support ("weighted avg")."""
        one = _class_report(self.same_same, self.different_same, self.same_different)
        other = _class_report(self.different_different, self.same_different, self.different_same)
        plain, weights = (1.0, 1.0), (float(one.support), float(other.support))
        return {
            "same": one,
            "different": other,
            "macro avg": _mean(one, other, plain),
            "weighted avg": _mean(one, other, weights),
        }


def _class_report(right: int, wrongly: int, missed: int) -> ClassReport:
    precision = right / (right + wrongly) if right + wrongly else 0.0
    recall = right / (right + missed) if right + missed else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return ClassReport(precision, recall, f1, right + missed)


def _mean(one: ClassReport, other: ClassReport, weights: tuple[float, float]) -> ClassReport:
    total = sum(weights) or 1.0
    precision, recall, f1 = (
        (getattr(one, name) * weights[0] + getattr(other, name) * weights[1]) / total
        for name in ("precision", "recall", "f1")
    )
    return ClassReport(precision, recall, f1, one.support + other.support)


def confusion(same: ArrayLike, different: ArrayLike, threshold: float) -> Confusion:
    """Count decisions; a distance of at most the threshold means the same person.

    Raises:
        ValueError: a distance is not finite, or the threshold no number.
    """
    check_threshold(threshold)
    near, far = (np.asarray(values, np.float64).ravel() for values in (same, different))
    check_distances(near, far)
    one, other = near <= threshold, far <= threshold
    return Confusion(int(one.sum()), int((~one).sum()), int(other.sum()), int((~other).sum()))


@dataclass(frozen=True, slots=True)
class Verification:
    """The measurements on one set of pairs.

    `intervals` are by the names of `rates`: accuracy, auc, eer, tar@0.01, ...; with too few pairs `folds` is None and
    `no_folds` says why; `few_people` is a sentence if there are too few people for intervals.
    """

    threshold: float
    confusion: Confusion
    roc: Roc
    tar_at: tuple[TarAtFar, ...]
    intervals: Mapping[str, Interval]
    folds: Folds | None
    no_folds: str = ""
    few_people: str = ""

    @property
    def rates(self) -> dict[str, float]:
        """Each rate by its name; NaN if there are too few pairs."""
        found = {"accuracy": self.confusion.accuracy, "auc": self.roc.auc, "eer": self.roc.eer}
        return found | {_at(one.far): one.tar for one in self.tar_at}


def verify(
    same: ArrayLike,
    different: ArrayLike,
    threshold: float,
    people: PairPeople,
    replicates: int = REPLICATES,
    seed: int = 0,
    curve: Sequence[float] = (),
) -> Verification:
    """All measurements on distances of genuine pairs (n,) and impostor pairs (m,).

    Args:
        threshold: chosen on other pairs; a distance of at most the threshold means the same person.
        people: of the pairs, in the same order, for the intervals.
        curve: false accept rates at which TAR has an interval too, by the names of `on_curve`.

    Raises:
        ValueError: there are no genuine or no impostor pairs, a distance is not finite, the threshold is no number,
            `people` are of another number of pairs, or a rate of `curve` is outside 0..1.
    """
    check_threshold(threshold)
    trials = Trials(same, different)
    roc = trials.roc()
    tar_at = tuple(tar_at_far(roc, far, len(trials.different)) for far in FAR_RATES)
    rates = [one.far for one in tar_at if not one.reason]

    def measure(same_weights: Doubles, different_weights: Doubles) -> dict[str, float]:
        drawn = trials.roc(same_weights, different_weights)
        accuracy = _accuracy(trials, threshold, same_weights, different_weights)
        found = {"accuracy": accuracy, "auc": drawn.auc, "eer": drawn.eer}
        found |= {_at(far): drawn.at(far)[0] for far in rates}
        return found | {on_curve(far): drawn.at(far)[0] for far in curve}

    counts = confusion(trials.same, trials.different, threshold)
    spread = intervals(measure, people, replicates, seed)
    return Verification(threshold, counts, roc, tar_at, spread, *_folds(trials, seed), people.too_few)


def on_curve(far: float) -> str:
    """The name of the interval of TAR at this false accept rate, for the band of a curve."""
    return f"curve@{far:g}"


def _at(far: float) -> str:
    return f"tar@{far:g}"


def _accuracy(trials: Trials, threshold: float, same_weights: Doubles, different_weights: Doubles) -> float:
    right = same_weights @ (trials.same <= threshold) + different_weights @ (trials.different > threshold)
    return float(right / (same_weights.sum() + different_weights.sum()))


def _folds(trials: Trials, seed: int) -> tuple[Folds | None, str]:
    fewest = min(len(trials.same), len(trials.different))
    if fewest < FOLDS:
        return None, f"Ten folds need ten genuine and ten impostor pairs, and there {are(fewest)} {fewest} of one type."
    return fold_accuracy(trials.same, trials.different, seed=seed), ""
