"""A gallery of a page: pictures that are filtered, sorted, and looked at one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .html import Markup, tag

LISTED = ("order", "as listed")


@dataclass(frozen=True, slots=True)
class Side:
    """One picture of an item: numbers of thumbnails, and what it shows in words; `bare` lies under the slider."""

    img: int | None
    alt: str
    bare: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What is shown as one tile.

    Attributes:
        sides: one picture, or the two of a pair.
        said: lines under it.
        facets: what it is filtered by.
        facts: names and values, told where it is looked at alone.
        sorts: numbers by the name of an order, the least first.
    """

    sides: tuple[Side, ...]
    said: tuple[str, ...]
    facets: Mapping[str, str]
    facts: tuple[tuple[str, str], ...]
    sorts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gallery:
    """Items and what can be done with them: `facets` are (name, label, values in order), `orders` (name, label)."""

    items: Sequence[Item]
    note: str
    facets: Sequence[tuple[str, str, Sequence[str]]] = ()
    orders: Sequence[tuple[str, str]] = ()

    def data(self) -> dict[str, Any]:
        """For the page's script."""
        return {
            "items": [_item(item) for item in self.items],
            "note": self.note,
            "facets": [[name, label, list(values)] for name, label, values in self.facets],
            "sorts": [list(order) for order in (LISTED, *self.orders)],
            "pairs": any(len(item.sides) > 1 for item in self.items),
        }


def place_of(name: str) -> Markup:
    """Where a page shows the gallery of this name."""
    return tag("div", data_gallery=name)


def _item(item: Item) -> dict[str, Any]:
    return {
        "sides": [{"img": side.img, "alt": side.alt, "bare": side.bare} for side in item.sides],
        "said": list(item.said),
        "facets": dict(item.facets),
        "facts": [list(fact) for fact in item.facts],
        "sorts": {name: value for name, value in item.sorts.items() if math.isfinite(value)},
    }
