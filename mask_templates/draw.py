"""Draw the textures of the built-in masks: what is white, what is creased, what is welded or stitched.

    python draw.py            # writes the texture and relief of every look into its template's folder beside this file

Each look of a template has two pictures of 1024 x 1024 over its cloth, u across and v down by length along the cloth:
`texture.png`, the cloth's own light and shade, which the mask's colour is multiplied with, and `relief.png`, its
height, 128 the level of the sheet. A texture's alpha channel says where cloth is cut out; `clear.png` is how much light
a material lets through, `parts.png` what it is (`maskgen.masks.template.PARTS`). Needs NumPy and OpenCV.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from drawing.clear import shield, sunglasses, sunglasses_aviator, sunglasses_round, window
from drawing.cloth import bandana, cloth, cloth_flat, cloth_pleated, gaiter, pitta, pitta_valve, pitta_valves
from drawing.fields import SIDE, Drawn, Field
from drawing.respirators import duckbill, kf94, kn95, kn95_valve, n95, n95_valve
from drawing.surgical import surgical, surgical_flat, surgical_four, surgical_pulled
from numpy.typing import NDArray


def levels(field: Field) -> NDArray[np.uint8]:
    """0..1 as bytes."""
    return np.asarray(np.clip(np.round(255 * field), 0, 255).astype(np.uint8))


def save(folder: str, look: str, drawn: Drawn) -> None:
    """Write one look's pictures; a mask's brightest cloth is white, so that its colour comes out as asked."""
    grey = levels(drawn.shade / np.median(drawn.shade) * (232 / 255))
    pictures = {"texture": grey, "relief": np.clip(np.round(128 + 127 * np.clip(drawn.height, -1, 1)), 0, 255)}
    if drawn.clear is not None and drawn.own is not None:
        pictures["clear"] = levels(drawn.clear)
        own = levels(np.broadcast_to(drawn.own, (SIDE, SIDE, 3)))[..., ::-1]
        pictures["texture"] = np.where(pictures["clear"][..., None] > 0, own, grey[..., None])
    if drawn.material is not None:
        colour = pictures["texture"] if pictures["texture"].ndim == 3 else np.dstack([grey] * 3)
        pictures["texture"] = np.dstack([colour, levels(drawn.material)])
    if drawn.parts is not None:
        pictures["parts"] = drawn.parts
    for name, picture in pictures.items():
        file = f"{name}_{look}.png" if look else f"{name}.png"
        cv2.imwrite(str(Path(__file__).parent / folder / file), picture.astype(np.uint8))


if __name__ == "__main__":
    drawings = (
        surgical, surgical_four, surgical_pulled, surgical_flat, n95, kn95, cloth, n95_valve, kn95_valve, cloth_pleated,
        cloth_flat, pitta, pitta_valve, pitta_valves,
        kf94, duckbill, bandana, gaiter, window, shield, sunglasses, sunglasses_aviator, sunglasses_round,
    )  # fmt: skip
    for drawing in drawings:
        look = drawing()
        save(*drawing.__name__.partition("_")[::2], look if isinstance(look, Drawn) else Drawn(*look))
