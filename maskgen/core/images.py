"""Decoding and encoding of picture files.

The header (`headers.py`) gives format and size, so files that are not pictures or are too large are not decoded. OpenCV
decodes, because it is fast and supports 16 bits; Pillow decodes formats that OpenCV does not support.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maskgen.core.headers import Header, broken, ends_early, jpeg_quality, read_header
from maskgen.core.pillow_files import opened
from maskgen.core.quiet import silenced
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Image, Mask, check_image

if TYPE_CHECKING:
    from PIL import Image as Pillow

DEFAULT_MAX_PIXELS = 100_000_000
MAX_BYTES = 1 << 30
ORIENTATION = 0x0112  # the EXIF tag
# 12 or fewer sensor bits in a 16-bit file: scaled by the full range the picture would be black.
FEW_LEVELS = 1 << 12
_STRIP = 1 << 16  # pixels that are converted at once

Levels = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photograph, uint8 RGB (height, width, 3), and the SHA-256 of its file's bytes, as hex.

    `levels` are the 16-bit values that became 0 and 255 if the file uses a narrow range, None for the full range;
    `quality` is a JPEG's, 1..100, see `core.headers`, None for any other.
    """

    image: Image
    sha256: str
    levels: Levels | None = None
    quality: int | None = None

    def __post_init__(self) -> None:
        check_image(self.image)


