"""The gallery of a page: pictures with filters, sort orders and a viewer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .html import Markup, tag

LISTED = ("order", "as listed")


@dataclass(frozen=True, slots=True)
class Side:
    """One picture of an item: numbers of thumbnails, and its description; `bare` is shown by the slider."""

    img: int | None
    alt: str
    bare: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One tile.

    Attributes:
        sides: one picture, or the two of a pair.
        said: lines under it.
        facets: values for the filters.
        facts: names and values for the viewer.
        sorts: numbers by the name of a sort order, ascending.
    """

    sides: tuple[Side, ...]
    said: tuple[str, ...]
    facets: Mapping[str, str]
    facts: tuple[tuple[str, str], ...]
    sorts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gallery:
    """Items with their filters and sort orders: `facets` are (name, label, values in order), `orders` (name, label)."""

    items: Sequence[Item]
    note: str
    facets: Sequence[tuple[str, str, Sequence[str]]] = ()
    orders: Sequence[tuple[str, str]] = ()

    def data(self) -> dict[str, Any]:
        """The data for the page's script."""
        return {
            "items": [_item(item) for item in self.items],
            "note": self.note,
            "facets": [[name, label, list(values)] for name, label, values in self.facets],
            "sorts": [list(order) for order in (LISTED, *self.orders)],
            "pairs": any(len(item.sides) > 1 for item in self.items),
        }


def place_of(name: str) -> Markup:
    """The element in which a page shows the gallery of this name."""
    return tag("div", data_gallery=name)


def _item(item: Item) -> dict[str, Any]:
    return {
        "sides": [{"img": side.img, "alt": side.alt, "bare": side.bare} for side in item.sides],
        "said": list(item.said),
        "facets": dict(item.facets),
        "facts": [list(fact) for fact in item.facts],
        "sorts": {name: value for name, value in item.sorts.items() if math.isfinite(value)},
    }
