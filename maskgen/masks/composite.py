"""A drawn mask laid on its photograph: contact shadow, then cloth over skin."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Floats, Image, Mask
from maskgen.masks.render import Layer, Window

SHADOW = 0.75  # share of the light that the rim takes from the skin beside it
SHADOW_WIDTH = 0.04  # in eye distances
SHADOW_DROP = 0.03


def reach(scale: float) -> int:
    """Pixels beyond the mask's outline that its shadow can darken, for a face of this scale."""
    return _radius(scale) + round(SHADOW_DROP * scale) + 1


def _radius(scale: float) -> int:
    return max(1, int(np.ceil(2.5 * SHADOW_WIDTH * scale)))


def _shadow(alpha: Floats, scale: float) -> Floats:
    """Light that the mask's rim takes from bare skin, 0..1, a little lower than the rim; nothing beyond `reach`."""
    radius = _radius(scale)
    soft = cv2.GaussianBlur(
        alpha, (2 * radius + 1, 2 * radius + 1), SHADOW_WIDTH * scale, borderType=cv2.BORDER_REPLICATE
    )
    drop = min(round(SHADOW_DROP * scale), len(soft))
    shadow = np.float32(0.75 * SHADOW) * soft
    soft *= np.float32(SHADOW)
    np.maximum(shadow[drop:], soft[: len(soft) - drop], out=shadow[drop:])
    return shadow


def lay(image: Image, layer: Layer, scale: float) -> tuple[Image, Mask]:
    """The photograph with the mask on it, and the mask's coverage, uint8 (height, width).

    Coverage is 255 where cloth hides the picture, less along its rim, at most 120 on loops and straps, 0 elsewhere.

    Pixels farther than `reach(scale)` from the mask stay as they were, to the bit.
    """
    out = image.copy()
    coverage = np.zeros(image.shape[:2], np.uint8)
    window: Window = layer.window
    if window.empty:
        return out, coverage
    skin = 1 - layer.alpha
    keep = _shadow(layer.alpha, scale)
    keep *= skin
    np.subtract(1, keep, out=keep)
    keep *= skin
    under = cv2.multiply(image[window.slices], cv2.merge([keep, keep, keep]), dtype=cv2.CV_32F)
    out[window.slices] = cv2.add(under, layer.colour, dtype=cv2.CV_8U)
    coverage[window.slices] = cv2.multiply(layer.cover, 255, dtype=cv2.CV_8U)
    return out, coverage
