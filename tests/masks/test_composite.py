"""Compositing against the same formulas on whole arrays."""

from functools import partial

import cv2
import numpy as np
import pytest

from maskgen.core.records import Floats
from maskgen.masks.composite import (
    SHADOW,
    SHADOW_ROUND,
    SHADOW_WIDTH,
    composite_mask,
    scatter_box,
    shadow_offset,
    shadow_radius,
)
from maskgen.masks.lighting.blur_and_noise import BlurAndNoise
from maskgen.masks.lighting.light import Light
from maskgen.masks.lighting.tone import IN_COLOUR
from maskgen.masks.render import STRAP_COVER, Layer, Window

EVERYWHERE = np.array([[-500, -500], [500, -500], [500, 500], [-500, 500]], np.float32)
FROM_ABOVE = np.array([0.3, -0.6, 0.5])


def moved(plane: Floats, right: int, down: int) -> Floats:
    """The plane shifted; 0 where nothing comes from."""
    out = np.zeros_like(plane)
    height, width = plane.shape
    for y in range(height):
        for x in range(width):
            if 0 <= y - down < height and 0 <= x - right < width:
                out[y, x] = plane[y - down, x - right]
    return out


@pytest.mark.parametrize("scale", [20.0, 90.0, 200.0])
@pytest.mark.parametrize("size", [(30, 41), (23, 24), (9, 2), (1, 1)])
@pytest.mark.parametrize("covered", [1.0, 0.05])
def test_shadow_and_cloth_are_as_on_whole_arrays(scale: float, size: tuple[int, int], covered: float) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (*size, 3), np.uint8)
    alpha = (rng.random(size) * (rng.random(size) < covered)).astype(np.float32)
    paint = np.dstack([rng.random((*size, 3)) * 200 * alpha[..., None], alpha * rng.random(size)]).astype(np.float32)
    light = Light(1.0, FROM_ABOVE, np.ones(3), IN_COLOUR)
    layer = Layer(Window(0, 0, size[1], size[0]), paint.copy(), alpha.copy())
    masked, coverage, translucency = composite_mask(picture, layer, BlurAndNoise(0.0, 0.0), 0, scale, EVERYWHERE, light)
    side, sigma = 2 * shadow_radius(scale) + 1, SHADOW_WIDTH * scale
    edge = np.minimum(alpha, paint[..., 3])
    soft = SHADOW * cv2.GaussianBlur(edge, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    shadow = np.maximum(SHADOW_ROUND * soft, moved(soft, *shadow_offset(FROM_ABOVE, scale)))
    kept = (1 - shadow * (1 - alpha)) * (1 - alpha)
    expected = np.clip(picture * kept[..., None] + paint[..., :3], 0, 255)
    assert np.abs(masked - expected).max() < 0.51
    assert np.abs(coverage - 255 * paint[..., 3]).max() < 0.51
    cloth = np.where(paint[..., 3] > STRAP_COVER, paint[..., 3], 0)
    assert translucency == pytest.approx(max(0, 1 - np.minimum(alpha, cloth).sum() / max(cloth.sum(), 1)), abs=1e-5)


@pytest.mark.parametrize("scale", [9.0, 45.0, 300.0])
@pytest.mark.parametrize("size", [(40, 61), (7, 30), (9, 2), (1, 1), (1, 5)])
def test_skin_behind_thin_cloth_is_a_mean_of_means(scale: float, size: tuple[int, int]) -> None:
    """Cloth that lets all light through shows the blurred picture alone."""
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    clear, whole = np.zeros(size, np.float32), np.dstack([np.zeros((*size, 3)), np.ones(size)]).astype(np.float32)
    light = Light(1.0, FROM_ABOVE, np.ones(3), IN_COLOUR)
    layer, none = Layer(Window(0, 0, size[1], size[0]), whole, clear), BlurAndNoise(0.0, 0.0)
    masked, _, translucency = composite_mask(picture, layer, none, 0, scale, EVERYWHERE, light, sheer=1.0)
    reach, soft = scatter_box(scale) // 2, picture.astype(float)
    box = np.ones(2 * reach + 1) / (2 * reach + 1)
    for axis in (0, 1):
        around, period = np.arange(-2 * reach, size[axis] + 2 * reach), max(2 * (size[axis] - 1), 1)
        mirrored = np.minimum(around % period, -around % period)
        twice = partial(np.convolve, np.convolve(box, box), mode="valid")
        soft = np.apply_along_axis(twice, axis, soft.take(mirrored, axis=axis))
    assert np.abs(masked - soft).max() < 0.5 + 255 * 1e-3  # a thousandth of the picture remains, see LEAST_LIGHT
    assert translucency == 1.0
