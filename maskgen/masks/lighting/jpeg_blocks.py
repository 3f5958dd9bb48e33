"""JPEG artefacts of the photograph applied to its mask: the same grid of blocks and the same quality."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Image, Mask

WORST = 90  # quality from which artefacts are invisible
SMALLEST = 0.5  # crop pixels per pixel of the photograph, below which resizing has removed the blocks
LARGEST = 3.0  # crop pixels per pixel of the photograph, above which the computation would take too long
UNCHANGED = 128  # byte that encodes no change; larger changes are clipped
BLOCK = 16  # side, in pixels, of a block with subsampled colours


def compress_mask_as_jpeg(image: Image, coverage: Mask, matrix: Doubles, quality: int | None) -> Image:
    """A masked picture with the mask compressed as its photograph was.

    Args:
        image: uint8 RGB (h, w, 3), a crop of the photograph with a mask on it.
        coverage: uint8 (h, w), where the mask is; nothing else changes.
        matrix: (2, 3), from the photograph's pixels to the crop's.
        quality: of the photograph's file, see `core.headers`; None if it is not a JPEG.
    """
    (across, up), (down, along) = matrix[:, :2].tolist()
    scale = math.sqrt(abs(across * along - up * down))
    if quality is None or quality >= WORST or not SMALLEST <= scale <= LARGEST or not coverage.any():
        return image
    to_photo = cv2.invertAffineTransform(matrix)
    x, y, wide, tall = _blocks_about(coverage, to_photo)
    to_part = to_photo - np.array([[0, 0, x], [0, 0, y]])
    # OpenCV warps four channels of bytes in a third of the time that it takes for three of 16 bits.
    four = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    part = cv2.warpAffine(four, to_part, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = cv2.addWeighted(_coded(part, quality), 1, part, -1, UNCHANGED)
    left, up, columns, rows = cv2.boundingRect(coverage)
    from_here = to_part.copy()
    from_here[:, 2] += to_part[:, :2] @ (left, up)
    linear = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(change, from_here, (columns, rows), flags=linear, borderValue=[UNCHANGED] * 4)
    here = (slice(up, up + rows), slice(left, left + columns))
    share = cv2.cvtColor(coverage[here], cv2.COLOR_GRAY2RGB)
    moved = cv2.subtract(cv2.cvtColor(back, cv2.COLOR_RGBA2RGB), (UNCHANGED,) * 3, dtype=cv2.CV_16S)
    out = image.copy()
    out[here] = cv2.add(image[here], cv2.multiply(moved, share, scale=1 / 255, dtype=cv2.CV_16S), dtype=cv2.CV_8U)
    return out


def _blocks_about(coverage: Mask, to_photo: Doubles) -> tuple[int, int, int, int]:
    """The photograph's blocks that contain the mask: x, y, columns, rows."""
    x, y, wide, tall = cv2.boundingRect(coverage)
    corners = np.array([[x, y], [x + wide, y], [x, y + tall], [x + wide, y + tall]], np.float64)
    placed = corners @ to_photo[:, :2].T + to_photo[:, 2]
    first = np.floor(placed.min(0) / BLOCK).astype(int)
    last = np.ceil(placed.max(0) / BLOCK).astype(int) + 1
    left, up = (BLOCK * first).tolist()
    columns, rows = (BLOCK * (last - first)).tolist()
    return left, up, columns, rows


def _coded(part: Image, quality: int) -> NDArray[np.uint8]:
    """The picture (h, w, 4), encoded as a JPEG of this quality and decoded, (h, w, 4)."""
    data = cv2.imencode(".jpg", cv2.cvtColor(part, cv2.COLOR_RGBA2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), cv2.COLOR_RGB2RGBA), np.uint8)
