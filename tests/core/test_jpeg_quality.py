"""A JPEG's quality is read from its header, and nothing else is mistaken for one."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from maskgen.core.headers import jpeg_quality
from maskgen.core.images import photo_of

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 56, 3)).astype(np.uint8)


def encoded(quality: int, **options: object) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(PICTURE).save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


@pytest.mark.parametrize("quality", [25, 40, 50, 60, 75, 85, 92, 95, 98])
def test_the_quality_is_the_encoders(quality: int) -> None:
    assert abs(jpeg_quality(encoded(quality)) - quality) <= 1  # type: ignore[operator]
    assert jpeg_quality(encoded(quality, progressive=True)) == jpeg_quality(encoded(quality))
    with_notes = encoded(quality, exif=Pillow.Exif(), comment=b"x" * 3000)
    assert photo_of(with_notes).quality == jpeg_quality(encoded(quality))


def test_other_files_have_none() -> None:
    png = cv2.imencode(".png", PICTURE)[1].tobytes()
    assert jpeg_quality(png) is None
    assert photo_of(png).quality is None


def test_any_bytes_have_an_answer() -> None:
    whole = encoded(75)
    for end in range(0, 700):
        assert jpeg_quality(whole[:end]) in (None, 75)
    rng = np.random.default_rng(1)
    for _ in range(300):
        broken = bytearray(whole[:700])
        for at in rng.integers(2, 700, 8):
            broken[at] = int(rng.integers(256))
        found = jpeg_quality(bytes(broken))
        assert found is None or 1 <= found <= 100