def read_photo(path: Path, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Read and decode a picture file: EXIF orientation applied, alpha composited on white, 16 bits scaled to 8.

    If a 16-bit file's values span less than 1/16 of the 16-bit range, they are stretched to 0..255.

    Raises:
        SetAsideError: UNREADABLE, NOT_A_PICTURE, BROKEN_PICTURE or TOO_MANY_PIXELS, with a detail.
    """
    return photo_of(read_file(path), max_pixels)


def photo_of(data: bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """A picture file's bytes as a photograph; see `read_photo`."""
    image, levels = _decode(data, max_pixels)
    return Photo(image, hashlib.sha256(data).hexdigest(), levels, jpeg_quality(data))


def read_file(path: Path) -> bytes:
    """The bytes of a file that may be a picture.

    Raises:
        SetAsideError: UNREADABLE, or NOT_A_PICTURE for a file that is not regular or larger than any picture.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SetAsideError(Reason.NOT_A_PICTURE, "not a regular file")
        if status.st_size > MAX_BYTES:
            raise SetAsideError(Reason.NOT_A_PICTURE, f"{status.st_size} bytes are more than any picture has")
        return path.read_bytes()
    except OSError as fault:
        raise SetAsideError(Reason.UNREADABLE, fault.strerror or type(fault).__name__) from None


def decode(data: bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image:
    """A picture file's bytes as uint8 RGB (height, width, 3); see `read_photo`."""
    return _decode(data, max_pixels)[0]


def _decode(data: bytes, max_pixels: int) -> tuple[Image, Levels | None]:
    header = read_header(data)
    if header.width * header.height > max_pixels:
        raise SetAsideError(
            Reason.TOO_MANY_PIXELS, f"{header.width} x {header.height} is more than {max_pixels} pixels"
        )
    if ends_early(data, header.format):
        raise SetAsideError(Reason.BROKEN_PICTURE, f"the {header.format} file ends early")
    try:
        with silenced():
            return _pixels(data, header)
    except Exception as fault:  # a broken file can raise any exception in a decoder
        raise broken(fault) from None


def _pixels(data: bytes, header: Header) -> tuple[Image, Levels | None]:
    if header.format == "JPEG":
        image, levels = _opencv(data, cv2.IMREAD_COLOR_RGB), None
    else:
        image, levels = _any_depth(data, header.format)
    return _pillow(data) if image is None else (image, levels)


def kind_and_size(data: bytes) -> tuple[str, int, int]:
    """A picture file's format ("JPEG"), width and height, from its header.

    Raises:
        SetAsideError: NOT_A_PICTURE or BROKEN_PICTURE, the latter also where a JPEG or PNG ends early.
    """
    header = read_header(data)
    if ends_early(data, header.format):
        raise SetAsideError(Reason.BROKEN_PICTURE, f"the {header.format} file ends early")
    return header.format, header.width, header.height


def _opencv(data: bytes, flags: int) -> np.ndarray | None:
    """The picture decoded by OpenCV; None if it cannot, so that Pillow is tried."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _any_depth(data: bytes, format: str) -> tuple[Image | None, Levels | None]:
    """Formats that may have alpha, 16 bits, floats or an orientation, as 8-bit RGB; None if OpenCV cannot decode."""
    raw = None if format in ("GIF", "MPO") else _opencv(data, cv2.IMREAD_UNCHANGED)
    if raw is None or (raw.ndim == 3 and raw.shape[2] > 3 and format not in ("PNG", "WEBP", "AVIF", "BMP")):
        return None, None  # four channels of a TIFF may be CMYK: leave it to Pillow
    levels = _narrow_range(raw)
    image = _rgb(raw, levels)
    del raw  # of a large picture a gigabyte
    if format == "TIFF":
        return image, levels  # OpenCV's TIFF reader already applies the orientation
    return np.ascontiguousarray(_upright(image, data)), levels


def _narrow_range(raw: np.ndarray) -> Levels | None:
    """The values of a 16-bit picture that become 0 and 255 if it uses a narrow range."""
    if raw.dtype != np.uint16:
        return None
    colour = raw[..., :-1] if _has_alpha(raw) else raw
    low, high = int(colour.min()), int(colour.max())
    return (low, high) if 0 < high - low < FEW_LEVELS else None


def _has_alpha(raw: np.ndarray) -> bool:
    return raw.ndim == 3 and raw.shape[2] in (2, 4)


def _strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture, some at a time: copies of a whole large one take gigabytes."""
    rows = max(_STRIP // max(width, 1), 1)
    return (slice(top, top + rows) for top in range(0, height, rows))


def _rgb(raw: np.ndarray, levels: Levels | None) -> Image:
    """What OpenCV decoded, at any depth and with one to four channels, as 8-bit RGB."""
    image = np.empty((*raw.shape[:2], 3), np.uint8)
    for rows in _strips(*raw.shape[:2]):
        eight = _eight_bits(raw[rows], levels)
        channels = 1 if eight.ndim == 2 else eight.shape[2]
        if channels == 4:
            image[rows] = on_white(cv2.cvtColor(eight, cv2.COLOR_BGRA2RGBA))
        elif channels == 3:
            image[rows] = cv2.cvtColor(eight, cv2.COLOR_BGR2RGB)
        else:
            image[rows] = eight.reshape(*eight.shape[:2], channels)[..., :1]
    return image


def _eight_bits(raw: np.ndarray, levels: Levels | None) -> np.ndarray:
    """Any depth as 8 bits; `levels` are the 16-bit values that become 0 and 255, None for the full range."""
    if raw.dtype == np.uint8:
        return raw
    if raw.dtype != np.uint16:
        return np.clip(np.rint(np.nan_to_num(raw.astype(np.float64)) * 255), 0, 255).astype(np.uint8)
    if levels is None:
        return _scaled(raw, 0, 65535)
    if not _has_alpha(raw):
        return _scaled(raw, *levels)
    return np.dstack([_scaled(raw[..., :-1], *levels), _scaled(raw[..., -1], 0, 65535)])


def _scaled(values: np.ndarray, low: int, high: int) -> np.ndarray:
    """Values from low to high as 0 to 255, rounded."""
    span = high - low
    return (((values.astype(np.uint32) - low) * 255 + span // 2) // span).astype(np.uint8)


def on_white(rgba: np.ndarray) -> Image:
    """RGBA composited on white: transparent pixels have arbitrary colours, often black."""
    image = np.empty((*rgba.shape[:2], 3), np.uint8)
    for rows in _strips(*rgba.shape[:2]):
        alpha = rgba[rows, :, 3:].astype(np.uint16)
        image[rows] = (rgba[rows, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return image


def _upright(image: Image, data: bytes) -> Image:
    """The picture rotated by its orientation tag; for an animated PNG Pillow reads all frames to find the tag."""
    with opened(data) as picture:
        turn = picture.getexif().get(ORIENTATION, 1)
    if turn in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        image = image[:, ::-1]
    if turn in (3, 4, 7, 8):
        image = image[::-1]
    return image


def _pillow(data: bytes) -> tuple[Image, Levels | None]:
    """The picture decoded by Pillow."""
    with opened(data) as picture:
        return pillow_pixels(picture)


def pillow_pixels(picture: Pillow.Image) -> tuple[Image, Levels | None]:
    """A PIL image as uint8 RGB, by the rules of `read_photo`, and the levels of `Photo`.

    Raises:
        ValueError: a mode whose values have no fixed range, I or F.
    """
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):
        grey = np.asarray(upright).astype(np.uint16)  # some are big-endian
        levels = _narrow_range(grey)
        return _rgb(grey, levels), levels
    if upright.mode in ("I", "F"):
        raise ValueError(
            f"the values of a picture of mode {upright.mode} have no fixed range: scale them to 0..255 and give uint8"
        )
    image = np.empty((upright.height, upright.width, 3), np.uint8)
    for rows in _strips(upright.height, upright.width):
        strip = upright.crop((0, rows.start, upright.width, min(rows.stop, upright.height)))
        if upright.has_transparency_data:
            image[rows] = on_white(np.asarray(strip.convert("RGBA")))
        else:
            image[rows] = np.asarray(strip.convert("RGB"))
    return image, None


_SMALL_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 3]
_FAST_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]


def encode_image(image: Image | Mask, format: str = "jpg", quality: int = 95, fast: bool = False) -> bytes:
    """An RGB picture or a grey mask as a file's bytes; `format` is "jpg" or "png", `quality` 1..100 is JPEG's. A `fast`
    PNG is a tenth larger, and takes less than half of the time."""
    if format not in ("jpg", "png"):
        raise ValueError(f"format {format!r} is neither jpg nor png")
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if format == "jpg" else _FAST_PNG if fast else _SMALL_PNG
    done, data = cv2.imencode(f".{format}", stored, options)
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be stored as {format}")
    return data.tobytes()
