"""Picture files, read whole and with care.

Format and size are told from a file's header (`headers.py`), so that nothing is decoded that is not a picture or is too
large; OpenCV decodes, because it is fast and knows 16 bits; Pillow decodes what OpenCV does not know.
"""

from __future__ import annotations

import hashlib
import io
import stat
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from maskgen.core.headers import ends_early, read_header
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Image, Mask, check_image

DEFAULT_MAX_PIXELS = 100_000_000
MAX_BYTES = 1 << 30
ORIENTATION = 0x0112  # the EXIF tag


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photograph, uint8 RGB (height, width, 3), and the SHA-256 of its file's bytes, as hex."""

    image: Image
    sha256: str

    def __post_init__(self) -> None:
        check_image(self.image)


def read_photo(path: Path, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Read and decode a picture file, upright as its EXIF says, alpha laid on white, 16 bits scaled to 8.

    Raises:
        SetAsideError: UNREADABLE, NOT_A_PICTURE, BROKEN_PICTURE or TOO_MANY_PIXELS, with a detail.
    """
    data = read_file(path)
    return Photo(decode(data, max_pixels), hashlib.sha256(data).hexdigest())


def read_file(path: Path) -> bytes:
    """The bytes of a file that may be a picture.

    Raises:
        SetAsideError: UNREADABLE, or NOT_A_PICTURE for what is no regular file or larger than any picture.
    """
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise SetAsideError(Reason.NOT_A_PICTURE, "not a regular file")
        if status.st_size > MAX_BYTES:
            raise SetAsideError(Reason.NOT_A_PICTURE, f"{status.st_size} bytes are more than any picture has")
        return Path(path).read_bytes()
    except OSError as fault:
        raise SetAsideError(Reason.UNREADABLE, fault.strerror or type(fault).__name__) from None


def decode(data: bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image:
    """A picture file's bytes as uint8 RGB (height, width, 3); see `read_photo`."""
    header = read_header(data, max_pixels)
    if header.width * header.height > max_pixels:
        raise SetAsideError(
            Reason.TOO_MANY_PIXELS, f"{header.width} x {header.height} is more than {max_pixels} pixels"
        )
    if ends_early(data, header.format):
        raise SetAsideError(Reason.BROKEN_PICTURE, f"the {header.format} file ends early")
    is_jpeg = header.format == "JPEG"
    image = _opencv(data, cv2.IMREAD_COLOR_RGB) if is_jpeg else _any_depth(data, header.format)
    return _pillow(data) if image is None else image


def kind_and_size(data: bytes) -> tuple[str, int, int]:
    """A picture file's format ("JPEG"), width and height, from its header.

    Raises:
        SetAsideError: NOT_A_PICTURE or BROKEN_PICTURE, the latter also where a JPEG or PNG ends early.
    """
    header = read_header(data, 2**31)
    if ends_early(data, header.format):
        raise SetAsideError(Reason.BROKEN_PICTURE, f"the {header.format} file ends early")
    return header.format, header.width, header.height


def _opencv(data: bytes, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _any_depth(data: bytes, format: str) -> Image | None:
    """Formats that may have alpha, 16 bits, floats or an orientation, as 8-bit RGB; None where OpenCV cannot."""
    raw = _opencv(data, cv2.IMREAD_UNCHANGED)
    if raw is None or format in ("GIF", "MPO"):
        return None
    eight = _eight_bits(raw)
    channels = 1 if eight.ndim == 2 else eight.shape[2]
    if channels in (1, 2):
        image = cv2.cvtColor(eight if eight.ndim == 2 else np.ascontiguousarray(eight[..., 0]), cv2.COLOR_GRAY2RGB)
    elif channels == 3:
        image = cv2.cvtColor(eight, cv2.COLOR_BGR2RGB)
    elif channels == 4 and format in ("PNG", "WEBP", "AVIF", "BMP"):
        image = _on_white(cv2.cvtColor(eight, cv2.COLOR_BGRA2RGBA))
    else:
        return None  # four channels of a TIFF may be CMYK: Pillow knows
    if format == "TIFF":
        return image  # OpenCV's TIFF reader turns it already
    return np.ascontiguousarray(_upright(image, data))


def _eight_bits(raw: np.ndarray) -> np.ndarray:
    if raw.dtype == np.uint8:
        return raw
    if raw.dtype == np.uint16:
        return ((raw.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return np.clip(np.rint(np.nan_to_num(raw.astype(np.float64)) * 255), 0, 255).astype(np.uint8)


def _on_white(rgba: np.ndarray) -> Image:
    """Transparent pixels hold any colour, often black; a page shows white through them."""
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _upright(image: Image, data: bytes) -> Image:
    """The picture turned as its orientation tag says."""
    with warnings.catch_warnings(), suppress(UnidentifiedImageError):
        warnings.simplefilter("ignore")
        with Pillow.open(io.BytesIO(data)) as picture:
            turn = picture.getexif().get(ORIENTATION, 1)
        if turn in (5, 6, 7, 8):
            image = image.transpose(1, 0, 2)
        if turn in (2, 3, 6, 7):
            image = image[:, ::-1]
        if turn in (3, 4, 7, 8):
            image = image[::-1]
    return image


def _pillow(data: bytes) -> Image:
    """What OpenCV does not decode, by Pillow."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data)) as picture:
                upright = ImageOps.exif_transpose(picture)
                if upright.has_transparency_data:
                    return _on_white(np.array(upright.convert("RGBA")))
                return np.array(upright.convert("RGB"))
    except Exception as fault:  # a broken file can raise anything in Pillow's decoders
        raise SetAsideError(Reason.BROKEN_PICTURE, f"{type(fault).__name__}: {fault}") from None


def encode_image(image: Image | Mask, format: str = "jpg", quality: int = 95) -> bytes:
    """An RGB picture or a grey mask as a file's bytes; `format` is "jpg" or "png", `quality` 1..100 is JPEG's."""
    if format not in ("jpg", "png"):
        raise ValueError(f"format {format!r} is neither jpg nor png")
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if format == "jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 3]
    done, data = cv2.imencode(f".{format}", stored, options)
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be stored as {format}")
    return data.tobytes()
