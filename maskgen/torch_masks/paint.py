"""Texture, folds and light at the masks' pixels: the formulas of `kernels/render.c`, for all masks at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from maskgen.masks.lighting.cloth_colour import (
    BRIGHTEST,
    FIBRES,
    SHEEN,
    SHEEN_KNEE,
    SHEEN_OF_RELIEF,
    SHEEN_ROOM,
    SHINE,
    USUAL_LIGHT,
)
from maskgen.masks.lighting.exposure import ROOM
from maskgen.masks.render import STRAP_COVER

from .packed import PackedMasks
from .rasterise import MaskPixels

GREEN, ACROSS, DOWN, PART = 1, 3, 4, 7  # columns of `PackedMasks.texels`


@dataclass(frozen=True, slots=True)
class Paint:
    """The masks before blur, on whole pictures.

    Attributes:
        planes: float32 (5, n, height, width): premultiplied red, green and blue, 0..255, coverage, and the share of
            light that the mask blocks, see `render.Layer`.
        parts: uint8 (n, height, width), part labels where anything is drawn; None if not requested.
    """

    planes: Tensor
    parts: Tensor | None


def paint(packed: PackedMasks, pixels: MaskPixels, parts: bool) -> Paint:
    """Paint the masks' pixels."""
    alpha, cover = _opacity(packed, pixels)
    texel = _sampled(packed, pixels)
    material, clear = (texel[:, 5:7] / 255).unbind(1)
    sheer = torch.where(_straps(packed, pixels), 0.0, packed.number("sheer")[pixels.owner])
    cover = cover * material
    alpha = alpha * ((1 - sheer) * material * (1 - clear))
    colours = _coloured(packed, pixels, texel) * alpha
    height, width = packed.size
    place = pixels.owner * (height * width) + pixels.place
    planes = torch.zeros(5, len(packed) * height * width, dtype=torch.float32, device=alpha.device)
    planes[:, place] = torch.cat([colours, cover[None], alpha[None]])
    named = None
    if parts:
        named = torch.zeros(len(packed) * height * width, dtype=torch.uint8, device=alpha.device)
        named[place] = packed.texels[_texel_at(packed, pixels, pixels.x.round(), pixels.y.round()), PART]
        named = named.view(-1, height, width)
    return Paint(planes.view(5, -1, height, width), named)


def _straps(packed: PackedMasks, pixels: MaskPixels) -> Tensor:
    return pixels.y >= packed.number("straps_from")[pixels.owner]


def _opacity(packed: PackedMasks, pixels: MaskPixels) -> tuple[Tensor, Tensor]:
    """The share of light that opaque cloth of this place blocks, and its coverage, both (m,)."""
    straps = _straps(packed, pixels)
    columns = packed.atlas[pixels.owner, 1]
    fading = straps & (packed.number("fades")[pixels.owner] > 0)
    alpha = pixels.whole * torch.where(fading, ((pixels.x + 0.5) / columns).clamp(max=1), 1.0)
    return alpha, alpha - alpha * straps * (1 - STRAP_COVER)


def _texel_at(packed: PackedMasks, pixels: MaskPixels, x: Tensor, y: Tensor) -> Tensor:
    """The rows of `PackedMasks.texels` for whole x and y in the masks' atlases; those outside are moved to the edge."""
    rows, columns, start = packed.atlas[pixels.owner].unbind(1)
    column = torch.minimum(x.to(torch.int64).clamp(min=0), columns - 1)
    row = torch.minimum(y.to(torch.int64).clamp(min=0), rows - 1)
    return start + row * columns + column


def _sampled(packed: PackedMasks, pixels: MaskPixels) -> Tensor:
    """The atlas at the pixels, bilinear, in whole levels: float32 (m, 8)."""
    left, up = pixels.x.floor(), pixels.y.floor()
    later, lower = (pixels.x - left)[:, None], (pixels.y - up)[:, None]
    texels = packed.texels

    def at(right: int, down: int) -> Tensor:
        return texels[_texel_at(packed, pixels, left + right, up + down)].to(torch.float32)

    above = at(0, 0) * (1 - later) + at(1, 0) * later
    below = at(0, 1) * (1 - later) + at(1, 1) * later
    return (above * (1 - lower) + below * lower).round()


def _coloured(packed: PackedMasks, pixels: MaskPixels, texel: Tensor) -> Tensor:
    """The colours (3, m) of the masks in the photographs' light, 0..255."""

    def number(name: str) -> Tensor:
        return packed.number(name)[pixels.owner]

    lit = pixels.lit * number("light")
    folds = texel[:, ACROSS] * number("across") + texel[:, DOWN] * number("down") + number("level")
    bright = (lit * folds).clamp(0, BRIGHTEST)
    shining = (1 - SHEEN_OF_RELIEF) * lit + SHEEN_OF_RELIEF * bright
    over = _flattened(shining * shining - USUAL_LIGHT**2, SHEEN_KNEE, SHEEN_ROOM)
    sheen = torch.maximum(over * (SHINE + SHEEN * number("gloss") - SHINE / 255 * texel[:, GREEN]), over * FIBRES)
    red, green, blue, shine = packed.dye[pixels.owner].unbind(2)
    colours = red * texel[:, :1] + green * texel[:, 1:2] + blue * texel[:, 2:3] + shine * sheen[:, None]
    colours = colours.T * bright
    warmer = (USUAL_LIGHT - bright) * number("tint")
    colours[0] += warmer * colours[0]
    colours[2] -= warmer * colours[2]
    return _compressed(colours, number("top"), number("lift")).clamp(max=255)


def _compressed(colours: Tensor, top: Tensor, lift: Tensor) -> Tensor:
    """Encoded colours in the photographs' range: the brightest approach `top`, black is `lift`."""
    return _flattened(colours, top - ROOM, ROOM) * (1 - lift / 255) + lift


def _flattened(values: Tensor, knee: Tensor | float, room: float) -> Tensor:
    """Values that approach `knee` and `room` more in place of passing `knee`."""
    over = (values - knee).clamp(min=0)
    return values - over + over * (room / (room + over))
