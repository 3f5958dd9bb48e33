"""A cascade of regression forests that moves a mean face's points to where a face's are, many faces at a time.

dlib's own predictor gives the same points, rounded to whole pixels, one face at a time: its 65 MB of leaves then come
from main memory anew for every face, which is most of its cost.

Source: Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskgen.core.records import Doubles, Floats, Mask
from maskgen.faces.dlib_model import Forests, Ints

MOST = 64  # faces at a time


@dataclass(frozen=True, slots=True)
class _View:
    """Pictures of any sizes as one row of pixels, and where the box lies in each; all but `pixels` are (n,).

    A share (x, y) of the box is `cosine` x - `sine` y + `left`, `sine` x + `cosine` y + `top` in pixels; half a pixel
    is in `left` and `top`, so that cutting off the fraction gives the nearest one.
    """

    pixels: Mask
    first: Ints
    width: Ints
    most: tuple[Floats, Floats]
    cosine: Floats
    sine: Floats
    left: Floats
    top: Floats

    @classmethod
    def of(cls, pictures: Sequence[Mask], boxes: Doubles) -> _View:
        rows, columns = np.array([picture.shape for picture in pictures]).T
        sizes = rows * columns
        return cls(
            np.concatenate([picture.ravel() for picture in pictures]),
            np.cumsum(sizes) - sizes,
            columns,
            ((columns - 1).astype(np.float32), (rows - 1).astype(np.float32)),
            *boxes[:, :, 0].T.astype(np.float32),
            *(boxes[:, :, 2] + 0.5).T.astype(np.float32),
        )

    def placed(self, shape: Floats) -> tuple[Floats, Floats]:
        """Points (n, 2 * points), in shares of the box, in pixels: x and y, each (points, n)."""
        x, y = shape[:, ::2].T, shape[:, 1::2].T
        return self.cosine * x - self.sine * y + self.left, self.sine * x + self.cosine * y + self.top

    def at(self, x: Floats, y: Floats) -> Floats:
        """Brightness at places (pixels, n), changed on the way; beyond a picture its edge is repeated."""
        for places, most in zip((x, y), self.most, strict=True):
            np.maximum(places, 0, out=places)
            np.minimum(places, most, out=places)
        index = y.astype(np.int64)
        index *= self.width
        index += x.astype(np.int64)
        index += self.first
        return self.pixels.take(index).astype(np.float32)


def _levels(forests: Forests, number: int) -> list[tuple[Ints, Ints, Floats]]:
    """A cascade's splits level by level, each level's through all trees: the two pixels, and the threshold."""
    parts = (forests.first[number], forests.second[number], forests.threshold[number])
    levels = []
    for level in range(int(np.log2(forests.leaves.shape[2]))):
        own = slice(2**level - 1, 2 ** (level + 1) - 1)
        first, second, threshold = (np.ascontiguousarray(part[:, own].ravel()) for part in parts)
        levels.append((first, second, threshold))
    return levels


class Predictor:
    """Finds points in upright faces.

    Args:
        forests: what was learned.
    """

    def __init__(self, forests: Forests) -> None:
        import torch

        self._torch: Any = torch
        self._forests = forests
        cascades, trees, _, values = forests.leaves.shape
        self._leaves = torch.from_numpy(forests.leaves.reshape(cascades, -1, values))
        self._levels = [_levels(forests, number) for number in range(cascades)]
        self._trees = np.arange(trees)[:, None]
        self._deltas = [(deltas[:, :1].copy(), deltas[:, 1:].copy()) for deltas in forests.deltas]
        mean = forests.mean.reshape(-1, 2)
        away = (mean - mean.mean(0)).astype(np.float32)
        self._along, self._across = (
            (turned / (away**2).sum()).astype(np.float32).ravel()
            for turned in (away, np.stack([-away[:, 1], away[:, 0]], 1))
        )

    def points(self, pictures: Sequence[Mask], boxes: Doubles) -> Floats:
        """The points of each face.

        Args:
            pictures: grey pictures, uint8 (height, width) each, with one face.
            boxes: float64 (n, 2, 3), for each picture the similarity that takes shares of the box in which the face
                stands upright, 0..1 both ways, to the picture's pixels.

        Returns:
            float32 (n, points, 2), in shares of the box.
        """
        parts = [self._some(pictures[at : at + MOST], boxes[at : at + MOST]) for at in range(0, len(pictures), MOST)]
        return np.concatenate([np.zeros((0, len(self._forests.mean) // 2, 2), np.float32), *parts])

    def _some(self, pictures: Sequence[Mask], boxes: Doubles) -> Floats:
        view = _View.of(pictures, boxes)
        shape = np.tile(self._forests.mean, (len(pictures), 1))
        for number in range(len(self._levels)):
            pixels = self._pixels(view, shape, number)
            shape += self._sums(number, self._reached(pixels, number))
        return shape.reshape(len(pictures), -1, 2)

    def _pixels(self, view: _View, shape: Floats, number: int) -> Floats:
        """The brightness (pixels, n) that a cascade looks at, each the nearest pixel's, as dlib does."""
        # The turn and scale that bring the mean face nearest to the present one.
        cosine, sine = (shape * self._along).sum(1), (shape * self._across).sum(1)
        turn, lean = view.cosine * cosine - view.sine * sine, view.sine * cosine + view.cosine * sine
        x, y = view.placed(shape)
        anchors, (dx, dy) = self._forests.anchors[number], self._deltas[number]
        columns = x.take(anchors, axis=0)
        columns += dx * turn
        columns -= dy * lean
        rows = y.take(anchors, axis=0)
        rows += dx * lean
        rows += dy * turn
        return view.at(columns, rows)

    def _reached(self, pixels: Floats, number: int) -> Ints:
        """Which leaf (trees, n) of all the cascade's the pixels lead to in each tree."""
        (first, second, threshold), *levels = self._levels[number]
        node = 2 * self._trees + (pixels.take(first, axis=0) - pixels.take(second, axis=0) <= threshold[:, None])
        count = pixels.shape[1]
        flat, own = pixels.ravel(), np.arange(count)
        for first, second, threshold in levels:
            # Nodes of a level are numbered through all trees, so a node's children are twice its number and one more.
            one, other = (first * count).take(node), (second * count).take(node)
            one += own
            other += own
            apart = flat.take(one)
            apart -= flat.take(other)
            right = apart <= threshold.take(node)
            node *= 2
            node += right
        return node

    def _sums(self, number: int, leaf: Ints) -> Floats:
        """The sum of the leaves (n, values); the library fetches them before they are needed."""
        torch = self._torch
        with torch.inference_mode():
            index = torch.from_numpy(leaf.T.copy())
            sums: Floats = torch.nn.functional.embedding_bag(index, self._leaves[number], mode="sum").numpy()
            return sums
