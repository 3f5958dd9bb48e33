"""Random numbers of one design: all are drawn at once, and mapped to their distributions by tables of quantiles.

A call of a NumPy generator takes as long for one number as for a hundred, and a design needs some two hundred of forty
different sorts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

import numpy as np

from maskgen.core.records import Doubles
from maskgen.core.seeding import words_for

SINGLE, BLOCK = 96, 128  # most single numbers and most numbers in arrays, see `Chances`
FARTHEST = 2.2  # standard deviations beyond which normal numbers are clipped
UNIT = 2.0**-32  # of a word of 32 bits as a share
QUANTILES = 1 << 12  # in the table of normal ones


class Chances:
    """The random numbers of one key, each returned once, in the order of the calls; no more than SINGLE single ones,
    and BLOCK in arrays.

    Attributes:
        uniform: returns a number from 0..1, both excluded.
    """

    def __init__(self, seed: int, name: str) -> None:
        numbers = np.asarray(words_for(SINGLE + BLOCK, seed, name) * UNIT + UNIT / 2, np.float64)
        self.uniform: Callable[[], float] = iter(numbers[:SINGLE].tolist()).__next__
        self._block = numbers[SINGLE:]
        self._quantile = _normal_quantiles().__getitem__

    def uniforms(self, count: int) -> Doubles:
        """An array (count,) from 0..1, both excluded."""
        found, self._block = self._block[:count], self._block[count:]
        if len(found) < count:
            raise IndexError(f"more than {BLOCK} numbers in arrays")
        return found

    def exponential(self) -> float:
        """Of mean 1."""
        return -math.log(self.uniform())

    def normal(self) -> float:
        """Of mean 0 and standard deviation 1, clipped at FARTHEST."""
        return self._quantile(int(self.uniform() * QUANTILES))


@cache
def _normal_quantiles() -> tuple[float, ...]:
    """The middle quantiles of QUANTILES equal shares of a normal distribution."""
    normal = NormalDist()
    quantiles = (normal.inv_cdf((at + 0.5) / QUANTILES) for at in range(QUANTILES))
    return tuple(min(max(each, -FARTHEST), FARTHEST) for each in quantiles)
