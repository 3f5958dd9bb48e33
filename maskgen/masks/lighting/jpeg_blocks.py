"""JPEG artefacts of the photograph applied to its mask: the same grid of blocks and the same quality."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from maskgen.core.kernels.arena import JobType, arena_of_thread
from maskgen.core.records import Doubles, Floats, Image, Mask

WORST = 90  # quality from which artefacts are invisible
SMALLEST = 0.5  # crop pixels per pixel of the photograph, below which resizing has removed the blocks
LARGEST = 3.0  # crop pixels per pixel of the photograph, above which the computation would take too long
SQUARE = 16  # side, in pixels, of what is coded together: four blocks of luma and one of each halved colour difference
# The steps at quality 50 of luma and of colour differences, which files state by a quality: JPEG standard, annex K.
STEPS = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, *(99,) * 5, 47, 66, *(99,) * 38),
)

Box = Sequence[int]  # x, y, columns, rows
Affine = Sequence[Sequence[float]]  # two rows of three numbers


def compress_mask_as_jpeg(image: Image, coverage: Mask, matrix: Doubles, quality: int | None) -> Image:
    """A masked picture with the mask compressed as its photograph was, by the kernel `jpeg_blocks`.

    Args:
        image: uint8 RGB (h, w, 3), a crop of the photograph with a mask on it.
        coverage: uint8 (h, w), where the mask is; nothing else changes.
        matrix: (2, 3), from the photograph's pixels to the crop's.
        quality: of the photograph's file, see `core.headers`; None if it is not a JPEG.
    """
    (a, b, _), (d, e, _) = to_crop = matrix.tolist()
    scale = math.sqrt(abs(a * e - b * d))
    if quality is None or quality >= WORST or not SMALLEST <= scale <= LARGEST:
        return image
    box = cv2.boundingRect(coverage)
    if not box[2]:
        return image
    to_photo = cv2.invertAffineTransform(matrix).tolist()
    x, y, wide, tall = _squares_about(box, to_photo)
    left, up, columns, rows = _within(_ends((x, y, wide - 1, tall - 1), to_crop), image.shape)
    here = (slice(up, up + rows), slice(left, left + columns))
    maps = _between(to_crop, (x, y), (left, up)), _between(to_photo, (left, up), (x, y))
    out = image.copy()
    out[here] = _changed(image[here], coverage[here], (wide // SQUARE, tall // SQUARE), quality, maps)
    return out


def _changed(
    picture: Image,
    coverage: Mask,
    squares: tuple[int, int],
    quality: int,
    maps: tuple[Sequence[float], Sequence[float]],
) -> Image:
    """The picture, compressed where it is covered; a view of the kernels' memory.

    Args:
        squares: of the part of the photograph, across and down.
        maps: from the part's pixels to the picture's and back, two rows of three numbers each.
    """
    arena, (rows, columns), (across, down) = arena_of_thread(), coverage.shape, squares
    arena.begin()
    out_at, out = arena.room((rows, columns, 3), np.uint8)
    out[...] = picture
    half = (SQUARE // 2 * across + 2) * (SQUARE // 2 * down + 2)
    job = (
        *(rows, columns, out_at, arena.put(coverage), across, down),
        arena.space((SQUARE * across + 3) * (SQUARE * down + 3) * 4),
        *(arena.space(SQUARE * across * SQUARE * down), arena.space(half), arena.space(half)),
        *(arena.space(across * down), arena.put(quantisation_steps(quality))),
        *(*maps[0], *maps[1]),
    )
    arena.call("jpeg_blocks", arena.job(_JOB, *job))
    return out


# The structure `Jpeg` of `kernels/jpeg_blocks.c`, in its order.
_JOB = JobType("rows columns picture coverage across down part luma blue red worn steps from_part:6f to_part:6f")


@cache
def quantisation_steps(quality: int) -> Floats:
    """The steps of a JPEG of this quality, (2, 64) row by row, of luma and of colour differences, as libjpeg has
    them."""
    share = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((np.array(STEPS) * share + 50) // 100, 1, 255).reshape(2, 64).astype(np.float32)


def _between(rows: Affine, origin: tuple[int, int], other: tuple[int, int]) -> list[float]:
    """The numbers of an affine map of places that are counted from `origin` to those that are counted from `other`."""
    (a, b, c), (d, e, f) = rows
    x, y = origin
    return [a, b, a * x + b * y + c - other[0], d, e, d * x + e * y + f - other[1]]


def _ends(box: Box, rows: Affine) -> tuple[float, float, float, float]:
    """The least and the greatest x, and y, that an affine map gives to the corners of a box."""
    (a, b, c), (d, e, f) = rows
    x, y, wide, tall = box
    corners = [(column, row) for row in (y, y + tall) for column in (x, x + wide)]
    across = [a * column + b * row + c for column, row in corners]
    down = [d * column + e * row + f for column, row in corners]
    return min(across), max(across), min(down), max(down)


def _within(ends: tuple[float, float, float, float], shape: tuple[int, ...]) -> Box:
    """The pixels of a picture of this shape, at least one, that contain what lies between these ends."""
    left, right, up, low = ends
    first, top = min(max(math.floor(left), 0), shape[1] - 1), min(max(math.floor(up), 0), shape[0] - 1)
    columns, rows = min(math.ceil(right) + 1, shape[1]) - first, min(math.ceil(low) + 1, shape[0]) - top
    return first, top, columns, rows


def _squares_about(box: Box, to_photo: Affine) -> Box:
    """The photograph's squares that contain the mask, whose box is in the crop."""
    left, right, up, low = _ends(box, to_photo)
    x, y = SQUARE * math.floor(left / SQUARE), SQUARE * math.floor(up / SQUARE)
    return x, y, SQUARE * math.ceil(right / SQUARE) - x, SQUARE * math.ceil(low / SQUARE) - y
