"""The cascade's inner loops, compiled: where it looks, which leaves it reaches, and their sum."""

from __future__ import annotations

import numpy as np

from maskgen.core.compiled import compiled
from maskgen.core.records import Floats, Mask
from maskgen.faces.dlib_model import Ints


@compiled
def look(
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
    found = np.empty((len(first), len(anchors)), np.float32)
    half = np.float32(0.5)
    for at in range(len(first)):
        box, own = boxes[at], shape[at]
        rows, columns = sizes[at]
        cosine = sine = np.float32(0)
        for number in range(len(own)):
            cosine += own[number] * turn[0, number]
            sine += own[number] * turn[1, number]
        for place in range(len(anchors)):
            dx, dy = deltas[place]
            sx = own[2 * anchors[place]] + cosine * dx - sine * dy
            sy = own[2 * anchors[place] + 1] + sine * dx + cosine * dy
            # Cutting off the fraction of what is never negative gives the nearest pixel.
            x = max(box[0, 0] * sx + box[0, 1] * sy + box[0, 2] + half, np.float32(0))
            y = max(box[1, 0] * sx + box[1, 1] * sy + box[1, 2] + half, np.float32(0))
            column, row = min(x, np.float32(columns - 1)), min(y, np.float32(rows - 1))
            found[at, place] = pixels[first[at] + np.int64(row) * columns + np.int64(column)]
    return found


@compiled
def move(shape: Floats, seen: Floats, first: Ints, second: Ints, threshold: Floats, leaves: Floats) -> None:
    """Add to every shape the sum of the leaves that it reaches.

    Tree after tree through all faces, for a tree's leaves then come from main memory once; each face's sum still adds
    up in the order of the trees.

    Args:
        shape: float32 (n, values), changed.
        seen: float32 (n, pixels).
        first, second, threshold: (trees, splits), the pixels that a split compares, children after parents.
        leaves: float32 (trees, splits + 1, values).
    """
    trees, splits = first.shape
    sums = np.zeros_like(shape)
    for tree in range(trees):
        for at in range(len(shape)):
            node = 0
            while node < splits:
                apart = seen[at, first[tree, node]] - seen[at, second[tree, node]]
                node = 2 * node + (2 if apart <= threshold[tree, node] else 1)
            leaf, total = leaves[tree, node - splits], sums[at]
            for value in range(len(total)):
                total[value] += leaf[value]
    shape += sums
