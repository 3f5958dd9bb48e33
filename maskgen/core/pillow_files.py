"""Picture files opened by Pillow: picture formats only, without its warnings and its pixel limit.

Pillow also opens documents and scientific data, and passes PostScript to an external program. Its pixel limit is
disabled here: callers check the size before decoding. It is imported with the first such file, in a fiftieth of a
second: plain JPEGs, of which most sources are, do without it.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFile

# Tried in this order, the most common first. JPEG includes MPO.
FORMATS = (
    *("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000"),
    *("PCX", "PSD", "QOI", "SGI", "SUN", "TGA"),
)


@contextmanager
def opened(data: bytes) -> Iterator[ImageFile.ImageFile]:
    """A picture file opened by Pillow, its pixels not yet decoded.

    Raises:
        PIL.UnidentifiedImageError: the bytes are not in one of `FORMATS`.
        Exception: any exception of Pillow's parsers on a damaged file.
    """
    from PIL import Image as Pillow

    with _unlimited(), Pillow.open(io.BytesIO(data), formats=_formats()) as picture:
        yield picture


@lru_cache
def _formats() -> tuple[str, ...]:
    """The formats that this build of Pillow supports."""
    from PIL import Image as Pillow

    Pillow.init()
    return tuple(name for name in FORMATS if name in Pillow.OPEN)


class _Unlimited:
    """Disables Pillow's pixel limit and warnings, both global, while any thread has a file open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        from PIL import Image as Pillow

        with self._lock:
            if self._users == 0:
                self._undo.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                self._undo.callback(setattr, Pillow, "MAX_IMAGE_PIXELS", Pillow.MAX_IMAGE_PIXELS)
                Pillow.MAX_IMAGE_PIXELS = None
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._undo.close()


_shared = _Unlimited()


def _unlimited() -> _Unlimited:
    return _shared
