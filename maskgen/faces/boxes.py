"""Arithmetic of candidate boxes: float32 (n, 5), each x0, y0, x1, y1, score."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from maskgen.core.records import Floats


def non_maximum_suppression(boxes: Floats, overlap: float) -> np.ndarray:
    """Indices of the boxes (n, 5) that no better box overlaps by more than `overlap`, best first.

    Overlap is intersection over union; every score is above 0.
    """
    if len(boxes) < 2:
        return np.arange(len(boxes))
    corners = boxes[:, :4].copy()
    corners[:, 2:] -= corners[:, :2]
    nms: Any = cv2.dnn.NMSBoxes  # takes arrays, which its types do not say
    return np.asarray(nms(corners.astype(np.float64), boxes[:, 4], 0.0, overlap), np.int64)


def non_maximum_suppression_inner(boxes: Floats, overlap: float) -> np.ndarray:
    """As `non_maximum_suppression`, with overlap as intersection over the smaller box: a box inside another goes."""
    if len(boxes) < 2:
        return np.arange(len(boxes))
    order = np.argsort(-boxes[:, 4], kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    keep: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(int(best))
        low, high = np.maximum(boxes[best, :2], boxes[rest, :2]), np.minimum(boxes[best, 2:4], boxes[rest, 2:4])
        inter = np.prod(np.maximum(high - low, 0), axis=1)
        order = rest[inter <= overlap * np.minimum(area[best], area[rest])]
    return np.array(keep, dtype=np.int64)


def square_boxes(boxes: Floats) -> Floats:
    """Boxes (n, 5) grown to squares about their middles."""
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = np.max(boxes[:, 2:4] - boxes[:, :2], axis=1, initial=0, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half, boxes[:, 4:]], 1).astype(np.float32)


def regress_boxes(boxes: Floats, shift: Floats, score: Floats) -> Floats:
    """Boxes moved by a network's regression, in shares of their sides, with its score."""
    side = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
    return np.column_stack([boxes[:, :4] + shift * side, score]).astype(np.float32)
