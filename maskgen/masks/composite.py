"""Composites a rendered mask onto its photograph: contact shadow, then cloth over skin."""

from __future__ import annotations

import math

import numpy as np

from maskgen.core.kernels.arena import BLUR_ROW, FLOAT, Arena, JobType, arena_of_thread
from maskgen.core.records import Doubles, Floats, Image, Mask
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
from maskgen.masks.render import STRAP_COVER, Layer, Window

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
) -> tuple[Image, Mask, float]:
    """The photograph with the mask on it, the mask's coverage, uint8 (height, width), and its translucency, the mean
    share of light, 0..1, that its cloth lets through; ear loops and head straps do not count.

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
        return out, coverage, 0.0
    here = layer.window.slices
    scatter = scatter_box(scale) // 2 if sheer else 0
    shadow = shadow_radius(scale), shadow_offset(light.direction, scale), shadow_ground(outline, layer.window)
    noise = seed, noise_levels(grain), light.top
    thin = scatter, sheer
    out[here], coverage[here], cloth = _composited(image[here], thin, layer, SHADOW_WIDTH * scale, shadow, noise)
    return out, coverage, 0.0 if cloth is None else max(0.0, 1.0 - cloth[1] / max(cloth[0], 1.0))


def _composited(
    picture: Image,
    thin: tuple[int, float],
    layer: Layer,
    blur: float,
    shadow: tuple[int, tuple[int, int], Floats],
    noise: tuple[int, tuple[float, float], float],
) -> tuple[Image, Mask, list[float] | None]:
    """The picture in the layer's window with the mask on it, and the coverage there, by the kernel `composite`; both
    are views of the kernels' memory. Of a mask that is not opaque also the sum of the coverage of its cloth, and that
    of the light that it blocks."""
    arena, (rows, columns) = arena_of_thread(), layer.alpha.shape
    arena.begin_after(layer.alpha if layer.parts is None else layer.parts)
    (masked_at, masked), (cover_at, cover) = (arena.room((rows, columns, *of), np.uint8) for of in ((3,), ()))
    cloth_at, cloth = (0, None) if layer.opaque else arena.room((2,), np.float32)
    (reach, offset, ground), (seed, levels, top), (scatter, sheer) = shadow, noise, thin
    up, left = place_in_tile(seed)
    job = (
        *(rows, columns, arena.address(layer.paint), arena.address(layer.alpha)),
        *(arena.space(rows * columns * FLOAT), arena.space(rows * columns * FLOAT), arena.space(rows * BLUR_ROW)),
        *(arena.put(picture), *_room_of_scatter(arena, rows, columns, scatter), scatter, sheer),
        *(cloth_at, STRAP_COVER, masked_at, cover_at),
        *(arena.put(gaussian_kernel(reach, blur)), reach, SHADOW, SHADOW_ROUND, *offset),
        *(arena.put(ground), len(ground), arena.constant("noise", _noise_with_room), *levels),
        *(up, left, up + ELSEWHERE[0], left + ELSEWHERE[1], top + PRESSED / 12, PRESSED),
    )
    arena.call("composite", arena.job(_JOB, *job))
    return masked, cover, None if cloth is None else cloth.tolist()


def _room_of_scatter(arena: Arena, rows: int, columns: int, reach: int) -> tuple[int, int, int]:
    """Addresses of the memory for `kernels/scatter.c`; 0 if cloth is not thin."""
    if not reach:
        return 0, 0, 0
    whole = rows * columns * 4 * FLOAT
    return arena.space(whole), arena.space(whole), arena.space(2 * (columns + 2 * reach + 1) * 4 * FLOAT)


# The structure `Composite` of `kernels/composite.c`, in its order.
_JOB = JobType(
    "rows columns paint alpha shadow room spans picture soft half room_of_scatter scatter sheer:f",
    "cloth strap_cover:f masked coverage weights reach",
    "strength:f round:f right:i down:i ground corners noise levels:f colour_levels:f up left colour_up colour_left",
    "under:f pressed:f",
)


def scatter_box(scale: float) -> int:
    """The odd width in pixels, 3 or more, of the box whose mean, taken twice, blurs by SCATTER eye distances: nearly
    Gaussian, at a tenth of its cost."""
    return 2 * max(1, round((math.sqrt(6 * (SCATTER * scale) ** 2 + 1) - 1) / 2)) + 1


def shadow_ground(outline: Floats, window: Window) -> Floats:
    """The convex polygon (n, 2) in which shadow may fall, in the window's pixels: the head in `outline`, see
    `mask_mesh.AMPLE`."""
    x, y = np.add.reduce(outline).tolist()
    share = (1 - 1 / AMPLE) / len(outline)
    return outline * np.float32(1 / AMPLE) + np.array((x * share - window.x0, y * share - window.y0), np.float32)


def _noise_with_room() -> Floats:
    """`noise_tile` whose rows begin once more at their end: the kernel reads four columns at once."""
    return np.concatenate([noise_tile(), noise_tile()[:, :4]], axis=1)
