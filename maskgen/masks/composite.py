"""Composites a rendered mask onto its photograph: contact shadow, then cloth over skin."""

from __future__ import annotations

import math

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, Image, Mask
from maskgen.masks.mask_mesh import AMPLE
from maskgen.masks.render import Layer, Window

SHADOW = 0.9  # strength of the contact shadow: share of light lost at the mask's edge
SHADOW_ROUND = 0.6  # share of SHADOW on every side; it is full on the side away from the light
SHADOW_WIDTH = 0.02  # standard deviation of the shadow's blur, in eye distances
SHADOW_FAR = 0.03  # offset of the shadow away from the light, in eye distances
LEADS = 0.3  # sideways light that gives the shadow its full offset; weaker light moves it down
SCATTER = 0.12  # standard deviation, in eye distances, of the blur of skin seen through thin cloth
FRACTION = 4  # fractional bits of polygon corners


def shadow_reach(scale: float) -> int:
    """Pixels beyond the mask's outline that its shadow can darken, for a face of this scale."""
    return shadow_radius(scale) + round(SHADOW_FAR * scale) + 1


def shadow_radius(scale: float) -> int:
    """Pixels by which the blur of the shadow widens it."""
    return max(1, math.ceil(2.5 * SHADOW_WIDTH * scale))


def shadow_offset(direction: Doubles, scale: float) -> tuple[int, int]:
    """The shadow's offset in pixels, right and down, for a light's direction (3,), see `light.Light`."""
    x, y = (-direction[:2] + (0.0, LEADS / 3)).tolist()
    far = SHADOW_FAR * scale / max(math.hypot(x, y), LEADS)
    return round(x * far), round(y * far)


def _shadow(alpha: Floats, scale: float, direction: Doubles) -> Floats:
    """The share of light that the mask's edge takes from bare skin, 0..1, more on the side away from the light; 0
    beyond `shadow_reach`."""
    radius = shadow_radius(scale)
    soft = cv2.GaussianBlur(
        alpha, (2 * radius + 1, 2 * radius + 1), SHADOW_WIDTH * scale, borderType=cv2.BORDER_REPLICATE
    )
    shadow = np.float32(SHADOW_ROUND * SHADOW) * soft
    soft *= np.float32(SHADOW)
    (to_y, from_y), (to_x, from_x) = (_shifted(by) for by in shadow_offset(direction, scale)[::-1])
    part = shadow[to_y, to_x]
    np.maximum(part, soft[from_y, from_x], out=part)
    return shadow


def _shifted(by: int) -> tuple[slice, slice]:
    """Target and source slices of pixels that move by `by`."""
    return slice(max(by, 0), min(by, 0) or None), slice(max(-by, 0), min(-by, 0) or None)


def composite_mask(
    image: Image,
    layer: Layer,
    noise: Floats | None,
    scale: float,
    outline: Floats,
    direction: Doubles,
    sheer: float = 0.0,
) -> tuple[Image, Mask]:
    """The photograph with the mask on it, and the mask's coverage, uint8 (height, width).

    Coverage is 255 where cloth hides the picture, less along its edge, at most 120 on ear loops and head straps, 0
    elsewhere. Pixels farther than `shadow_reach(scale)` from the mask do not change.

    Args:
        noise: levels, (h, w) or (h, w, 3), added to the layer; the sum is clipped to 0..255. None for no noise.
        outline: a convex polygon (n, 2). Only the head inside it gets shadow, not what is far behind.
        direction: (3,), of the light; the shadow falls away from it.
        sheer: 0..1, the share of light that the cloth lets through; what shows through is blurred.
    """
    out = image.copy()
    coverage = np.zeros(image.shape[:2], np.uint8)
    window: Window = layer.window
    if window.empty:
        return out, coverage
    cover = cv2.extractChannel(layer.paint, 3)
    laid = cv2.multiply(
        _seen_through(image, layer, scale, sheer) if sheer else image[window.slices],
        _thrice(_light_left(layer.alpha, cover, ground(outline, window), scale, direction)),
        dtype=cv2.CV_32F,
    )
    laid += cv2.cvtColor(layer.paint, cv2.COLOR_RGBA2RGB)
    out[window.slices] = cv2.add(laid, 0 if noise is None else _in_colours(noise), dtype=cv2.CV_8U)
    cv2.convertScaleAbs(cover, dst=coverage[window.slices], alpha=255)
    return out, coverage


def _seen_through(image: Image, layer: Layer, scale: float, sheer: float) -> Floats:
    """The photograph in the window, (h, w, 3), blurred where it shows through thin cloth and sharp beside the mask."""
    sharp = image[layer.window.slices]
    share = cv2.extractChannel(layer.paint, 3) * np.float32(sheer)
    share /= np.maximum(1 - layer.alpha, share + np.float32(1e-3))
    box = scatter_box(scale), scatter_box(scale)
    soft = cv2.blur(cv2.boxFilter(sharp, cv2.CV_32F, box), box)  # twice: nearly Gaussian, at a tenth of its cost
    change = cv2.subtract(soft, sharp, dtype=cv2.CV_32F)
    return cv2.add(cv2.multiply(change, _thrice(share)), sharp, dtype=cv2.CV_32F)


def scatter_box(scale: float) -> int:
    """The odd width in pixels of the box whose mean, taken twice, blurs by SCATTER eye distances."""
    return 2 * round((math.sqrt(6 * (SCATTER * scale) ** 2 + 1) - 1) / 2) + 1


def ground(outline: Floats, window: Window) -> Floats:
    """Where shadow may fall: 1 on the head in the convex polygon, see `mask_mesh.AMPLE`, 0 outside, (h, w)."""
    inside = np.zeros((window.y1 - window.y0, window.x1 - window.x0), np.float32)
    head = outline.mean(0) + (outline - outline.mean(0)) / AMPLE
    corners = np.rint((head - (window.x0, window.y0)) * (1 << FRACTION)).astype(np.int32)
    return np.asarray(cv2.fillConvexPoly(inside, corners, 1.0, cv2.LINE_8, FRACTION))


def _light_left(alpha: Floats, cover: Floats, on: Floats, scale: float, direction: Doubles) -> Floats:
    """The share of the picture's light that remains under a mask and its shadow, (h, w). The shadow is that of `cover`
    where this is less than `alpha`: straps, thin and close to the skin, have less of it."""
    skin = 1 - alpha
    keep = _shadow(cv2.min(alpha, cover), scale, direction)
    keep *= on
    keep *= skin
    np.subtract(1, keep, out=keep)
    keep *= skin
    return keep


def _in_colours(noise: Floats) -> Floats:
    return _thrice(noise) if noise.ndim == 2 else noise


def _thrice(plane: Floats) -> Floats:
    return np.asarray(cv2.merge([plane, plane, plane]))
