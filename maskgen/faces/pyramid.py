"""The image pyramid of the detector: a picture halved repeatedly, then resized to each level.

Halving is the one reduction that costs next to nothing, so whatever is read small is read from a half, a quarter, ...
that is still larger. All levels that PNet judges lie side by side on one canvas: one call instead of one a level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from maskgen.core.kernels.area import Place, fitted_onto
from maskgen.core.records import Doubles, Image

CELL = 12  # side of the window that PNet judges
STRIDE = 2
STEP = 0.709  # between levels, as in the paper
GAP = 2  # pixels between levels on the canvas
# Bytes of the canvases, and patches, that are made in one go, so that a crowd takes no more memory.
TOGETHER, MOST_PATCHES = 1 << 20, 512


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the levels of a picture of one size lie on the canvas.

    `places` holds x, y, width, height of each level; `level` int (rows, columns) says which level the window at each
    of PNet's answers lies in, -1 for windows that lie in none or in two.
    """

    height: int
    width: int
    places: tuple[Place, ...]
    level: np.ndarray


@lru_cache(maxsize=64)
def layout_of(height: int, width: int, smallest: float) -> Layout:
    """The canvas for a search of a picture for faces of at least `smallest` pixels."""
    sizes, scale = [], CELL / smallest
    while min(height, width) * scale >= CELL:
        sizes.append((int(np.ceil(width * scale)), int(np.ceil(height * scale))))
        scale *= STEP
    places: list[Place] = []
    x = y = reach = 0
    for wide, tall in sizes:
        if y and y + tall > sizes[0][1]:
            x, y = reach, 0
        places.append((x, y, wide, tall))
        reach = max(reach, _even(x + wide + GAP))
        y += _even(tall + GAP)
    canvas = (max((place[3] for place in places), default=0), max(reach - GAP, 0))
    return Layout(*canvas, tuple(places), _levels(places, *canvas))


def _even(pixels: int) -> int:
    return pixels + pixels % STRIDE


def _levels(places: list[Place], height: int, width: int) -> np.ndarray:
    rows, columns = (max(0, (side - CELL + 1) // STRIDE + 1) for side in (height, width))
    level = np.full((rows, columns), -1)
    for number, (x, y, wide, tall) in enumerate(places):
        last = (y + tall - CELL) // STRIDE + 1, (x + wide - CELL) // STRIDE + 1
        level[y // STRIDE : last[0], x // STRIDE : last[1]] = number
    return level


@dataclass(slots=True)
class Pyramid:
    """A picture and its halves, made as they are asked for."""

    image: Image
    _halves: list[Image] = field(default_factory=list)

    def levels(self, layout: Layout) -> list[tuple[Image, Place]]:
        """What is to be fitted into each place of a layout."""
        height, width = self.image.shape[:2]
        return [(self._at_least(min(width / at[2], height / at[3]))[0], at) for at in layout.places]

    def part(self, box: Sequence[float], shrink: float) -> Image:
        """The pixels of a candidate, black outside the picture, in the smallest of the halves that need not be
        enlarged; `box` is a square x0, y0, x1, y1, to be reduced by `shrink`."""
        image, times = self._at_least(shrink)
        x0, y0 = math.floor(box[0] / times), math.floor(box[1] / times)
        x1, y1 = max(math.ceil(box[2] / times), x0 + 1), max(math.ceil(box[3] / times), y0 + 1)
        height, width = image.shape[:2]
        part = image[max(y0, 0) : max(min(y1, height), 0), max(x0, 0) : max(min(x1, width), 0)]
        if part.size == 0:
            return np.zeros((1, 1, 3), np.uint8)
        above, below, left, right = (max(by, 0) for by in (-y0, y1 - height, -x0, x1 - width))
        if above or below or left or right:
            part = cv2.copyMakeBorder(part, above, below, left, right, cv2.BORDER_CONSTANT)
        return part

    def _at_least(self, shrink: float) -> tuple[Image, int]:
        """The smallest of the halves that need not be enlarged for a reduction by `shrink`, and how often reduced."""
        image, times, number = self.image, 1, 0
        while times * 2 <= shrink and min(image.shape[:2]) >= 2:
            if number == len(self._halves):
                self._halves.append(_halved(image))
            image, times, number = self._halves[number], times * 2, number + 1
        return image, times


def _halved(image: Image) -> Image:
    # An odd last row or column is left out: halving by exactly two is what is fast.
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return cv2.resize(image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)


def canvases(pyramids: Sequence[Pyramid], layout: Layout) -> list[Image]:
    """The levels of pictures of one size on a black canvas for each, uint8 (height, width, 3)."""
    height, width = layout.height, layout.width
    some = max(1, TOGETHER // (3 * height * width))
    parts = [
        fitted_onto(
            len(own) * height,
            width,
            [
                (image, (x, number * height + y, wide, tall))
                for number, pyramid in enumerate(own)
                for image, (x, y, wide, tall) in pyramid.levels(layout)
            ],
        )
        for own in (pyramids[at : at + some] for at in range(0, len(pyramids), some))
    ]
    return [canvas for part in parts for canvas in part.reshape(-1, height, width, 3)]


def patches(parts: Sequence[Image], side: int) -> list[Image]:
    """Pictures made squares of one side, uint8 (side, side, 3)."""
    squares = list[Image]()
    for at in range(0, len(parts), MOST_PATCHES):
        some = parts[at : at + MOST_PATCHES]
        placed = [(part, (0, number * side, side, side)) for number, part in enumerate(some)]
        squares.extend(fitted_onto(len(some) * side, side, placed).reshape(-1, side, side, 3))
    return squares


def windows(layout: Layout, level: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: Doubles) -> Doubles:
    """Corners (n, 4) in the picture's pixels of the windows at these of PNet's answers.

    Args:
        level: which level each window lies in.
        shape: the picture's width and height.
    """
    places = np.array(layout.places, np.float64).reshape(-1, 4)[level]
    corner = np.stack([columns, rows], 1) * float(STRIDE) - places[:, :2]
    times = shape / places[:, 2:]
    return np.concatenate([corner * times, (corner + CELL) * times], 1)
