"""dlib's shape predictor: a cascade of regression forests that moves the mean face's landmarks, many faces at a time.

dlib's own predictor gives the same points, rounded to whole pixels, one face at a time: its 65 MB of leaves do not
fit in the processor's cache and are read from memory for each face, which is most of its cost.

Source: Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.core.kernels.arena import Arena, JobType, arena_of_thread
from maskgen.core.records import Doubles, Floats, Mask
from maskgen.faces.shape_predictor_file import RegressionForests

MOST = 64  # faces at a time
EIGHT = 8  # by which the kernels take them
FEW = 8  # faces below which only the leaves that they reach are copied
DEEPEST = 10  # splits from the root of a tree to a leaf, at most


class ShapePredictor:
    """Finds points in upright faces, by the kernels `reach_leaves` and `add_leaves`.

    Args:
        forests: the trained regression forests.

    Raises:
        ValueError: trees of no split, or of more than DEEPEST from root to leaf.
    """

    def __init__(self, forests: RegressionForests) -> None:
        self._forests = forests
        self._depth = forests.leaves.shape[2].bit_length() - 1
        if not 0 < self._depth <= DEEPEST:
            raise ValueError(f"trees of {forests.leaves.shape[2]} leaves")
        self._cascades = [_Cascade.of(forests, number) for number in range(len(forests.leaves))]
        mean = forests.mean.reshape(-1, 2)
        away = (mean - mean.mean(0)).astype(np.float32)
        # The matrix that gives, for a shape, rotation and scale of the best fit of the mean face.
        across = np.stack([-away[:, 1], away[:, 0]], 1)
        self._turn = (np.stack([away.ravel(), across.ravel()], 1) / (away**2).sum()).astype(np.float32)

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
        arena, count, first = arena_of_thread(), len(pictures), self._cascades[0]
        arena.begin()
        faces, trees, values = -(-count // EIGHT) * EIGHT, len(first.most), len(self._forests.mean)
        shape_at, shape = arena.room((values, faces), np.float32)
        shape[...] = self._forests.mean[:, None]
        held = [arena.room(part.shape, part.dtype) for part in first.parts]
        leaves_at, leaves = arena.room((count * trees if count < FEW else len(first.leaves), values), np.float32)
        rows_at, rows = arena.room((trees, faces), np.int32)
        job = arena.job(
            _JOB,
            *(faces, values, len(first.anchors), trees, self._depth, shape_at, arena.put(self._turn)),
            *(*_views(arena, pictures, boxes, faces), *(at for at, _ in held), leaves_at, rows_at),
            *(arena.space(len(first.anchors) * faces), arena.space(faces * (values + 3) * 4)),
        )
        for cascade in self._cascades:
            for (_, place), part in zip(held, cascade.parts, strict=True):
                place[...] = part
            arena.call("reach_leaves", job)
            _bring(cascade.leaves, leaves, rows, count)
            arena.call("add_leaves", job)
        return np.ascontiguousarray(shape[:, :count].T).reshape(count, -1, 2)


def _bring(table: Floats, leaves: Floats, rows: NDArray[np.int32], count: int) -> None:
    """Bring a cascade's leaves to where the kernel reads them: all, or those that so few faces reach, whose `rows`
    (trees, faces) are then other ones."""
    if len(leaves) == len(table):
        leaves[...] = table
        return
    table.take(rows[:, :count].ravel(), axis=0, out=leaves, mode="clip")
    rows[...] = 0
    rows[:, :count] = np.arange(len(leaves)).reshape(-1, count)


# The structure `Cascade` of `kernels/landmarks.c`, in its order.
_JOB = JobType(
    "faces:i values:i pixels:i trees:i depth:i shape turn boxes ends first width pictures",
    "anchors deltas splits most leaves rows seen sums",
)


@dataclass(frozen=True, slots=True)
class _Cascade:
    """One cascade as the kernels read it.

    `anchors`, int32 (pixels,), is the point that each pixel lies near, `deltas`, float32 (pixels, 2), where it lies
    from there; `splits`, int32 (trees, splits, 2), the two pixels that each split compares, and `most`, int16 (trees,
    splits), their largest difference that leads to the second child; `leaves` is float32 (trees * leaves, values).
    """

    anchors: NDArray[np.int32]
    deltas: Floats
    splits: NDArray[np.int32]
    most: NDArray[np.int16]
    leaves: Floats

    @classmethod
    def of(cls, forests: RegressionForests, number: int) -> _Cascade:
        """One of a model's."""
        splits = np.stack([forests.first[number], forests.second[number]], -1).astype(np.int32)
        # Pixels are whole numbers, so that their difference is compared with a whole number.
        most = np.floor(np.clip(np.nan_to_num(forests.threshold[number], nan=-256), -256, 256)).astype(np.int16)
        anchors = forests.anchors[number].astype(np.int32)
        return cls(anchors, forests.deltas[number], splits, most, forests.leaves[number].reshape(-1, len(forests.mean)))

    @property
    def parts(self) -> tuple[NDArray[np.generic], ...]:
        """What `reach_leaves` reads, in the order of `_JOB`."""
        return self.anchors, self.deltas, self.splits, self.most


def _views(arena: Arena, pictures: Sequence[Mask], boxes: Doubles, faces: int) -> tuple[int, ...]:
    """The addresses of grey pictures, of where each begins and of its size, and of the matrices (n, 2, 3) that take
    shares of a box to its pixels, for this many faces; those beyond the last picture see its first pixel."""
    sizes, count = np.array([picture.shape for picture in pictures], np.int32), len(pictures)
    starts = np.cumsum([0, *(picture.size for picture in pictures)]).tolist()
    pixels_at, pixels = arena.room((starts[-1],), np.uint8)
    for picture, start in zip(pictures, starts, strict=False):
        pixels[start : start + picture.size].reshape(picture.shape)[...] = picture
    lines = np.zeros((2, 3, faces), np.float32)
    lines[..., :count] = boxes.transpose(1, 2, 0)
    ends, first, width = np.zeros((2, faces), np.float32), np.zeros(faces, np.int32), np.zeros(faces, np.int32)
    ends[:, :count], first[:count], width[:count] = sizes.T[::-1] - 1, starts[:-1], sizes[:, 1]
    return *map(arena.put, (lines, ends, first, width)), pixels_at
