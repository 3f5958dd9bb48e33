"""Rasterises the triangles of all masks at once, and reduces the canvases to the pictures' pixels.

A pair of a triangle and a pixel of its box is a fragment. All fragments are tested in one pass; the nearest one of each
pixel is found with one minimum over integers, which hold the depth above the fragment's number. So the answer depends
neither on the order of the work nor on the other masks. It is that of `kernels/rasterise.c` up to rounding.

Source: edge functions, Pineda 1988.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .packed import PackedMasks

FLATTEST = 1e-6  # twice the area, in pixels, below which a triangle is not drawn, as in OpenCV
NOTHING = torch.iinfo(torch.int64).max


@dataclass(frozen=True, slots=True)
class MaskPixels:
    """The pixels of the pictures on which something of a mask is, m of them.

    Attributes:
        owner: (m,), the mask of each pixel.
        place: (m,), its place in the picture, row by row.
        x, y: float32 (m,), its place in the mask's atlas, in texels with centres at integers.
        lit: float32 (m,), the light on it as a share of `cloth_colour.BRIGHTEST`.
        whole: float32 (m,), the share of the pixel that the mask covers, above 0.
    """

    owner: Tensor
    place: Tensor
    x: Tensor
    y: Tensor
    lit: Tensor
    whole: Tensor


def rasterise(packed: PackedMasks) -> MaskPixels:
    """The pixels of all masks."""
    return _reduced(packed, _canvases(packed))


def _canvases(packed: PackedMasks) -> Tensor:
    """The canvases' pixels, float32 (canvas pixels, 4): x and y in the atlas, light, and 1 where there is a mask."""
    device = packed.corners.device
    triangle, x, y = _fragments(packed)
    first, second, third = _barycentric(packed.corners, triangle, x, y)
    inside = ((first >= 0) & (second >= 0) & (third >= 0)).nonzero()[:, 0]
    triangle, first, second, third = (each[inside] for each in (triangle, first, second, third))
    depth = packed.corners[:, :, 2][triangle]
    away = -(first * depth[:, 0] + second * depth[:, 1] + third * depth[:, 2])
    bits = away.view(torch.int32)
    bits = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)  # ordered as the numbers are
    key = (bits.to(torch.int64) << 32) | torch.arange(len(inside), device=device)
    canvas = packed.canvas[packed.owner[triangle]]
    pixel = canvas[:, 2] + y[inside] * canvas[:, 1] + x[inside]
    nearest = torch.full((packed.canvas_pixels,), NOTHING, device=device)
    nearest.scatter_reduce_(0, pixel, key, "amin")
    drawn = torch.zeros(packed.canvas_pixels, 4, dtype=torch.float32, device=device)
    pixel = (nearest != NOTHING).nonzero()[:, 0]
    chosen = nearest[pixel] & 0xFFFFFFFF
    one, two, three = packed.values[triangle[chosen]].unbind(1)
    # Each step is one rounded operation: sums over an axis may add in another order in another batch.
    drawn[pixel, :3] = one * first[chosen, None] + two * second[chosen, None] + three * third[chosen, None]
    drawn[:, 3] = (drawn[:, 2] > 0).to(torch.float32)
    return drawn


def _fragments(packed: PackedMasks) -> tuple[Tensor, Tensor, Tensor]:
    """The triangle, and the x and y in its canvas, of each fragment."""
    area = packed.boxes[:, 2] * packed.boxes[:, 3]
    triangle, within = _runs(area, packed.fragments)
    box = packed.boxes[triangle]
    row = within // box[:, 2]
    return triangle, box[:, 0] + within - row * box[:, 2], box[:, 1] + row


def _runs(counts: Tensor, total: int) -> tuple[Tensor, Tensor]:
    """0 `counts[0]` times, 1 `counts[1]` times and so on, (total,), and the place of each within its run."""
    number = torch.arange(len(counts), device=counts.device).repeat_interleave(counts, output_size=total)
    starts = counts.cumsum(0) - counts
    return number, torch.arange(total, device=counts.device) - starts[number]


def _barycentric(corners: Tensor, triangle: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The barycentric coordinates of the fragments' centres in their triangles; negative ones in flat triangles."""
    third = corners[:, 2, :2]
    along, beside = corners[:, 1, :2] - third, corners[:, 0, :2] - third
    area = beside[:, 0] * along[:, 1] - beside[:, 1] * along[:, 0]
    inverse = torch.where(area.abs() < FLATTEST, torch.nan, 1 / area)
    edges = torch.cat([third, along, beside, inverse[:, None]], 1)[triangle]
    right, down = x - edges[:, 0], y - edges[:, 1]
    first = (right * edges[:, 3] - down * edges[:, 2]) * edges[:, 6]
    second = (down * edges[:, 4] - right * edges[:, 5]) * edges[:, 6]
    return first, second, 1 - first - second


def _reduced(packed: PackedMasks, canvases: Tensor) -> MaskPixels:
    """The windows' pixels, bilinearly sampled from the canvases."""
    windows = packed.windows
    wide, tall = windows[:, 2] - windows[:, 0], windows[:, 3] - windows[:, 1]
    owner, within = _runs(wide * tall, packed.pixels)
    row = within // wide[owner]
    column = within - row * wide[owner]
    rows, columns, start = packed.canvas.unbind(1)
    up, down, lower = _taps(row, rows[owner], tall[owner])
    left, right, later = _taps(column, columns[owner], wide[owner])
    up, down = (start[owner] + each * columns[owner] for each in (up, down))
    above = canvases[up + left] * (1 - later) + canvases[up + right] * later
    below = canvases[down + left] * (1 - later) + canvases[down + right] * later
    drawn = above * (1 - lower) + below * lower
    some = (drawn[:, 3] > 0).nonzero()[:, 0]
    drawn, owner = drawn[some], owner[some]
    place = (windows[owner, 1] + row[some]) * packed.size[1] + windows[owner, 0] + column[some]
    x, y, lit = (drawn[:, :3] / drawn[:, 3:].clamp(min=1e-3)).unbind(1)
    return MaskPixels(owner, place, x, y, lit, drawn[:, 3])


def _taps(pixel: Tensor, canvas: Tensor, window: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For pixels of windows, the two pixels of the canvases that they lie between, and the second one's weight (m, 1),
    along one axis; pixels fill the canvas as OpenCV's resizing does it."""
    at = (pixel.to(torch.float32) + 0.5) * (canvas.to(torch.float32) / window) - 0.5
    at = torch.minimum(at.clamp(min=0), (canvas - 1).to(at.dtype))
    first = at.to(torch.int64)
    return first, torch.minimum(first + 1, canvas - 1), (at - first)[:, None]
