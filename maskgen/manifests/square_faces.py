"""Pictures for other formats: square faces of one size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from maskgen.core.images import decode, encode_image, kind_and_size
from maskgen.core.reasons import SetAsideError, UserError
from maskgen.formats.any_path import AnyPath
from maskgen.formats.reading import read_bytes

from .catalogue import Images
from .schema import Ints


def encoded_pictures(images: Images, rows: Ints, folders: Sequence[AnyPath], size: int) -> Iterator[bytes]:
    """Pictures of these rows: JPEGs of size x size pixels unchanged, others decoded, resized and encoded again.

    Args:
        folders: the run folder of each person of `images`.

    Raises:
        UserError: a picture cannot be read or is not square.
    """
    for row in rows.tolist():
        yield _fitting(folders[int(images.person[row])], images.paths[row].as_py(), size)


def raw_picture(folder: AnyPath, path: str) -> bytes:
    """A picture's file, unchanged.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return read_bytes(folder, path)
    except SetAsideError as error:
        raise UserError(f"{folder}/{path} cannot be read ({error}): mask again.") from error


def _fitting(folder: AnyPath, path: str, size: int) -> bytes:
    data = raw_picture(folder, path)
    try:
        kind, width, height = kind_and_size(data)
        if (kind, width, height) == ("JPEG", size, size):
            return data
        image = decode(data, max_pixels=2**31)
    except SetAsideError as error:
        raise UserError(f"{folder}/{path} does not decode ({error}): mask again, or leave out --also.") from error
    height, width = image.shape[:2]
    if height != width:
        raise UserError(f"{folder}/{path} is {width}x{height} and --also needs square faces: mask with --crop face.")
    way = cv2.INTER_AREA if height > size else cv2.INTER_CUBIC
    return encode_image(np.asarray(cv2.resize(image, (size, size), interpolation=way), np.uint8), "jpg", 95)
