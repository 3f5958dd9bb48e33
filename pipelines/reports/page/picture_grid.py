"""The gallery of a page: pictures with filters, sort orders and a viewer."""

from __future__ import annotations

import json
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
        tells: what a tile says in a sort order, by its name.
        file: address of the picture beside the page, "" for none.
    """

    sides: tuple[Side, ...]
    said: tuple[str, ...]
    facets: Mapping[str, str]
    facts: tuple[tuple[str, str], ...]
    sorts: Mapping[str, float] = field(default_factory=dict)
    tells: Mapping[str, str] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Items with their filters and sort orders.

    Attributes:
        facets: (name, label, values in order) of the filters.
        orders: (name, label) of the sort orders.
        total: the number of pictures of which the items are a sample; 0 if they are all.
        totals: the number of pictures with each value of a facet, by the facet's name, where it is known.
    """

    items: Sequence[Item]
    note: str
    facets: Sequence[tuple[str, str, Sequence[str]]] = ()
    orders: Sequence[tuple[str, str]] = ()
    total: int = 0
    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """The data for the page's script."""
        return {
            "items": [_item(item) for item in self.items],
            "note": self.note,
            "facets": [[name, label, list(values)] for name, label, values in self.facets],
            "sorts": [list(order) for order in (LISTED, *self.orders)],
            "pairs": any(len(item.sides) > 1 for item in self.items),
            "total": max(self.total, len(self.items)),
            "totals": {name: dict(counts) for name, counts in self.totals.items()},
        }


def place_of(name: str) -> Markup:
    """The element in which a page shows the gallery of this name."""
    return tag("div", data_gallery=name)


def strip_of(name: str, order: str, count: int, only: Mapping[str, str] | None = None) -> Markup:
    """The element in which a page shows the first items of a gallery in a sort order, those that have it.

    Args:
        only: values of facets that the items must have.
    """
    return tag("div", data_strip=name, data_order=order, data_count=count, data_only=json.dumps(dict(only or {})))


def _item(item: Item) -> dict[str, Any]:
    return {
        "sides": [{"img": side.img, "alt": side.alt, "bare": side.bare} for side in item.sides],
        "said": list(item.said),
        "facets": dict(item.facets),
        "facts": [list(fact) for fact in item.facts],
        "sorts": {name: value for name, value in item.sorts.items() if math.isfinite(value)},
        **({"tells": dict(item.tells)} if item.tells else {}),
        **({"file": item.file} if item.file else {}),
    }
