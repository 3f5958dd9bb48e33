"""Thumbnails of a run's pictures, bare and masked, and of photographs set aside; the direction of the light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskgen.core.reasons import SetAsideError
from maskgen.formats.any_path import AnyPath

from ..runs.catalogue import Row
from ..sources.output_names import unescape
from .page.thumbnails import SIDE, of_all, size_within, thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskgen.core.records import Image

DARK, MIDDLE, BRIGHT = "dark", "even", "bright"
FROM_LEFT, FROM_RIGHT = "from the left", "from the right"
LIGHTS = (DARK, MIDDLE, BRIGHT, FROM_LEFT, FROM_RIGHT)
_DARK, _BRIGHT, _SIDED = 65.0, 175.0, 1.6  # of 255, and the ratio of the two halves of the face
MOST_SOURCE_PIXELS = 4_000_000  # larger photographs take too long to decode for a report
_MOST_SHRUNK = 60_000_000  # of a photograph set aside, reduced during decoding
_EIGHTH = 8 * SIDE


@dataclass(frozen=True, slots=True)
class Shown:
    """Thumbnails of a picture and of its bare version (or None), and the light on the face, "" if unknown."""

    masked: str | None
    bare: str | None
    light: str


def show_all(
    root: AnyPath, source: AnyPath | None, rows: Sequence[Row], bare: dict[tuple[str, int], str]
) -> list[Shown]:
    """The thumbnails of rows of a catalogue.

    Args:
        root: the run's folder.
        source: of the photographs, for faces without a bare picture; None to leave those out.
        bare: paths of bare pictures by photograph and face.
    """
    return list(of_all(lambda row: _shown(root, source, row, bare), rows))


def photographs(source: AnyPath, paths: Sequence[str], max_pixels: int) -> list[str | None]:
    """Thumbnails of the source's photographs, by their keys as text; None for one that does not decode."""

    def one(path: str) -> str | None:
        image = _quickly(source, unescape(path), min(max_pixels, _MOST_SHRUNK))
        return None if image is None else thumbnail(image)

    return list(of_all(one, paths))


def _shown(root: AnyPath, source: AnyPath | None, row: Row, bare: dict[tuple[str, int], str]) -> Shown:
    image = _read(root, row["path"])
    if image is None:
        return Shown(None, None, "")
    light = light_on(image, row.get("points68"))
    plain: Image | None = None
    if (path := bare.get((row["source"], row["face"]))) is not None:
        plain = _read(root, path)
    elif source is not None and row.get("matrix"):
        plain = _cut(source, row, image)
    return Shown(thumbnail(image), None if plain is None else thumbnail(plain), light)


def _cut(source: AnyPath, row: Row, like: Image) -> Image | None:
    """The photograph's part that a picture shows, as its matrix says, in the size of the picture's thumbnail."""
    import cv2
    import numpy as np

    photograph = _read(source, unescape(row["source"]), MOST_SOURCE_PIXELS)
    if photograph is None:
        return None
    matrix = np.array(row["matrix"], np.float64).reshape(2, 3)
    height, width = size_within(like)
    scale = np.array([width / like.shape[1], height / like.shape[0]])
    # Pixel centres are at integers: the thumbnail's (0, 0) is in the middle of what it stands for.
    matrix = matrix * scale[:, None] + [[0, 0, 0.5]] * (scale[:, None] - 1)
    area = max(abs(float(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])), 1e-4)
    if area < 0.25:  # what shrinks is smoothed first, or its edges are jagged
        photograph = np.asarray(cv2.GaussianBlur(photograph, (0, 0), 0.5 / area**0.5), np.uint8)
    cut = cv2.warpAffine(photograph, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _read(root: AnyPath, address: str, max_pixels: int = 2**31) -> Image | None:
    from maskgen.core.images import decode
    from maskgen.formats.reading import read_bytes

    try:
        return decode(read_bytes(root, address), max_pixels)
    except (SetAsideError, OSError):
        return None


def _quickly(source: AnyPath, address: str, max_pixels: int) -> Image | None:
    """A photograph for a thumbnail: a large JPEG is decoded at an eighth of its size."""
    import cv2
    import numpy as np

    from maskgen.core.images import decode, kind_and_size
    from maskgen.formats.reading import read_bytes

    try:
        data = read_bytes(source, address)
        kind, width, height = kind_and_size(data)
        if kind == "JPEG" and min(width, height) >= _EIGHTH and width * height <= max_pixels:
            small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_8)
            return None if small is None else np.ascontiguousarray(small[:, :, ::-1])
        return decode(data, max_pixels)
    except (SetAsideError, OSError, cv2.error):
        return None


def light_on(image: Image, points: Sequence[float] | None) -> str:
    """The light on the part of a face above its mask, one of LIGHTS; "" without landmarks.

    Args:
        image: uint8 RGB.
        points: the 68 points as x0, y0, x1, y1, ... in the image's pixels.
    """
    import numpy as np

    if not points:
        return ""
    xy = np.array(points, np.float64).reshape(-1, 2)
    height, width = image.shape[:2]
    top, foot = int(max(xy[17:27, 1].min(), 0)), int(min(xy[29, 1], height))
    left, right = int(max(xy[17, 0], 0)), int(min(xy[26, 0], width))
    middle = int(min(max(xy[27:30, 0].mean(), left + 1), right - 1))
    if foot - top < 2 or right - left < 4 or not left < middle < right:
        return ""
    grey = image[top:foot, left:right].astype(np.float64) @ (0.299, 0.587, 0.114)
    halves = grey[:, : middle - left].mean(), grey[:, middle - left :].mean()
    if max(halves) > _SIDED * max(min(halves), 1.0):
        return FROM_LEFT if halves[0] > halves[1] else FROM_RIGHT
    mean = float(grey.mean())
    return DARK if mean < _DARK else BRIGHT if mean > _BRIGHT else MIDDLE
