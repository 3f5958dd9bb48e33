"""One picture in any form: a path, a file's bytes, a PIL image or an array."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskgen.core.images import DEFAULT_MAX_PIXELS, Levels, Photo, on_white, photo_of, pillow_pixels, read_photo

Picture = Any  # Photo, str, Path, bytes, PIL.Image.Image, or an array, see `photo_from`


def photo_from(picture: Picture, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """A picture as a `Photo`.

    Args:
        picture: a Photo; the path or the bytes of a picture file; a PIL image, of 16 bits too; or uint8
            (height, width, 3) RGB, (height, width, 4) RGBA or (height, width) grey.

    The hash is of the file's bytes, or of the pixels without a file; the random draws of a mask depend on it.

    Raises:
        SetAsideError: the file is not a picture, with its `reason`.
        ValueError: an array of another shape or type, or a PIL image of mode I or F.
        TypeError: something else.
    """
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, (str, Path)):
        return read_photo(Path(picture), max_pixels)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return photo_of(bytes(picture), max_pixels)
    if hasattr(picture, "getexif"):
        return _of_pixels(*pillow_pixels(picture))
    if isinstance(picture, np.ndarray):
        return _of_pixels(picture)
    if hasattr(picture, "read"):
        raise TypeError(f"{type(picture).__name__} is not a picture: give its bytes, as .read() returns them")
    raise TypeError(
        f"{type(picture).__name__} is not a picture: give a path, bytes, a PIL image or uint8 RGB (height, width, 3)"
    )


def _of_pixels(pixels: np.ndarray, levels: Levels | None = None) -> Photo:
    if 0 in pixels.shape:
        raise ValueError(f"expected a uint8 RGB picture (height, width, 3), got an empty one, {pixels.shape}")
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise ValueError(f"expected a uint8 RGB picture (height, width, 3), got {pixels.dtype} {pixels.shape}")
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_GRAY2RGB)
    elif pixels.shape[2] == 4:
        pixels = on_white(pixels)
    pixels = np.ascontiguousarray(pixels)
    return Photo(pixels, hashlib.sha256(pixels.tobytes()).hexdigest(), levels)
