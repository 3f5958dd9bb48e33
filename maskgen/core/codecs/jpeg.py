"""How strongly a JPEG was compressed, from the tables in its header; nothing is decoded."""

from __future__ import annotations

import struct

# The luminance table of quality 50: ITU-T T.81, annex K.1, in zigzag order as files hold it.
STANDARD = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51,
    61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77,
    113, 121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
SOI, DQT, SOS = b"\xff\xd8", 0xDB, 0xDA
ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length


def jpeg_quality(data: bytes) -> int | None:
    """The quality 1..100, as the Independent JPEG Group's encoder counts it, nearest to a file's luminance table; None
    for what is no JPEG or has no such table before its picture."""
    if data[:2] != SOI:
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
    """Table 0 of a segment of tables, each with its width and number before it."""
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
