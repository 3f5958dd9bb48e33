"""Test pairs as InsightFace's .bin: a pickle of encoded pictures, two a pair, and whether each pair is one person."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.images import encode_image, read_photo
from maskgen.core.reasons import SetAsideError, UserError

from .catalogue import Images
from .schema import Pairs
from .table import whole_file


def save_bin(path: Path, pictures: Iterable[bytes], same: Sequence[bool]) -> None:
    """Write a .bin that InsightFace's and other loaders of the format read.

    Args:
        pictures: encoded pictures, first and second of each pair in turn.
        same: whether each pair is one person.

    Raises:
        ValueError: there are not two pictures a pair.
    """
    encoded = list(pictures)
    if len(encoded) != 2 * len(same):
        raise ValueError(f"{len(encoded)} pictures for {len(same)} pairs")
    with whole_file(path) as file:
        pickle.dump((encoded, [bool(value) for value in same]), file, protocol=4)


def encoded_pictures(images: Images, pairs: Pairs, folders: Sequence[Path], size: int) -> Iterator[bytes]:
    """The pictures of the pairs for `save_bin`: JPEGs of size x size as they are, others decoded and resized.

    Args:
        folders: the run folder of each person of `images`.

    Raises:
        UserError: a picture does not decode or is not square.
    """
    for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        for row in (first, second):
            yield _fitting(folders[int(images.person[row])] / images.paths[row].as_py(), size)


def _fitting(path: Path, size: int) -> bytes:
    try:
        image = read_photo(path, max_pixels=2**31).image
    except SetAsideError as error:
        raise UserError(f"{path} does not decode ({error}): mask again, or leave out --also bin.") from error
    height, width = image.shape[:2]
    if height != width:
        raise UserError(f"test.bin holds square faces and {path} is {width}x{height}: mask with --crop face.")
    data = path.read_bytes()
    if height == size and data[:2] == b"\xff\xd8":
        return data
    way = cv2.INTER_AREA if height > size else cv2.INTER_CUBIC
    return encode_image(np.asarray(cv2.resize(image, (size, size), interpolation=way), np.uint8), "jpg", 95)
