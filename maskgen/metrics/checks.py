"""What is given to a measurement, checked before it: other numbers would give a rate, and a wrong one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_rate(name: str, rate: float) -> None:
    """Raise ValueError unless a rate is above 0 and below 1."""
    if not 0 < rate < 1:
        raise ValueError(f"{name} is {rate}: give a rate above 0 and below 1")


def check_finite(embeddings: NDArray[np.floating]) -> None:
    """Raise ValueError for a NaN or an infinity: every comparison with a NaN is false, so it would count as a match."""
    wrong = int(np.count_nonzero(~np.isfinite(embeddings).all(axis=tuple(range(1, embeddings.ndim)))))
    if wrong:
        raise ValueError(f"{wrong:,} of {len(embeddings):,} embeddings are not finite")


def one_each(name: str, values: ArrayLike, count: int, dtype: type[np.generic]) -> NDArray[Any]:
    """The values, one for each of `count` embeddings, as an array of this type.

    Raises:
        ValueError: another number or shape of them.
    """
    found = np.asarray(values)
    if found.shape != (count,):
        raise ValueError(f"{count:,} embeddings, and {name} of shape {found.shape}: give one for each")
    return found.astype(dtype, copy=False)
