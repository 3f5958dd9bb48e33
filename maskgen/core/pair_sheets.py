"""Contact sheets of pairs, each pair with a line of text, in titled groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.contact_sheets import WEIGHT, fit
from maskgen.core.records import Image

_PAPER, _INK = 250, (40, 40, 40)
_GAP, _LINE = 6, 20


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two pictures, uint8 RGB of any sizes, and what is written under them."""

    left: Image
    right: Image
    text: str


def pair_sheet(groups: Mapping[str, Sequence[ShownPair]], columns: int, cell: int) -> Image:
    """Pairs in rows under their group's title, uint8 RGB.

    Args:
        groups: pairs by title, in display order.
        columns: pairs per row.
        cell: maximum height and width of each picture in pixels.
    """
    width = columns * (2 * cell + 2 * _GAP) + _GAP
    bands: list[Image] = []
    for title, pairs in groups.items():
        bands.append(_text(_paper(_LINE + 2 * _GAP, width), title, _GAP, _GAP, width))
        bands += [_row(pairs[at : at + columns], width, cell) for at in range(0, len(pairs), columns)]
    return np.concatenate(bands or [_paper(_LINE, width)])


def _row(pairs: Sequence[ShownPair], width: int, cell: int) -> Image:
    band = _paper(cell + _LINE + _GAP, width)
    for column, pair in enumerate(pairs):
        left = _GAP + column * (2 * cell + 2 * _GAP)
        for place, image in enumerate((pair.left, pair.right)):
            _paste(band, fit(image, cell), left + place * (cell + _GAP // 2), cell)
        _text(band, pair.text, left, cell, 2 * cell)
    return band


def _paste(band: Image, image: Image, left: int, cell: int) -> None:
    height, width = image.shape[:2]
    top, left = (cell - height) // 2, left + (cell - width) // 2
    band[top : top + height, left : left + width] = image


def _text(canvas: Image, text: str, left: int, top: int, width: int) -> Image:
    """One line in any script, shortened until it fits the width in pixels."""
    face, shown = cv2.FontFace("sans"), text
    while len(shown) > 1 and cv2.getTextSize((10**6, _LINE), shown, (0, 0), face, 13, WEIGHT)[2] > width:
        text = text[:-1]
        shown = text + "…"
    cv2.putText(canvas, shown, (left, top + 15), _INK, face, 13, WEIGHT)
    return canvas


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), _PAPER, np.uint8)
