"""Renders packed masks onto a batch of pictures: pixels, paint, blur, noise, shadow and compositing, all on one device.

The formulas are those of `kernels/render.c` and `kernels/composite.c`; the pictures differ from theirs by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from maskgen.masks.apply_mask import LEAST_COVERAGE
from maskgen.masks.composite import SHADOW, SHADOW_ROUND
from maskgen.masks.lighting.blur_and_noise import ELSEWHERE, PRESSED, TILE, noise_tile
from maskgen.masks.part_labels import HALF, HALF_STRAP, STRAP

from .filters import blurred
from .packed import PackedMasks
from .paint import paint
from .rasterise import rasterise


@dataclass(frozen=True, slots=True)
class RenderedMasks:
    """The pictures of some masks, in the order of `PackedMasks`.

    Attributes:
        images: uint8 (n, 3, height, width).
        coverage: uint8 (n, height, width), 0..255, see `apply_mask.MaskedPicture`.
        masked: bool (n,): false if no cloth is visible, see `apply_mask.no_cloth_visible`; such a picture is unchanged.
        parts: uint8 (n, height, width), values of `template.PARTS`; None if not requested.
    """

    images: Tensor
    coverage: Tensor
    masked: Tensor
    parts: Tensor | None = None


@torch.no_grad()
def render_masks(images: Tensor, packed: PackedMasks, parts: bool = False) -> RenderedMasks:
    """Render masks onto their pictures of a batch.

    Args:
        images: uint8 RGB (b, 3, height, width) on the device of `packed`; not changed.
        parts: whether to return part labels.

    Raises:
        ValueError: another type or shape, or another device.
    """
    _check(images, packed)
    painted = paint(packed, rasterise(packed), parts)
    planes = blurred(painted.planes, packed.blur, packed.blur_radii)
    own = images[packed.rows]
    change, cover = _composited(own, packed, planes)
    there = cover.flatten(1).amax(1) >= LEAST_COVERAGE
    shown = there[:, None, None]
    named = None if painted.parts is None else torch.where(shown, _labels(painted.parts, cover), 0)
    return RenderedMasks(torch.where(shown[:, None], change, own), torch.where(shown, cover, 0), there, named)


def _check(images: Tensor, packed: PackedMasks) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or tuple(images.shape[1:]) != (3, *packed.size):
        expected = f"expected uint8 pictures (b, 3, {packed.size[0]}, {packed.size[1]})"
        raise ValueError(f"{expected}, got {images.dtype} {tuple(images.shape)}")
    if images.device != packed.rows.device:
        raise ValueError(f"the pictures are on {images.device}, the masks on {packed.rows.device}")


def _composited(images: Tensor, packed: PackedMasks, planes: Tensor) -> tuple[Tensor, Tensor]:
    """The masked pictures, uint8 (n, 3, height, width), and their coverage, uint8 (n, height, width)."""
    alpha = planes[4]
    under = images.to(torch.float32)
    if packed.sheer:
        some = list(packed.sheer)
        under[some] = _seen_through(under[some], packed, planes[:, some])
    under *= _light_left(packed, alpha, planes[3])[:, None]
    under += planes[:3].transpose(0, 1)
    under += _noise(packed, planes[1], alpha)
    cover = (planes[3] * 255).round_().clamp_(0, 255).to(torch.uint8)
    return under.round_().clamp_(0, 255).to(torch.uint8), cover


def _light_left(packed: PackedMasks, alpha: Tensor, cover: Tensor) -> Tensor:
    """The share of the pictures' light that remains under the masks and their shadows, see `composite`."""
    soft = blurred(torch.minimum(alpha, cover)[None], packed.shadow)[0] * SHADOW
    moved = _shifted(soft, packed.shadow_by)
    shadow = torch.maximum(soft * SHADOW_ROUND, moved)
    columns = torch.arange(alpha.shape[2], device=alpha.device)
    ground = (columns >= packed.ground[:, :, :1]) & (columns < packed.ground[:, :, 1:])
    skin = 1 - alpha
    return (1 - shadow * ground * skin) * skin


