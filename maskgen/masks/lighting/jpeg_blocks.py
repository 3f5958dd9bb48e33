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


def compress_mask_as_jpeg(
    image: Image, coverage: Mask, matrix: Doubles, quality: int | None, in_place: bool = False
) -> Image:
    """A masked picture with the mask compressed as its photograph was, by the kernel `jpeg_blocks`.

    Args:
        image: uint8 RGB (h, w, 3), a crop of the photograph with a mask on it.
        coverage: uint8 (h, w), where the mask is; nothing else changes.
        matrix: (2, 3), from the photograph's pixels to the crop's.
        quality: of the photograph's file, see `core.headers`; None if it is not a JPEG.
        in_place: the result is `image` itself.
    """
    if quality is None or quality >= WORST:
        return image
    (a, b, _), (d, e, _) = to_crop = matrix.tolist()
    if not SMALLEST <= math.sqrt(abs(a * e - b * d)) <= LARGEST:
        return image
    box = cv2.boundingRect(coverage)
    if not box[2]:
        return image
    to_photo = _inverse(to_crop)
    x, y, wide, tall = _squares_about(box, to_photo)
    left, up, columns, rows = _within(_ends((x, y, wide - 1, tall - 1), to_crop), image.shape)
    here = (slice(up, up + rows), slice(left, left + columns))
    maps = _between(to_crop, (x, y), (left, up)), _between(to_photo, (left, up), (x, y))
    out = image if in_place else image.copy()
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
    wide, tall = SQUARE * across, SQUARE * down
    part, whole, half = (wide + 3) * (tall + 3) * 4, wide * tall, (wide // 2 + 2) * (tall // 2 + 2)
    at = arena.space(part + whole + 2 * half + across * down)
    job = (
        *(rows, columns, out_at, arena.put(coverage), across, down, at),
        *(luma := at + part, blue := luma + whole, red := blue + half, red + half),
        *(arena.kept(quantisation_steps(quality)), *maps[0], *maps[1]),
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


def _inverse(rows: Affine) -> Affine:
    """The affine map back."""
    (a, b, c), (d, e, f) = rows
    share = 1 / (a * e - b * d)
    a, b, d, e = e * share, -b * share, -d * share, a * share
    return (a, b, -a * c - b * f), (d, e, -d * c - e * f)


def _between(rows: Affine, origin: tuple[int, int], other: tuple[int, int]) -> list[float]:
    """The numbers of an affine map of places that are counted from `origin` to those that are counted from `other`."""
    (a, b, c), (d, e, f) = rows
    x, y = origin
    return [a, b, a * x + b * y + c - other[0], d, e, d * x + e * y + f - other[1]]


def _ends(box: Box, rows: Affine) -> tuple[float, float, float, float]:
    """The least and the greatest x, and y, that an affine map gives to the corners of a box."""
    (a, b, c), (d, e, f) = rows
    x, y, wide, tall = box
    right, low = x + wide, y + tall
    # Of each product the lesser one and the greater one, without a call.
    left_x, right_x = (a * x, a * right) if a > 0 else (a * right, a * x)
    upper_x, lower_x = (b * y, b * low) if b > 0 else (b * low, b * y)
    left_y, right_y = (d * x, d * right) if d > 0 else (d * right, d * x)
    upper_y, lower_y = (e * y, e * low) if e > 0 else (e * low, e * y)
    return left_x + upper_x + c, right_x + lower_x + c, left_y + upper_y + f, right_y + lower_y + f


def _within(ends: tuple[float, float, float, float], shape: tuple[int, ...]) -> Box:
    """The pixels of a picture of this shape, at least one, that contain what lies between these ends."""
    left, right, up, low = ends
    most_rows, most_columns = shape[:2]
    first, top = min(max(math.floor(left), 0), most_columns - 1), min(max(math.floor(up), 0), most_rows - 1)
    return first, top, min(math.ceil(right) + 1, most_columns) - first, min(math.ceil(low) + 1, most_rows) - top


def _squares_about(box: Box, to_photo: Affine) -> Box:
    """The photograph's squares that contain the mask, whose box is in the crop."""
    left, right, up, low = _ends(box, to_photo)
    x, y = SQUARE * math.floor(left / SQUARE), SQUARE * math.floor(up / SQUARE)
    return x, y, SQUARE * math.ceil(right / SQUARE) - x, SQUARE * math.ceil(low / SQUARE) - y
