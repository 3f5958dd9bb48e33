"""Contact sheets: many pictures on one sheet, in titled groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from maskgen.core.records import Image, check_image

# Of text by a FontFace: without it OpenCV 5 takes the weight that the process used last.
WEIGHT = 400
_PAPER = 250
_INK = (40, 40, 40)
_TITLE = 26  # pixels of height
_GAP = 4


def contact_sheet(groups: Mapping[str, Sequence[Image]], columns: int, cell: int) -> Image:
    """Pictures in rows of cells under their group's title.

    Args:
        groups: pictures of any sizes by title, in display order.
        columns: cells per row.
        cell: the side of a cell in pixels. Larger pictures are shrunk, smaller ones keep their size.

    Returns:
        uint8 RGB, columns * (cell + 4) + 4 wide.
    """
    width = columns * (cell + _GAP) + _GAP
    bands: list[Image] = []
    for title, images in groups.items():
        bands.append(_title(f"{title} ({len(images)})", width))
        bands += [_row(images[at : at + columns], columns, cell) for at in range(0, len(images), columns)]
    return np.concatenate(bands or [_title("no pictures", width)])


def fit(image: Image, cell: int) -> Image:
    """The picture within cell x cell pixels, with its aspect ratio; a larger one is shrunk by area averaging."""
    check_image(image)
    height, width = image.shape[:2]
    scale = cell / max(height, width)
    if scale >= 1:
        return image
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _row(images: Sequence[Image], columns: int, cell: int) -> Image:
    band = _paper(cell + _GAP, columns * (cell + _GAP) + _GAP)
    for column, image in enumerate(images):
        small = fit(image, cell)
        height, width = small.shape[:2]
        top = (cell - height) // 2
        left = _GAP + column * (cell + _GAP) + (cell - width) // 2
        band[top : top + height, left : left + width] = small
    return band


def _title(text: str, width: int) -> Image:
    band = _paper(_TITLE, width)
    cv2.putText(band, text, (_GAP, _TITLE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK, 1, cv2.LINE_AA)
    return band


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), _PAPER, np.uint8)
