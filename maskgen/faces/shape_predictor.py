"""dlib's shape predictor: a cascade of regression forests that moves the mean face's landmarks, many faces at a time.

dlib's own predictor gives the same points, rounded to whole pixels, one face at a time: its 65 MB of leaves do not
fit in the processor's cache and are read from memory for each face, which is most of its cost.

Source: Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Mask
from maskgen.faces.mtcnn.openvino_core import compiled_for_one_thread, openvino_module, request_of_thread
from maskgen.faces.shape_predictor_file import Ints, RegressionForests

MOST = 64  # faces at a time
FEW = 16  # faces below which NumPy adds up leaves in less time than OpenVINO


class ShapePredictor:
    """Finds points in upright faces.

    Args:
        forests: the trained regression forests.
    """

    def __init__(self, forests: RegressionForests) -> None:
        self._forests = forests
        self._cascades = [_Cascade.of(forests, number) for number in range(len(forests.leaves))]
        mean = forests.mean.reshape(-1, 2)
        away = (mean - mean.mean(0)).astype(np.float32)
        # The matrix that gives, for a shape, rotation and scale of the best fit of the mean face.
        across = np.stack([-away[:, 1], away[:, 0]], 1)
        self._turn = (np.stack([away.ravel(), across.ravel()], 1) / (away**2).sum()).astype(np.float32)[:, :, None]

    def points(self, pictures: Sequence[Mask], boxes: Doubles) -> Floats:
        """The points of each face.

        Args:
            pictures: grey pictures, uint8 (height, width) each, with one face.
            boxes: float64 (n, 2, 3), for each picture the similarity from normalised coordinates of the face's upright
                box, 0..1 both ways, to the picture's pixels.

        Returns:
            float32 (n, points, 2), in shares of the box.
        """
        parts = [self._some(pictures[at : at + MOST], boxes[at : at + MOST]) for at in range(0, len(pictures), MOST)]
        return np.concatenate([np.zeros((0, len(self._forests.mean) // 2, 2), np.float32), *parts])

    def _some(self, pictures: Sequence[Mask], boxes: Doubles) -> Floats:
        view = _View.of(pictures, boxes)
        shape = np.repeat(self._forests.mean[:, None], len(pictures), axis=1)
        for cascade in self._cascades:
            shape += cascade.sums(cascade.reached(view.seen(shape, self._turn, cascade)))
        return np.ascontiguousarray(shape.T).reshape(len(pictures), -1, 2)


@dataclass(frozen=True, slots=True)
class _Cascade:
    """One cascade; of arrays with a row for each split, the first rows are the roots of all trees, and so on.

    `x`, `y` (pixels,) are the rows of a shape that each pixel lies near, `dx`, `dy` (pixels, 1) where it lies from
    there; `first`, `second` (splits * trees,) are the pixels that a split compares, and `most`, int16 (splits * trees,
    1), their largest difference that leads to the second child; `start`, int32 (trees, 1), are the trees' first rows
    of `leaves` (trees * leaves, values).
    """

    x: Ints
    y: Ints
    dx: Floats
    dy: Floats
    first: Ints
    second: Ints
    most: NDArray[np.int16]
    start: NDArray[np.int32]
    leaves: Floats

    @classmethod
    def of(cls, forests: RegressionForests, number: int) -> _Cascade:
        """One of a model's."""
        leaves, anchors, deltas = forests.leaves[number], forests.anchors[number], forests.deltas[number]
        first, second = (each[number].T.ravel().copy() for each in (forests.first, forests.second))
        # Pixels are whole numbers, so that their difference is compared with a whole number.
        most = np.floor(np.clip(np.nan_to_num(forests.threshold[number].T, nan=-256), -256, 256)).astype(np.int16)
        start = (np.arange(leaves.shape[0]) * leaves.shape[1]).astype(np.int32)[:, None]
        table = leaves.reshape(-1, leaves.shape[2])
        offsets = np.ascontiguousarray(deltas[:, :1]), np.ascontiguousarray(deltas[:, 1:])
        return cls(2 * anchors, 2 * anchors + 1, *offsets, first, second, most.reshape(-1, 1), start, table)

    def reached(self, seen: NDArray[np.int16]) -> NDArray[np.int32]:
        """The rows of `leaves`, (trees, n), that pixels (pixels, n) of some faces lead to."""
        apart = seen.take(self.first, axis=0)
        apart -= seen.take(self.second, axis=0)
        right = (apart <= self.most).view(np.uint8).reshape(-1, len(self.start), seen.shape[1])
        leaf = np.zeros(right.shape[1:], np.int32)
        ways: list[NDArray[np.uint8]] = []  # at each level of its tree, 1 where a face goes to the second child
        while len(right) >> len(ways):
            level = right[(1 << len(ways)) - 1 : (2 << len(ways)) - 1]
            for way in ways:
                left, other = level[: len(level) // 2], level[len(level) // 2 :]
                level = left ^ ((left ^ other) & way)
            ways.append(level[0])
            leaf <<= 1
            leaf += level[0]
        leaf += self.start
        return leaf

    def sums(self, reached: NDArray[np.int32]) -> Floats:
        """The sums of those leaves in the order of the trees, (values, n); by either way the same, bit for bit."""
        if reached.shape[1] < FEW:
            return _sums(self.leaves, reached)
        request, rows = request_of_thread(_compiled, self.leaves.shape, len(reached)), np.ascontiguousarray(reached.T)
        # OpenVINO reads these arrays where they are, and does not keep them alive.
        shared = [openvino_module().Tensor(each, shared_memory=True) for each in (self.leaves, rows)]
        for at, tensor in enumerate(shared):
            request.set_input_tensor(at, tensor)
        request.infer()
        return np.array(request.get_output_tensor(0).data).T


def _sums(leaves: Floats, reached: NDArray[np.int32]) -> Floats:
    sums = np.empty((leaves.shape[1], reached.shape[1]), np.float32)
    buffer = np.empty((len(reached), leaves.shape[1]), np.float32)  # once: fresh memory would take half of the time
    for at, rows in enumerate(reached.T.astype(np.intp)):
        sums[:, at] = np.add.reduce(leaves.take(rows, axis=0, out=buffer, mode="clip"), axis=0)
    return sums


@cache
def _compiled(process: int, shape: tuple[int, ...], trees: int) -> Any:
    """Kept for ever, see `mtcnn.openvino_nets`; the table is an input, so that it stays where it is mapped."""
    del process
    openvino = openvino_module()
    ops = openvino.opset13
    table, reached = ops.parameter(list(shape), np.float32), ops.parameter([-1, trees], np.int32)
    model = openvino.Model([ops.embedding_bag_packed_sum(table, reached)], [table, reached], "leaves")
    return compiled_for_one_thread(model)


@dataclass(frozen=True, slots=True)
class _View:
    """Some grey pictures as one row of pixels: int32 (n,) each, where a picture begins, its width, its last column and
    row; and float32 (2, 3, n), the matrices."""

    pixels: Mask
    first: NDArray[np.int32]
    width: NDArray[np.int32]
    ends: tuple[NDArray[np.int32], NDArray[np.int32]]
    boxes: Floats

    @classmethod
    def of(cls, pictures: Sequence[Mask], boxes: Doubles) -> _View:
        """Pictures, each with the matrix (2, 3) that takes shares of the box to its pixels."""
        sizes = np.array([picture.shape for picture in pictures], np.int32)
        first = np.cumsum(sizes.prod(axis=1), dtype=np.int32) - sizes.prod(axis=1, dtype=np.int32)
        last = sizes.T - 1
        lines = np.ascontiguousarray(boxes.transpose(1, 2, 0), np.float32)
        return cls(np.concatenate([one.ravel() for one in pictures]), first, sizes[:, 1], (last[1], last[0]), lines)

    def seen(self, shape: Floats, turn: Floats, cascade: _Cascade) -> NDArray[np.int16]:
        """The brightness (pixels, n) that a cascade looks at, each the nearest pixel's; beyond a picture its edge's.

        Args:
            shape: float32 (2 * points, n), x before y of each point, in shares of the box.
            turn: float32 (2 * points, 2, 1), what sums up the shape to the cosine and sine of its turn, scale in both.
        """
        # Row by row, so in the order of the points for any number of faces: NumPy splits up sums of single columns.
        cosine, sine = np.add.reduce(shape[:, None] * turn, axis=0)
        sx, sy = shape.take(cascade.x, axis=0), shape.take(cascade.y, axis=0)
        sx += cosine * cascade.dx
        sx -= sine * cascade.dy
        sy += sine * cascade.dx
        sy += cosine * cascade.dy
        column, row = (self._placed(sx, sy, way) for way in (0, 1))
        row *= self.width
        row += column
        row += self.first
        return self.pixels.take(row, mode="clip").astype(np.int16)

    def _placed(self, sx: Floats, sy: Floats, way: int) -> NDArray[np.int32]:
        """Columns, or rows where `way` is 1, in the picture, (pixels, n)."""
        along, across, start = self.boxes[way]
        at = along * sx
        at += across * sy
        at += start
        at += np.float32(0.5)
        # Whole numbers are compared in a quarter of the time.
        nearest = at.astype(np.int32)
        return np.minimum(np.maximum(nearest, 0, out=nearest), self.ends[way], out=nearest)
