"""The header of a picture file, read before decoding: format, size, and the quality of a JPEG.

Pillow reads headers, except two kinds that are parsed here: TIFFs that it does not support, and plain JPEGs, because
Pillow takes half as long to open one as OpenCV takes to decode it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from maskgen.core.pillow_files import opened
from maskgen.core.reasons import Reason, SetAsideError

# JPEG's markers (ITU T.81, table B.1). Frames that every decoder knows: baseline, extended and progressive.
FRAMES = frozenset({0xC0, 0xC1, 0xC2})
# Segments allowed before them: Huffman and quantisation tables, restart interval, JFIF, EXIF, Photoshop, Adobe,
# comments. Not ICC and MPF (0xE2): a file with several pictures is not a plain JPEG.
BEFORE = frozenset({0xC4, 0xDB, 0xDD, 0xE0, 0xE1, 0xED, 0xEE, 0xFE})

# The luminance table of quality 50: ITU-T T.81, annex K.1, in zigzag order as files hold it.
STANDARD = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51,
    61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77,
    113, 121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
DQT, SOS = 0xDB, 0xDA
ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length


@dataclass(frozen=True, slots=True)
class Header:
    """A picture file's `format`, as Pillow names it ("JPEG"), and its size in pixels."""

    format: str
    width: int
    height: int


def read_header(data: bytes) -> Header:
    """Format and size of a picture file.

    Raises:
        SetAsideError: NOT_A_PICTURE or BROKEN_PICTURE.
    """
    if not data:
        raise SetAsideError(Reason.NOT_A_PICTURE, "the file is empty")
    return _plain_jpeg(data) or _by_pillow(data)


def ends_early(data: bytes, format: str) -> bool:
    """Whether the end marker of a JPEG or PNG is missing: decoders silently fill the rest with grey."""
    if format == "JPEG":
        return data.rfind(b"\xff\xd9") < data.find(b"\xff\xda")
    return format == "PNG" and data.rfind(b"IEND") < 0


def _by_pillow(data: bytes) -> Header:
    from PIL import UnidentifiedImageError

    try:
        with opened(data) as picture:
            return Header(picture.format or "", *picture.size)
    except UnidentifiedImageError:
        header = _tiff(data)  # Pillow does not support TIFFs with three 16-bit channels
        if header is None:
            raise SetAsideError(Reason.NOT_A_PICTURE, "no picture format that is known") from None
        return header
    except Exception as fault:  # a hostile header can raise anything in Pillow's parsers
        raise broken(fault) from None


def broken(fault: Exception) -> SetAsideError:
    """A decoder's exception as BROKEN_PICTURE."""
    from PIL import UnidentifiedImageError

    said = " ".join(str(fault).split())
    if isinstance(fault, UnidentifiedImageError) or " at 0x" in said:  # an address differs from start to start
        said = "it is not what its header says"
    return SetAsideError(Reason.BROKEN_PICTURE, f"the decoder stopped: {said[:200] or type(fault).__name__}")


def _plain_jpeg(data: bytes) -> Header | None:
    """A JPEG's header if it has only common segments up to its frame, else None."""
    if data[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            usual = data[at + 4] == 8 and data[at + 9] in (1, 3) and length >= 8
            return Header("JPEG", width, height) if usual and height and width else None
        if marker not in BEFORE or length < 2:
            return None
        at += 2 + length
    return None


def _tiff(data: bytes) -> Header | None:
    """Width and height of a classic TIFF's first page, or None."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return None
    found: dict[int, int] = {}
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHII", data, start + 2 + 12 * number)
            if kind == 3 and order == ">":
                value >>= 16
            found[tag] = value & 0xFFFF if kind == 3 else value
        return Header("TIFF", found[256], found[257])
    except (struct.error, KeyError):
        return None


def jpeg_quality(data: bytes) -> int | None:
    """The quality 1..100, on the scale of the Independent JPEG Group's encoder, nearest to a file's luminance table;
    None if it is not a JPEG or has no such table before its picture."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        length = int(struct.unpack(">H", data[at + 2 : at + 4])[0])
        if marker == DQT and (table := _first_table(data[at + 4 : at + 2 + length])) is not None:
            return _nearest(table)
        if marker == SOS or length < 2:
            return None
        at += 2 + length
    return None


def _first_table(segment: bytes) -> tuple[int, ...] | None:
    """Table 0 of a quantisation segment, in which each table follows its precision and number."""
    while segment:
        wide, number = segment[0] >> 4, segment[0] & 15
        size = 128 if wide else 64
        values = segment[1 : 1 + size]
        if wide > 1 or len(values) < size:
            return None
        if number == 0:
            return struct.unpack(">64H" if wide else "64B", values)
        segment = segment[1 + size :]
    return None


def _nearest(table: tuple[int, ...]) -> int:
    """The quality whose scale is nearest to the table's mean one."""
    scale = 100 * sum(table) / sum(STANDARD)
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / max(scale, 1.0)
    return min(max(round(quality), 1), 100)