def _shifted(planes: Tensor, by: Tensor) -> Tensor:
    """Planes (n, height, width), each shifted by its own whole pixels, right and down; 0 where nothing comes from."""
    _, height, width = planes.shape
    column = torch.arange(width, device=planes.device) - by[:, :1]
    row = torch.arange(height, device=planes.device) - by[:, 1:]
    there = ((row >= 0) & (row < height))[:, :, None] & ((column >= 0) & (column < width))[:, None]
    place = row.clamp(0, height - 1)[:, :, None] * width + column.clamp(0, width - 1)[:, None]
    return planes.flatten(1).gather(1, place.flatten(1)).view_as(planes) * there


def _seen_through(images: Tensor, packed: PackedMasks, planes: Tensor) -> Tensor:
    """The pictures of the masks of thin cloth, blurred where they show through it, see `composite`."""
    some = list(packed.sheer)
    share = planes[3] * packed.number("sheer")[some][:, None, None]
    share = share / torch.maximum(1 - planes[4], share + 1e-3)
    mirrored = _mirrored(images, packed.outers[some], packed.scatter.shape[1] // 2)
    blurry = blurred(mirrored.transpose(0, 1), packed.scatter)
    edge = packed.scatter.shape[1] // 2
    height, width = packed.size
    blurry = blurry[:, :, edge : edge + height, edge : edge + width].transpose(0, 1)
    return images + (blurry - images) * share[:, None]


def _mirrored(images: Tensor, windows: Tensor, edge: int) -> Tensor:
    """The pictures' windows with their pixels mirrored about the windows' edges, `edge` pixels more on each side."""
    height, width = images.shape[2:]
    columns = _mirrored_at(torch.arange(-edge, width + edge, device=images.device), windows[:, 0], windows[:, 2])
    rows = _mirrored_at(torch.arange(-edge, height + edge, device=images.device), windows[:, 1], windows[:, 3])
    place = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None]
    shape = (*images.shape[:2], height + 2 * edge, width + 2 * edge)
    return images.flatten(2).gather(2, place.flatten(1)[:, None].expand(-1, 3, -1)).view(shape)


def _mirrored_at(places: Tensor, low: Tensor, end: Tensor) -> Tensor:
    """Places (k,) mirrored into low <= place < end of each row, the edge's pixel not repeated: (n, k)."""
    low, period = low[:, None], (2 * (end - low - 1)).clamp(min=1)[:, None]
    within = (places - low) % period
    return low + torch.minimum(within, period - within)


def _noise(packed: PackedMasks, green: Tensor, alpha: Tensor) -> Tensor:
    """Noise like the photographs', levels (n, 3, height, width), see `lighting.blur_and_noise`."""
    under = packed.number("top")[:, None, None] + PRESSED / 12 - green
    strength = alpha * (under.clamp(max=PRESSED) / PRESSED)
    grey = _tiled(packed, slice(None), (0, 0)) * strength * packed.number("noise")[:, None, None]
    noise = grey[:, None].repeat(1, 3, 1, 1)
    if packed.coloured:
        some = list(packed.coloured)
        levels = packed.number("colour_noise")[some, None, None]
        own = _tiled(packed, some, ELSEWHERE) * strength[some] * levels
        noise[some, 0] += own
        noise[some, 2] -= own
    return noise


def _tiled(packed: PackedMasks, some: slice | list[int], elsewhere: tuple[int, int]) -> Tensor:
    """The noise tile on the whole pictures of some masks, (k, height, width), as it lies on their outer windows."""
    device = packed.rows.device
    at, outers = packed.noise_at[some], packed.outers[some]
    row = (torch.arange(packed.size[0], device=device) - outers[:, 1:2] + at[:, :1] + elsewhere[0]) % TILE
    column = (torch.arange(packed.size[1], device=device) - outers[:, :1] + at[:, 1:] + elsewhere[1]) % TILE
    return _tile(device)[row[:, :, None] * TILE + column[:, None]]


@cache
def _tile(device: torch.device) -> Tensor:
    return torch.from_numpy(noise_tile().flatten()).to(device)


def _labels(drawn: Tensor, coverage: Tensor) -> Tensor:
    """See `masks.part_labels`: a pixel without a label that is covered gets that of a neighbour."""
    named = drawn.to(torch.float32)
    while ((named == 0) & (coverage > HALF)).any():
        blank = (named == 0) & (coverage > HALF)
        named = torch.where(blank, F.max_pool2d(named[:, None], 3, 1, 1)[:, 0], named)
    named = torch.where(coverage <= HALF_STRAP, 0.0, named)
    return torch.where((named != STRAP) & (coverage <= HALF), 0.0, named).to(torch.uint8)
