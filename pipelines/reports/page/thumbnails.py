"""Thumbnails small enough that a page with hundreds of them stays below its size limit."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from maskgen.core.records import Image

SIDE = 144  # pixels
MOST = 4_600  # bytes of a JPEG; base64 adds a third
_QUALITIES = (82, 72, 60, 45, 30, 15, 5)
_READERS = 4
_HARDLY = 0.75

_A = TypeVar("_A")
_B = TypeVar("_B")


def thumbnail(image: Image, side: int = SIDE, most: int = MOST) -> str:
    """A picture within side x side pixels as base64 of a JPEG of at most `most` bytes, if the lowest quality allows."""
    from maskgen.core.images import encode_image

    small = _within(image, side)
    data = b""
    for quality in _QUALITIES:
        data = encode_image(small, "jpg", quality)
        if len(data) <= most:
            break
    return base64.b64encode(data).decode("ascii")


def _within(image: Image, side: int) -> Image:
    """The picture within side x side pixels. One that is hardly larger, as most crops are, needs no average over areas,
    which takes ten times as long: next to decoding that was most of a page's cost."""
    import cv2
    import numpy as np

    from maskgen.core.contact_sheets import fit

    if not _HARDLY <= side / max(image.shape[:2]) < 1:
        return fit(image, side)
    height, width = size_within(image, side)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def size_within(image: Image, side: int = SIDE) -> tuple[int, int]:
    """Height and width of a picture's thumbnail."""
    scale = min(side / max(image.shape[:2]), 1.0)
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    return height, width


def of_all(make: Callable[[_A], _B], items: Iterable[_A]) -> Sequence[_B]:
    """`make` of each, in order, in a few threads: reading waits, and decoders release the GIL."""
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(make, items))


class Pictures:
    """The thumbnails of a page, each once; items refer to them by number."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self._known: dict[str, int] = {}

    def add(self, data: str | None) -> int | None:
        """The number of a thumbnail, None for none."""
        if data is None:
            return None
        if data not in self._known:
            self._known[data] = len(self.stored)
            self.stored.append(data)
        return self._known[data]
