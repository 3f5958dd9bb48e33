"""Pictures made smaller by areas, many at once, by the kernel `reduce_areas`: OpenCV's INTER_AREA, to the bit.

OpenCV adds up a picture that does not become smaller by a whole number one colour at a time, in twice the time.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from maskgen.core.kernels.arena import JobType, arena_of_thread
from maskgen.core.records import Image

FLOAT4, TAP = 16, 8  # bytes
MOST = 1 << 20  # bytes of a picture that is copied to the kernel
Place = tuple[int, int, int, int]  # x, y, columns, rows
# The structure `Areas` of `kernels/area.c`, in its order.
_JOB = JobType("count each taps lines")


def fitted_onto(rows: int, columns: int, placed: Sequence[tuple[Image, Place]]) -> Image:
    """A black canvas, uint8 (rows, columns, 3), with pictures on it, each as large as its place: made smaller by areas,
    or larger by linear interpolation. Places do not overlap and lie on the canvas."""
    arena = arena_of_thread()
    arena.begin()
    canvas_at, canvas = arena.room((rows, columns, 3), np.uint8)
    canvas[...] = 0
    each, taps, line, last, last_at = list[int](), 0, 0, None, 0
    for image, (x, y, wide, tall) in placed:
        height, width = image.shape[:2]
        if not _by_kernel(image, wide, tall):
            _fit(image, canvas[y : y + tall, x : x + wide])
            continue
        if image is not last:
            last, last_at = image, arena.put(image)
        each += last_at, canvas_at + 3 * (y * columns + x), height, width, tall, wide, 3 * columns
        taps, line = max(taps, width + 2 * wide + height // tall + 2), max(line, width + 2 * wide + 3)
    if each:
        count, of = len(each) // 7, arena.put(np.array(each, np.uint32))
        arena.call("reduce_areas", arena.job(_JOB, count, of, arena.space(TAP * taps), arena.space(FLOAT4 * line)))
    return canvas.copy()


def _by_kernel(image: Image, wide: int, tall: int) -> bool:
    """Whether the kernel is faster: by a whole number OpenCV adds up many pixels at once."""
    height, width = image.shape[:2]
    return tall <= height and wide <= width and bool(height % tall or width % wide) and image.nbytes <= MOST


def _fit(image: Image, to: Image) -> None:
    shrinks = image.shape[0] > to.shape[0] or image.shape[1] > to.shape[1]
    cv2.resize(image, to.shape[1::-1], to, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
