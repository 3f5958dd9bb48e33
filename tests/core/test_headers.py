"""Formats and sizes from headers, against Pillow's."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.data import astronaut

from maskgen.core.headers import read_header
from maskgen.core.reasons import SetAsideError

PICTURE = Image.fromarray(astronaut()[:96, 128:256])


def jpeg(picture: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


JPEGS = {
    "baseline": jpeg(PICTURE),
    "progressive": jpeg(PICTURE, progressive=True),
    "grey": jpeg(PICTURE.convert("L")),
    "cmyk": jpeg(PICTURE.convert("CMYK")),
    "comment": jpeg(PICTURE, comment=b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01\x03" * 9),  # a frame that is none
    "exif": jpeg(PICTURE, exif=PICTURE.getexif().tobytes() + jpeg(PICTURE.resize((16, 12)))),
    "profile": jpeg(PICTURE, icc_profile=bytes(3000)),
    "several": jpeg(PICTURE, "MPO", save_all=True, append_images=[PICTURE.resize((64, 48))]),
}


def by_pillow(data: bytes) -> tuple[str, int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.format or "", *picture.size


@pytest.mark.parametrize("name", JPEGS)
def test_jpegs_are_what_pillow_says(name: str) -> None:
    header = read_header(JPEGS[name])
    assert (header.format, header.width, header.height) == by_pillow(JPEGS[name])


@given(
    name=st.sampled_from(sorted(JPEGS)),
    places=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=6),
    size=st.integers(0, 1500),
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_jpeg_has_pillows_size_or_none(name: str, places: list[tuple[int, int]], size: int) -> None:
    data = bytearray(JPEGS[name][:size] or JPEGS[name])
    for at, value in places:
        data[at % len(data)] = value
    try:
        header = read_header(bytes(data))
        theirs = by_pillow(bytes(data))
    except (SetAsideError, OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError):
        return  # a decoder finds out what is wrong with it
    assert (header.format, header.width, header.height) == theirs
