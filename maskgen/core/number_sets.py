"""Sets of millions of whole numbers from 0.

They are counted in a table with a place for each number where it is small enough. Sorting takes several times as long.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.integer[Any]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def repeated(values: Numbers) -> Bools:
    """True for every value, from 0, that occurred before."""
    if not _are_dense(values):
        again = np.ones(len(values), np.bool_)
        again[np.unique(values, return_index=True)[1]] = False
        return again
    return np.asarray(_first_rows(values) != _rows(values))


def by_appearance(values: Numbers) -> Numbers:
    """The values, all from 0, renumbered from 0 in the order in which they first appear."""
    if not _are_dense(values):
        values = np.unique(values, return_inverse=True)[1]
    first = _first_rows(values)
    order = np.cumsum(first == _rows(values), dtype=first.dtype) - 1
    return np.asarray(order[first])


def numbered(values: Numbers) -> tuple[Ints, Ints]:
    """The distinct values, all from 0, in order, and for each value its place among them."""
    if not _are_dense(values):
        return np.unique(values, return_inverse=True)
    marks = _marks(values, values.max(initial=0))
    return np.flatnonzero(marks), (np.cumsum(marks) - 1)[values]


def distinct(values: Numbers) -> Ints:
    """The distinct values, all from 0, in order."""
    return np.flatnonzero(_marks(values, values.max(initial=0))) if _are_dense(values) else np.unique(values)


def distinct_pairs(firsts: Numbers, seconds: Numbers) -> Ints:
    """The distinct pairs (2, n) of values from 0, in order."""
    if not len(firsts):
        return np.empty((2, 0), np.int64)
    new = np.append(True, (firsts[1:] != firsts[:-1]) | (seconds[1:] != seconds[:-1]))  # most lists are in order
    firsts, seconds = firsts[new].astype(np.int64), seconds[new].astype(np.int64)
    base = int(seconds.max()) + 1
    if (int(firsts.max()) + 1) * base >= 2**63:
        return np.unique(np.stack([firsts, seconds]), axis=1)
    keys = np.sort(firsts * base + seconds)  # a small part of the time that pairs take
    keys = keys[np.append(True, keys[1:] != keys[:-1])]
    return np.stack(np.divmod(keys, base))


def varying(firsts: Numbers, seconds: Numbers) -> Bools:
    """True for each row whose first value, from 0, has another second value in another row."""
    if not _are_dense(firsts):
        firsts = np.unique(firsts, return_inverse=True)[1]
    last = np.zeros(firsts.max(initial=0) + 1, seconds.dtype)
    last[firsts] = seconds
    marks = _marks(firsts[last[firsts] != seconds], len(last) - 1)
    return np.asarray(marks[firsts])


def shared(some: Numbers, others: Numbers) -> Ints:
    """The distinct values, all from 0, that both arrays have, in order."""
    if not (_are_dense(some) and _are_dense(others)):
        return np.intersect1d(some, others)
    most = max(some.max(initial=0), others.max(initial=0))
    return np.flatnonzero(_marks(some, most) & _marks(others, most))


def _first_rows(values: Numbers) -> Numbers:
    """For each value the first row that has it."""
    rows = _rows(values)
    first = np.empty(values.max(initial=0) + 1, rows.dtype)
    first[values[::-1]] = rows[::-1]  # of rows with one value the first one is assigned last
    return first[values]


def _rows(values: Numbers) -> Numbers:
    """The numbers of the rows, in half the memory where they fit into it."""
    return np.arange(len(values), dtype=np.int32 if len(values) < 2**31 else np.int64)


def _are_dense(values: Numbers) -> bool:
    """Whether a table of all values up to the greatest is at most some times as large as the values."""
    return bool(values.max(initial=0) <= 16 * len(values) + 2**20)


def _marks(values: Numbers, most: int) -> Bools:
    marks = np.zeros(most + 1, np.bool_)
    marks[values] = True
    return marks
