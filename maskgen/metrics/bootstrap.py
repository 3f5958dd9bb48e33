"""Bootstrap confidence intervals of rates, resampled over people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.core.reasons import counted
from maskgen.core.seeding import rng_for

from .checks import check_count, check_rate

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Measure = Callable[[Doubles, Doubles], Mapping[str, float]]

REPLICATES = 1000
LEVEL = 0.95
FEWEST_PEOPLE = 10  # with fewer people, resamples are too similar


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval from `low` to `high` at `level`; NaN if no resample could be measured."""

    low: float
    high: float
    level: float = LEVEL


@dataclass(frozen=True, slots=True)
class PairPeople:
    """People of the pairs: `same` int64 (n,), one per genuine pair, and `different` int64 (m, 2), any numbers.

    Lists are converted.

    Raises:
        ValueError: other shapes.
    """

    same: Ints
    different: Ints

    def __post_init__(self) -> None:
        for name in ("same", "different"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
        if self.same.ndim != 1 or self.different.ndim != 2 or self.different.shape[1] != 2:
            raise ValueError(f"expected people of (n,) and (m, 2), got {self.same.shape} and {self.different.shape}")

    @property
    def too_few(self) -> str:
        """A sentence if there are too few people for intervals, else nothing."""
        n = len(np.unique(np.concatenate([self.same, self.different.ravel()])))
        few = counted(n, "person is", "people are")
        return "" if n >= FEWEST_PEOPLE else f"Only {few} in these pairs: intervals over people are unreliable."


def intervals(
    measure: Measure, people: PairPeople, replicates: int = REPLICATES, seed: int = 0, level: float = LEVEL
) -> dict[str, Interval]:
    """Percentile intervals of every rate that `measure` gives.

    Pairs of one person are dependent, so people are resampled, not pairs: each replicate draws as many people as there
    are, with replacement. A genuine pair has the count of its person as weight, an impostor pair the product of both
    counts. For impostor pairs this is conservative.

    Args:
        measure: takes the weights of genuine pairs, float64 (n,), and of impostor pairs, (m,).
        replicates: number of resamples.
        seed: the same seed, the same intervals.

    Raises:
        ValueError: no replicates, or a level that is not above 0 and below 1.

    Source: Bolle, Ratha and Pankanti, Error analysis of pattern recognition systems: the subsets bootstrap, 2004;
        products of weights: Owen, The pigeonhole bootstrap, 2007.
    """
    check_count("replicates", replicates)
    check_rate("level", level)
    known, codes = np.unique(np.concatenate([people.same, people.different.ravel()]), return_inverse=True)
    same, different = codes[: len(people.same)], codes[len(people.same) :].reshape(-1, 2)
    rng = rng_for(seed, "bootstrap")
    draws: dict[str, list[float]] = {}
    for _ in range(replicates):
        times = draw_people(len(known), rng)
        weights = times[same], times[different].prod(axis=1)
        if weights[0].any() and weights[1].any():
            for name, value in measure(*weights).items():
                draws.setdefault(name, []).append(value)
    return {name: percentiles(np.array(values), level) for name, values in draws.items()}


def draw_people(n: int, rng: np.random.Generator) -> Doubles:
    """The count of each of n people in n draws with replacement, float64 (n,)."""
    return np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)


def percentiles(values: Doubles, level: float = LEVEL) -> Interval:
    """The percentile interval of the finite values."""
    numbers = values[~np.isnan(values)]
    if not len(numbers):
        return Interval(float("nan"), float("nan"), level)
    low, high = np.quantile(numbers, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)
