"""What is given to a measurement, checked before it: other numbers would give a rate, and a wrong one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskgen.core.reasons import is_number


def check_rate(name: str, rate: float) -> None:
    """Raise ValueError unless a rate is a number above 0 and below 1."""
    if not is_number(rate) or not 0 < rate < 1:
        raise ValueError(f"{name} is {rate!r}: give a rate above 0 and below 1")


def check_count(name: str, count: int) -> None:
    """Raise ValueError unless it is a whole number of at least 1."""
    if not is_number(count, whole=True) or count < 1:
        raise ValueError(f"{name} is {count!r}: give a whole number of at least 1")


def check_distances(*distances: NDArray[np.floating]) -> None:
    """Raise ValueError for a NaN or an infinity."""
    if not all(np.isfinite(values).all() for values in distances):
        raise ValueError("a distance is not finite")


def check_threshold(threshold: float) -> None:
    """Raise ValueError unless it is a number: no distance is at most a NaN, so every pair would be of two people."""
    if not is_number(threshold) or math.isnan(threshold):
        raise ValueError(f"threshold is {threshold!r}: give a number")


def check_finite(embeddings: NDArray[np.floating]) -> None:
    """Raise ValueError for a NaN or an infinity: every comparison with a NaN is false, so it would count as a match."""
    if embeddings.dtype.kind not in "fiub":
        raise ValueError(f"embeddings are of type {embeddings.dtype}: give real numbers")
    wrong = int(np.count_nonzero(~np.isfinite(embeddings).all(axis=tuple(range(1, embeddings.ndim)))))
    if wrong:
        raise ValueError(f"{wrong:,} of {len(embeddings):,} embeddings are not finite")


def whole_each(name: str, values: ArrayLike, count: int) -> NDArray[np.int64]:
    """Whole numbers, one for each of `count` embeddings.

    Raises:
        ValueError: another number or shape of them, or other values: people of 0.2 and 0.7 would be one person.
    """
    found = _one_each(name, values, count)
    if found.dtype.kind not in "iu":
        whole = found.dtype.kind == "f" and bool((np.isfinite(found) & (found == np.rint(found))).all())
        if not whole and len(found):
            raise ValueError(f"{name} are {found.dtype}, not whole numbers: give the number of each")
    return found.astype(np.int64, copy=False)


def flag_each(name: str, values: ArrayLike, count: int) -> NDArray[np.bool_]:
    """True or False, one for each of `count` embeddings.

    Raises:
        ValueError: another number or shape of them, or other values: any text, "0" too, would be True.
    """
    found = _one_each(name, values, count)
    if found.dtype.kind not in "biuf" and len(found) or not np.isin(found, (0, 1)).all():
        raise ValueError(f"{name} must be True or False, or 1 and 0, for each")
    return found.astype(np.bool_, copy=False)


def _one_each(name: str, values: ArrayLike, count: int) -> NDArray[Any]:
    found = np.asarray(values)
    if found.shape != (count,):
        raise ValueError(f"{count:,} embeddings, and {name} of shape {found.shape}: give one for each")
    return found
