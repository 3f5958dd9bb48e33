"""dlib's shape predictor: a cascade of regression forests that moves the mean face's landmarks, many faces at a time.

dlib's own predictor gives the same points, rounded to whole pixels, one face at a time: its 65 MB of leaves then come
from main memory anew for every face, which is most of its cost.

Source: Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskgen.core.records import Doubles, Floats, Mask
from maskgen.faces.shape_predictor_file import Ints, RegressionForests

MOST = 64  # faces at a time


class ShapePredictor:
    """Finds points in upright faces.

    Args:
        forests: what was learned.
    """

    def __init__(self, forests: RegressionForests) -> None:
        self._forests = forests
        mean = forests.mean.reshape(-1, 2)
        away = (mean - mean.mean(0)).astype(np.float32)
        # What takes a shape to the turn and scale that bring the mean face nearest to it.
        across = np.stack([-away[:, 1], away[:, 0]], 1)
        self._turn = (np.stack([away.ravel(), across.ravel()]) / (away**2).sum()).astype(np.float32)

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
        forests = self._forests
        pixels = np.concatenate([picture.ravel() for picture in pictures])
        sizes = np.array([picture.shape for picture in pictures], np.int64)
        ends = np.cumsum(sizes.prod(axis=1))
        where = ends - sizes.prod(axis=1), sizes, np.ascontiguousarray(boxes, np.float32)
        shape = np.tile(forests.mean, (len(pictures), 1))
        for number in range(len(forests.leaves)):
            seen = _look(pixels, *where, shape, self._turn, forests.anchors[number], forests.deltas[number])
            trees = forests.first[number], forests.second[number], forests.threshold[number]
            _move(shape, seen, *trees, forests.leaves[number])
        return shape.reshape(len(pictures), -1, 2)


def _look(
    pixels: Mask, first: Ints, sizes: Ints, boxes: Floats, shape: Floats, turn: Floats, anchors: Ints, deltas: Floats
) -> Floats:
    """The brightness (n, pixels) that a cascade looks at, each the nearest pixel's; beyond a picture its edge's.

    Args:
        pixels: all pictures as one row of pixels.
        first, sizes: (n,) where each begins, and (n, 2) its rows and columns.
        boxes: float32 (n, 2, 3), shares of the box to pixels.
        shape: float32 (n, 2 * points), x before y of each point, in shares of the box.
        turn: float32 (2, 2 * points), what sums up the shape to the cosine and sine of its turn, scale in both.
        anchors, deltas: (pixels,) and (pixels, 2), the point that each place lies near, and where it lies from there.
    """
    # Added up in order, so that the sums do not depend on how NumPy splits them up.
    turned = np.add.accumulate(shape[:, None] * turn, axis=2)[..., -1, None]
    cosine, sine, (dx, dy) = turned[:, 0], turned[:, 1], deltas.T
    near = shape.reshape(len(shape), -1, 2)[:, anchors]
    sx, sy = near[..., 0] + cosine * dx - sine * dy, near[..., 1] + sine * dx + cosine * dy
    half = np.float32(0.5)
    x, y = (box[:, :1] * sx + box[:, 1:2] * sy + box[:, 2:] + half for box in (boxes[:, 0], boxes[:, 1]))
    last = sizes - 1
    column, row = (np.clip(at, 0, end).astype(np.int64) for at, end in ((x, last[:, 1:]), (y, last[:, :1])))
    return pixels[first[:, None] + row * sizes[:, 1:] + column].astype(np.float32)


def _move(shape: Floats, seen: Floats, first: Ints, second: Ints, threshold: Floats, leaves: Floats) -> None:
    """Add to every shape the sum of the leaves that it reaches, in the order of the trees.

    Args:
        shape: float32 (n, values), changed.
        seen: float32 (n, pixels).
        first, second, threshold: (trees, splits), the pixels that a split compares, children after parents.
        leaves: float32 (trees, splits + 1, values).
    """
    (trees, splits), tree = first.shape, np.arange(len(first))
    own = np.arange(len(shape))[:, None] * seen.shape[1]
    node = np.zeros((len(shape), trees), np.int64)
    for _ in range(splits.bit_length()):
        split = node + tree * splits
        apart = seen.take(first.take(split) + own) - seen.take(second.take(split) + own)
        node = 2 * node + 1 + (apart <= threshold.take(split))
    table = leaves.reshape(-1, shape.shape[1])
    reached = np.empty((trees, shape.shape[1]), np.float32)  # once: fresh memory would take half of the time
    for face, leaf in zip(shape, node + (tree * (splits + 1) - splits), strict=True):
        face += np.add.reduce(table.take(leaf, axis=0, out=reached, mode="clip"), axis=0)
