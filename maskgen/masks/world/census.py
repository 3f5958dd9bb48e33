"""Counts of the masks that people wear: `world.toml` as frequency tables."""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

Lab = tuple[float, float, float]  # CIELAB: lightness 0..100, a, b


@dataclass(frozen=True, slots=True)
class FrequencyTable:
    """Names and the probability of each."""

    names: tuple[str, ...]
    ends: tuple[float, ...]  # cumulative shares, the last one 1

    @classmethod
    def of(cls, counts: Mapping[str, float], unseen: float = 0.0) -> FrequencyTable:
        """A table from counts; `unseen` is added to each count."""
        weights = np.array(list(counts.values()), np.float64) + unseen
        return cls(tuple(counts), tuple((np.cumsum(weights) / weights.sum()).tolist()))

    def at(self, chance: float) -> str:
        """The name for a uniform draw `chance` from 0..1."""
        return self.names[min(bisect_right(self.ends, chance), len(self.names) - 1)]

    def share(self, name: str) -> float:
        """The probability of a name, 0..1."""
        return float(np.diff(self.ends, prepend=0.0)[self.names.index(name)])


@dataclass(frozen=True, slots=True)
class FormCounts:
    """Statistics of one form: `colours` of masks without a print, the share `printed`, its `gloss`, and `thin`, the
    least and greatest transmission of light through its cloth, 0..1."""

    colours: FrequencyTable
    printed: float
    gloss: float
    thin: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Census:
    """The tables of `world.toml`.

    Attributes:
        forms: how often each form is worn; `forms_worn` has the statistics of each.
        palette: mean and spread of each colour in CIELAB; `colours` are the same without names.
        two_tone: share of masks in two colours, 0..1; `parts` are the parts with the second colour.
        prints: families of prints.
        fit: shares of masks that are too large, too small or worn too low, 0..1.
    """

    forms: FrequencyTable
    forms_worn: dict[str, FormCounts]
    palette: dict[str, tuple[Lab, Lab]]
    colours: tuple[tuple[Lab, Lab], ...]
    two_tone: float
    parts: FrequencyTable
    prints: FrequencyTable
    fit: dict[str, float]


def _form(table: Mapping[str, Any], palette: Mapping[str, Any], unseen: float) -> FormCounts:
    counts = {name: float(table["colours"].get(name, 0)) for name in palette}
    printed = (table["printed"] + 1) / (table["seen"] + 2)
    low, high = table["thin"]
    return FormCounts(FrequencyTable.of(counts, unseen), printed, float(table["gloss"]), (float(low), float(high)))


def _lab(values: Sequence[float]) -> Lab:
    lightness, a, b = map(float, values)
    return lightness, a, b


@cache
def census() -> Census:
    """The tables, read once per process."""
    page = tomllib.loads(resources.files("maskgen.masks.world").joinpath("world.toml").read_text("utf-8"))
    forms, colours, prints = page["forms"], page["colours"], page["prints"]
    unseen = {part: float(each.pop("unseen")) for part, each in (("f", forms), ("c", colours), ("p", prints))}
    parts = page["two_tone"]
    share = float(parts.pop("share"))
    palette = {name: (_lab(each["lab"]), _lab(each["spread"])) for name, each in colours.items()}
    return Census(
        forms=FrequencyTable.of({name: each["seen"] for name, each in forms.items()}, unseen["f"]),
        forms_worn={name: _form(each, colours, unseen["c"]) for name, each in forms.items()},
        palette=palette,
        colours=tuple(palette.values()),
        two_tone=share,
        parts=FrequencyTable.of(parts),
        prints=FrequencyTable.of(prints, unseen["p"]),
        fit={name: float(each) for name, each in page["fit"].items()},
    )
