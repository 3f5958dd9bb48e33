"""A cascade of regression forests that moves a mean face's points to where a face's are, many faces at a time.

dlib's own predictor gives the same points, rounded to whole pixels, one face at a time: its 65 MB of leaves then come
from main memory anew for every face, which is most of its cost.

Source: Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats
from maskgen.faces.dlib_model import Forests, Ints

MOST = 64  # faces at a time


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
        self._splits = [
            [np.ascontiguousarray(part[number].ravel()) for part in (forests.first, forests.second, forests.threshold)]
            for number in range(cascades)
        ]
        self._anchors = [(2 * anchors, 2 * anchors + 1) for anchors in forests.anchors]
        self._deltas = [np.ascontiguousarray(deltas.T) for deltas in forests.deltas]
        self._root = np.arange(trees) * forests.first.shape[2]
        self._first_leaf = np.arange(trees) * forests.leaves.shape[2]
        mean = forests.mean.reshape(-1, 2)
        away = (mean - mean.mean(0)).astype(np.float32)
        self._along, self._across = (
            (turned / (away**2).sum()).astype(np.float32).ravel()
            for turned in (away, np.stack([-away[:, 1], away[:, 0]], 1))
        )

    def points(self, patches: NDArray[np.uint8], low: float, side: float) -> Floats:
        """The points of each face.

        Args:
            patches: grey pictures of upright faces, uint8 (n, height, width).
            low, side: the box in which the face lies is low..low + side both ways, in pixels.

        Returns:
            float32 (n, points, 2), in pixels of the patch.
        """
        parts = [self._some(patches[at : at + MOST], low, side) for at in range(0, len(patches), MOST)]
        return np.concatenate([np.zeros((0, len(self._forests.mean) // 2, 2), np.float32), *parts])

    def _some(self, patches: NDArray[np.uint8], low: float, side: float) -> Floats:
        # With a black rim, what lies outside need not be told from what lies inside.
        rimmed = np.pad(patches, ((0, 0), (1, 1), (1, 1)))
        shape = np.tile(self._forests.mean, (len(patches), 1))
        for number in range(len(self._splits)):
            pixels = self._pixels(rimmed, shape, number, low + 1, side)
            shape += self._sums(number, self._reached(pixels, number))
        return shape.reshape(len(patches), -1, 2) * np.float32(side) + np.float32(low)

    def _pixels(self, rimmed: NDArray[np.uint8], shape: Floats, number: int, low: float, side: float) -> Floats:
        """The brightness (n, pixels) that a cascade looks at."""
        # The turn and scale that bring the mean face nearest to the present one.
        cosine = (shape * self._along).sum(1, keepdims=True)
        sine = (shape * self._across).sum(1, keepdims=True)
        (ax, ay), (dx, dy) = self._anchors[number], self._deltas[number]
        height, width = rimmed.shape[1:]
        columns = _nearest(shape.take(ax, axis=1) + dx * cosine - dy * sine, low, side, width)
        rows = _nearest(shape.take(ay, axis=1) + dx * sine + dy * cosine, low, side, height)
        rows *= width
        rows += columns
        rows += (np.arange(len(rimmed)) * (height * width))[:, None]
        return rimmed.ravel().take(rows).astype(np.float32)

    def _reached(self, pixels: Floats, number: int) -> Ints:
        """Which leaf (n, trees) of each tree the pixels lead to."""
        first, second, threshold = self._splits[number]
        flat = pixels.ravel()
        row = (np.arange(len(pixels)) * pixels.shape[1])[:, None]
        node = np.zeros((len(pixels), len(self._root)), np.int64)
        for _ in range(int(np.log2(self._forests.leaves.shape[2]))):
            split = self._root + node
            left = flat.take(first.take(split) + row) - flat.take(second.take(split) + row) > threshold.take(split)
            node = 2 * node + 2 - left
        return node - self._forests.first.shape[2]

    def _sums(self, number: int, leaf: Ints) -> Floats:
        """The sum of the leaves (n, values); the library fetches them before they are needed."""
        torch = self._torch
        with torch.inference_mode():
            index = torch.from_numpy(leaf + self._first_leaf)
            sums: Floats = torch.nn.functional.embedding_bag(index, self._leaves[number], mode="sum").numpy()
            return sums


def _nearest(shares: Floats, low: float, side: float, most: int) -> Ints:
    """The pixels nearest to positions in shares of the box, the rim's for those outside."""
    shares *= np.float32(side)
    shares += np.float32(low + 0.5)
    return np.clip(shares, 0, most - 1, out=shares).astype(np.int64)
