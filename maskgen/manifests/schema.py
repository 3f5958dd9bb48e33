"""The manifests' fixed names (files, columns, splits), and the records passed between the stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CATALOGUE = "catalogue.parquet"
TRAIN, EVAL_SAME, EVAL_DIFF, TEST = "train.csv", "eval_same.csv", "eval_diff.csv", "test.csv"
PEOPLE, LEFT_OUT, REPORT = "people.csv", "left_out.csv", "report.json"
UNFINISHED = "unfinished.json"  # beside lists that are being written; holds the settings
TRAIN_PREVIEW, PAIRS_PREVIEW = "train_preview.png", "pairs_preview.png"

IMAGE_COLUMNS = ("path", "target")
PAIR_COLUMNS = ("path", "target", "pair_path", "pair_target")
PEOPLE_COLUMNS = ("target", "person", "run", "images", "split")
LEFT_OUT_COLUMNS = ("path", "person", "run", "reason")


class Split(StrEnum):
    """The split of a person, as in `people.csv`."""

    TRAIN = "train"
    EVAL = "eval"
    TEST = "test"
    BOTH = "eval+test"  # the reference protocol divides images, not people
    LEFT_OUT = "left_out"  # fewer images than --min-images


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """A person: the run and the person's folder in it.

    If two runs both have a person "0001", they are two people, because the run is part of the name.
    """

    run: str
    name: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of images: `first` and `second`, int64 (n,), are rows of an `Images`.

    Convention:
        - a row of a pair file is (first, second); as a pair of images both orders are one
    """

    first: Ints
    second: Ints

    def __post_init__(self) -> None:
        if self.first.shape != self.second.shape or self.first.ndim != 1:
            raise ValueError(f"expected two lists of one length, got {self.first.shape} and {self.second.shape}")
        if bool((self.first == self.second).any()):
            raise ValueError("an image is paired with itself")

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: NDArray[Any]) -> Pairs:
        """The pairs of these rows, or where a mask is True."""
        return Pairs(self.first[rows], self.second[rows])

    @staticmethod
    def empty() -> Pairs:
        """No pairs."""
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64))

    @staticmethod
    def joined(parts: Sequence[Pairs]) -> Pairs:
        """The concatenated pairs of the parts."""
        if not parts:
            return Pairs.empty()
        return Pairs(np.concatenate([p.first for p in parts]), np.concatenate([p.second for p in parts]))


@dataclass(frozen=True, slots=True)
class Mix:
    """The shares of masked-masked, masked-bare and bare-bare pairs, which sum to one.

    Example:
        >>> Mix.of({"mm": 3, "mb": 1})
        Mix(mm=0.75, mb=0.25, bb=0.0)
    """

    mm: float
    mb: float
    bb: float

    def __post_init__(self) -> None:
        if min(self.mm, self.mb, self.bb) < 0 or abs(self.mm + self.mb + self.bb - 1) > 1e-9:
            raise ValueError(f"shares must be positive and sum to one, got {self}")

    @staticmethod
    def of(weights: Mapping[str, float]) -> Mix:
        """Shares from weights by name; a missing name has weight 0.

        Raises:
            ValueError: an unknown name, a weight that is negative or not finite, or all of them zero.
        """
        unknown = sorted(set(weights) - {"mm", "mb", "bb"})
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not one of mm, mb and bb")
        if not all(np.isfinite(w) and w >= 0 for w in weights.values()) or not sum(weights.values()) > 0:
            raise ValueError("the weights must be numbers from 0 up, one of them above 0")
        total = sum(weights.values())
        return Mix(*(weights.get(name, 0.0) / total for name in ("mm", "mb", "bb")))

    def shares(self) -> dict[str, float]:
        """The shares by name: mm, mb, bb."""
        return {"mm": self.mm, "mb": self.mb, "bb": self.bb}
