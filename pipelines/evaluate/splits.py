"""Subsets of pairs that are evaluated: all, by masked or bare faces, and by mask kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maskgen.manifests.schema import Bools, Ints

ALL = "all"
SORTS = {2: "masked-masked", 1: "masked-bare", 0: "bare-bare"}
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Split:
    """A named subset of the pairs: `rows` is bool (n,)."""

    name: str
    rows: Bools


def splits(kinds: Sequence[str], pairs: Ints) -> Iterator[Split]:
    """The subsets that are not empty.

    A pair belongs to a mask kind if either face wears it, so a pair of two kinds is in both subsets.

    Args:
        kinds: the mask of each picture: "bare", a kind's name, "" where unknown.
        pairs: int64 (n, 2) rows of `kinds`.
    """
    import numpy as np

    yield Split(ALL, np.ones(len(pairs), np.bool_))
    names = sorted(set(kinds) - {"bare", ""})
    codes = np.array([_code(kind, names) for kind in kinds], np.int64).reshape(-1)[pairs]
    known = (codes >= 0).all(axis=1)
    masked = (codes > 0).sum(axis=1)
    yield from _held((name, known & (masked == count)) for count, name in SORTS.items())
    yield from _held([(UNKNOWN, ~known)])
    yield from _held((f"kind {name}", (codes == number).any(axis=1)) for number, name in enumerate(names, 1))


def _code(kind: str, names: Sequence[str]) -> int:
    """-1 for unknown, 0 for bare, from 1 the masks."""
    return -1 if not kind else 0 if kind == "bare" else names.index(kind) + 1


def _held(named: Any) -> Iterator[Split]:
    rows: NDArray[Any]
    for name, rows in named:
        if rows.any():
            yield Split(name, rows)
