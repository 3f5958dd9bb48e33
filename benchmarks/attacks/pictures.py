"""Decode damaged pictures of every format."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage.data import astronaut

from maskgen.core.images import decode
from maskgen.core.reasons import SetAsideError

from .tries import Tally, damaged, tries

PIXELS = np.ascontiguousarray(astronaut()[:96, 128:256])


def pictures() -> dict[str, bytes]:
    """A sound picture of each format."""
    picture = Image.fromarray(PIXELS)
    made = {"jpeg": ("JPEG", {}), "progressive": ("JPEG", {"progressive": True}), "png": ("PNG", {})}
    made |= {
        "webp": ("WEBP", {}),
        "tiff": ("TIFF", {"compression": "tiff_lzw"}),
        "gif": ("GIF", {}),
        "bmp": ("BMP", {}),
    }
    made |= {"avif": ("AVIF", {}), "jpeg 2000": ("JPEG2000", {}), "ppm": ("PPM", {}), "tga": ("TGA", {})}
    made |= {"animated": ("PNG", {"save_all": True, "append_images": [picture.rotate(9)]})}
    found = {}
    for name, (form, options) in made.items():
        out = io.BytesIO()
        picture.save(out, form, **options)
        found[name] = out.getvalue()
    found["deep"] = cv2.imencode(".png", PIXELS.astype(np.uint16) * 9)[1].tobytes()
    return found


def attack_pictures(tally: Tally, count: int, until: float, seed: int, _: Path) -> None:
    """Decode damaged pictures of every format."""
    whole = pictures()
    names = sorted(whole)

    def one(rng: np.random.Generator, number: int) -> str:
        data = damaged(whole[names[number % len(names)]], rng)
        try:
            image = decode(data, 1_000_000)
        except SetAsideError as error:
            return str(error.reason)
        if image.dtype != np.uint8 or image.ndim != 3:
            raise TypeError(f"{image.dtype} {image.shape}")
        return "picture"

    tries(tally, count, until, one, seed)
