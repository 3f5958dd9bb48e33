"""Accuracy by LFW's protocol: ten-fold cross-validation of the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskgen.core.seeding import rng_for

from .checks import check_distances

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDS = 10


@dataclass(frozen=True, slots=True)
class Folds:
    """`accuracies` and `thresholds` of each fold, float64 (folds,); a threshold is chosen on the other folds."""

    accuracies: Doubles
    thresholds: Doubles

    @property
    def mean(self) -> float:
        """Mean accuracy."""
        return float(self.accuracies.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation of the folds' accuracies, with n - 1 in the denominator."""
        return float(self.accuracies.std(ddof=1))

    @property
    def error(self) -> float:
        """Standard error of the mean, as LFW's tables give it."""
        return self.deviation / len(self.accuracies) ** 0.5


def fold_accuracy(same: ArrayLike, different: ArrayLike, folds: int = FOLDS, seed: int = 0) -> Folds:
    """Accuracy over folds, stratified by genuine and impostor pairs, drawn by the seed.

    Raises:
        ValueError: there are fewer genuine or impostor pairs than folds, fewer than two folds, or a distance is not
            finite.

    Source: Huang and others, Labeled Faces in the Wild, 2007; there the list defines the folds.
    """
    if folds < 2:
        raise ValueError(f"{folds} folds are too few: a threshold is chosen on the others")
    distances, is_same, fold = [], [], []
    for name, values in (("same", same), ("different", different)):
        numbers = np.asarray(values, np.float64).ravel()
        if len(numbers) < folds:
            raise ValueError(f"{len(numbers)} {name} pairs are too few for {folds} folds")
        check_distances(numbers)
        distances.append(numbers)
        is_same.append(np.full(len(numbers), name == "same"))
        fold.append(rng_for(seed, "folds", name).permutation(len(numbers)) % folds)
    return _judged(np.concatenate(distances), np.concatenate(is_same), np.concatenate(fold), folds)


def _judged(distances: Doubles, is_same: NDArray[np.bool_], fold: Ints, folds: int) -> Folds:
    accuracies, thresholds = [], []
    for number in range(folds):
        rest, own = fold != number, fold == number
        thresholds.append(best_threshold(distances[rest & is_same], distances[rest & ~is_same]))
        accuracies.append(float(np.mean((distances[own] <= thresholds[-1]) == is_same[own])))
    return Folds(np.array(accuracies), np.array(thresholds))


def best_threshold(same: ArrayLike, different: ArrayLike) -> float:
    """The threshold with the highest accuracy; a distance of at most the threshold matches.

    It is halfway between two distances; of several equally good thresholds it is the middle one.

    Raises:
        ValueError: there is no distance, or one is not finite.
    """
    one, other = (np.sort(np.asarray(values, np.float64).ravel()) for values in (same, different))
    check_distances(one, other)
    every = np.unique(np.concatenate([one, other]))
    if not len(every):
        raise ValueError("a threshold needs genuine or impostor pairs")
    halves = np.concatenate([[every[0] - 1.0], (every[:-1] + every[1:]) / 2, [every[-1]]])
    right = np.searchsorted(one, halves, "right") + len(other) - np.searchsorted(other, halves, "right")
    best = np.flatnonzero(right == right.max())
    return float(halves[best[len(best) // 2]])
