"""Receiver operating characteristics: true and false accept rates at every threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskgen.core.reasons import are, counted, why_no_number

from .checks import check_distances, check_rate

Doubles = NDArray[np.float64]

_SLACK = 1e-12  # tolerance for rounding of sums


@dataclass(frozen=True, slots=True)
class TarAtFar:
    """The true accept rate at a false accept rate of at most `far`.

    If there are too few pairs, `tar` and `threshold` are NaN and `reason` is a sentence.
    """

    far: float
    tar: float
    threshold: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Roc:
    """The ROC curve; a pair is accepted if its distance is at most the threshold.

    Convention:
        - all float64 (k,), ascending; `thresholds` starts with -inf, where nothing is accepted, and contains every
          distance
        - `far` is the share of impostor pairs accepted, `tar` that of genuine pairs
    """

    thresholds: Doubles
    far: Doubles
    tar: Doubles

    @property
    def auc(self) -> float:
        """Area under the curve: the probability that a genuine pair has the smaller distance, ties counting half."""
        return float(np.trapezoid(self.tar, self.far))

    @property
    def eer(self) -> float:
        """The equal error rate, interpolated linearly between two points."""
        ahead = self.far - (1 - self.tar)  # -1 at the first point, 1 at the last
        at = int(np.argmax(ahead >= 0))
        share = -ahead[at - 1] / (ahead[at] - ahead[at - 1])
        return float(self.far[at - 1] + share * (self.far[at] - self.far[at - 1]))

    def at(self, far: float) -> tuple[float, float]:
        """The largest `tar` with at most this `far`, and its threshold, without interpolation.

        Raises:
            ValueError: `far` is outside 0..1.
        """
        if fault := why_no_number(far, 0.0, 1.0):
            raise ValueError(f"far {far!r} {fault}")
        place = int(np.searchsorted(self.far, far + _SLACK, side="right")) - 1
        return float(self.tar[place]), float(self.thresholds[place])


class Trials:
    """Distances of genuine and impostor pairs, sorted once, so that curves for many weights are fast.

    Args:
        same: (n,), n > 0, finite.
        different: (m,), m > 0, finite.

    Raises:
        ValueError: there are no genuine or no impostor pairs, or a distance is not finite.
    """

    def __init__(self, same: ArrayLike, different: ArrayLike) -> None:
        self.same, self.different = (np.asarray(values, np.float64).ravel() for values in (same, different))
        every = np.concatenate([self.same, self.different])
        if not len(self.same) or not len(self.different):
            raise ValueError("a ROC needs genuine and impostor pairs")
        check_distances(every)
        self._order = np.argsort(every, kind="stable")
        every = every[self._order]
        self._ends = np.flatnonzero(np.append(np.diff(every) > 0, True))  # the last of each run of ties
        self._thresholds = np.concatenate([[-np.inf], every[self._ends]])

    def roc(self, same_weights: Doubles | None = None, different_weights: Doubles | None = None) -> Roc:
        """The weighted curve; the default weight of a pair is 1.

        Raises:
            ValueError: another number of weights than of pairs, or their sum is not above 0.
        """
        weights = [
            np.ones(len(values)) if given is None else np.asarray(given, np.float64)
            for values, given in ((self.same, same_weights), (self.different, different_weights))
        ]
        if (len(weights[0]), len(weights[1])) != (len(self.same), len(self.different)):
            wrong = f"{len(weights[0])} and {len(weights[1])} weights"
            raise ValueError(f"{len(self.same)} genuine and {len(self.different)} impostor pairs, and {wrong}")
        accepted = [weights[0], np.zeros(len(self.different))], [np.zeros(len(self.same)), weights[1]]
        tar, far = (self._shares(np.concatenate(part)) for part in accepted)
        return Roc(self._thresholds, far, tar)

    def _shares(self, weights: Doubles) -> Doubles:
        sums = np.cumsum(weights[self._order])[self._ends]
        if not sums[-1] > 0:
            raise ValueError(f"the weights of one type of pairs add up to {sums[-1]:g}: give some above 0")
        return np.concatenate([[0.0], sums / sums[-1]])


def tar_at_far(roc: Roc, far: float, n_different: int) -> TarAtFar:
    """TAR at one FAR, above 0 and below 1, if there are at least 1 / FAR impostor pairs."""
    check_rate("far", far)
    if n_different * far < 1 - _SLACK:
        nan = float("nan")
        needs = f"A false accept rate of {far:g} needs {counted(round(1 / far), 'different-person pair')}"
        return TarAtFar(far, nan, nan, f"{needs}, and there {are(n_different)} {n_different:,}.")
    return TarAtFar(far, *roc.at(far))
