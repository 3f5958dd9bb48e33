"""Picture files opened by Pillow: formats that are pictures and no others, without its warnings and its pixel limit.

Pillow also opens documents and scientific data, and hands PostScript to an outside program. Its limit on pixels does
not apply here: whoever opens a file compares the size with a limit before anything is decoded.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache

from PIL import Image as Pillow
from PIL import ImageFile

# In the order in which they are tried, the commonest first. JPEG includes MPO.
FORMATS = (
    *("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000"),
    *("PCX", "PSD", "QOI", "SGI", "SUN", "TGA"),
)


@contextmanager
def opened(data: bytes) -> Iterator[ImageFile.ImageFile]:
    """A picture file opened by Pillow, its pixels not yet decoded.

    Raises:
        PIL.UnidentifiedImageError: the bytes are none of `FORMATS`.
        Exception: whatever else Pillow's parsers raise of a damaged file.
    """
    with _unlimited(), Pillow.open(io.BytesIO(data), formats=_formats()) as picture:
        yield picture


@lru_cache
def _formats() -> tuple[str, ...]:
    """Those formats that this build of Pillow has."""
    Pillow.init()
    return tuple(name for name in FORMATS if name in Pillow.OPEN)


class _Unlimited:
    """Pillow's pixel limit and its warnings, both global, switched off while any thread has a file open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
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
