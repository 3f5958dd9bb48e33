"""Composites a rendered mask onto its photograph: contact shadow, then cloth over skin."""

from __future__ import annotations

import math

import cv2
import numpy as np

from maskgen.core.kernels.arena import BLUR_ROW, FLOAT, arena_of_thread, fields
from maskgen.core.records import Doubles, Floats, Image, Mask
from maskgen.masks.kernels.arena import BLUR_ROW, FLOAT, JobType, arena_of_thread
from maskgen.masks.lighting.blur_and_noise import (
    ELSEWHERE,
    PRESSED,
    BlurAndNoise,
    gaussian_kernel,
    noise_levels,
    noise_tile,
    place_in_tile,
)
from maskgen.masks.lighting.light import Light
from maskgen.masks.mask_mesh import AMPLE
from maskgen.masks.render import Layer, Window

SHADOW = 0.9  # strength of the contact shadow: share of light lost at the mask's edge
SHADOW_ROUND = 0.6  # share of SHADOW on every side; it is full on the side away from the light
SHADOW_WIDTH = 0.02  # standard deviation of the shadow's blur, in eye distances
SHADOW_FAR = 0.03  # offset of the shadow away from the light, in eye distances
LEADS = 0.3  # sideways light that gives the shadow its full offset; weaker light moves it down
SCATTER = 0.12  # standard deviation, in eye distances, of the blur of skin seen through thin cloth


def shadow_reach(scale: float) -> int:
    """Pixels beyond the mask's outline that its shadow can darken, for a face of this scale."""
    return shadow_radius(scale) + round(SHADOW_FAR * scale) + 1


def shadow_radius(scale: float) -> int:
    """Pixels by which the blur of the shadow widens it."""
    return max(1, math.ceil(2.5 * SHADOW_WIDTH * scale))


def shadow_offset(direction: Doubles, scale: float) -> tuple[int, int]:
    """The shadow's offset in pixels, right and down, for a light's direction (3,), see `light.Light`."""
    x, y, _ = direction.tolist()
    x, y = -x, LEADS / 3 - y
    far = SHADOW_FAR * scale / max(math.hypot(x, y), LEADS)
    return round(x * far), round(y * far)


def composite_mask(
    image: Image,
    layer: Layer,
    grain: BlurAndNoise,
    seed: int,
    scale: float,
    outline: Floats,
    light: Light,
    sheer: float = 0.0,
) -> tuple[Image, Mask]:
    """The photograph with the mask on it, and the mask's coverage, uint8 (height, width).

    Coverage is 255 where cloth hides the picture, less along its edge, at most 120 on ear loops and head straps, 0
    elsewhere. Pixels farther than `shadow_reach(scale)` from the mask do not change.

    Args:
        grain: of the photograph; the mask gets its noise, near the brightest level less.
        seed: of the noise.
        outline: a convex polygon (n, 2). Only the head inside it gets shadow, not what is far behind.
        light: the shadow falls away from its direction.
        sheer: 0..1, the share of light that the cloth lets through; what shows through is blurred.
    """
    out = image.copy()
    coverage = np.zeros(image.shape[:2], np.uint8)
    if layer.window.empty:
        return out, coverage
    here = layer.window.slices
    soft = _scattered(image[here], scale) if sheer else None
    shadow = shadow_radius(scale), shadow_offset(light.direction, scale), shadow_ground(outline, layer.window)
    noise = seed, noise_levels(grain), light.top
    out[here], coverage[here] = _composited(image[here], soft, sheer, layer, SHADOW_WIDTH * scale, shadow, noise)
    return out, coverage


def _composited(
    picture: Image,
    soft: Floats | None,
    sheer: float,
    layer: Layer,
    blur: float,
    shadow: tuple[int, tuple[int, int], Floats],
    noise: tuple[int, tuple[float, float], float],
) -> tuple[Image, Mask]:
    """The picture in the layer's window with the mask on it, and the coverage there, by the kernel `composite`; both
    are views of the kernels' memory."""
    arena, (rows, columns) = arena_of_thread(), layer.alpha.shape
    arena.begin_after(layer.alpha if layer.parts is None else layer.parts)
    (masked_at, masked), (cover_at, cover) = (arena.room((rows, columns, *of), np.uint8) for of in ((3,), ()))
    (reach, offset, ground), (seed, levels, top) = shadow, noise
    up, left = place_in_tile(seed)
    job = (
        *(rows, columns, arena.address(layer.paint), arena.address(layer.alpha)),
        *(arena.space(rows * columns * FLOAT), arena.space(rows * columns * FLOAT), arena.space(rows * BLUR_ROW)),
        *(arena.put(picture), 0 if soft is None else arena.put(soft), sheer, masked_at, cover_at),
        *(arena.put(gaussian_kernel(reach, blur)), reach, SHADOW, SHADOW_ROUND, *offset),
        *(arena.put(ground), len(ground), arena.constant("noise", _noise_with_room), *levels),
        *(up, left, up + ELSEWHERE[0], left + ELSEWHERE[1], top + PRESSED / 12, PRESSED),
    )
    arena.call("composite", arena.job(_JOB, *job))
    return masked, cover


# The structure `Composite` of `kernels/composite.c`, in its order.
_JOB = JobType(
    "rows columns paint alpha shadow room spans picture soft sheer:f masked coverage weights reach",
    "strength:f round:f right:i down:i ground corners noise levels:f colour_levels:f up left colour_up colour_left",
    "under:f pressed:f",
)


def _scattered(picture: Image, scale: float) -> Floats:
    """The photograph, (h, w, 3), blurred as it shows through thin cloth."""
    box = scatter_box(scale), scatter_box(scale)
    return cv2.blur(cv2.boxFilter(picture, cv2.CV_32F, box), box)  # twice: nearly Gaussian, at a tenth of its cost


def scatter_box(scale: float) -> int:
    """The odd width in pixels of the box whose mean, taken twice, blurs by SCATTER eye distances."""
    return 2 * round((math.sqrt(6 * (SCATTER * scale) ** 2 + 1) - 1) / 2) + 1


def shadow_ground(outline: Floats, window: Window) -> Floats:
    """The convex polygon (n, 2) in which shadow may fall, in the window's pixels: the head in `outline`, see
    `mask_mesh.AMPLE`."""
    x, y = np.add.reduce(outline).tolist()
    share = (1 - 1 / AMPLE) / len(outline)
    return outline * np.float32(1 / AMPLE) + np.array((x * share - window.x0, y * share - window.y0), np.float32)


def _noise_with_room() -> Floats:
    """`noise_tile` whose rows begin once more at their end: the kernel reads four columns at once."""
    return np.concatenate([noise_tile(), noise_tile()[:, :4]], axis=1)
