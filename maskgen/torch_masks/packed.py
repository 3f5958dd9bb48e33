"""Prepared masks as tensors: the rows of all masks one after the other, and the mask that each row is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskgen.core.records import Floats
from maskgen.masks.kind import AtlasLevel

from .prepared import MaskNumbers, PreparedMask

OPAQUE = (255, 0)  # material and clearness of an atlas without cut-outs and windows


@dataclass(frozen=True, slots=True)
class PackedMasks:
    """Masks of pictures of one size, ready for `render_masks`, those with the widest blur first.

    Integers are int64 if not stated otherwise.

    Attributes:
        size: rows and columns of the pictures.
        blur_radii: of each mask's blur, never increasing.
        fragments, pixels: how many pixels all triangles' boxes have, and all windows.
        canvas_pixels: how many pixels all canvases have.
        sheer, coloured: the masks of thin cloth, and those with colour noise, as numbers.
        rows: (n,), the picture of each mask in its batch.
        corners: float32 (t, 3, 3), each triangle's corners: x, y and depth.
        values: float32 (t, 3, 3), what the corners carry.
        owner: (t,), the mask of each triangle.
        boxes: (t, 4), the canvas's pixels that a triangle can cover: x0, y0, columns, rows.
        canvas: (n, 3), rows, columns and first pixel of each mask's canvas.
        windows, outers: (n, 4), x0, y0, x1, y1.
        numbers: float32 (n, 13), see `MaskNumbers`.
        dye: float32 (n, 3, 4).
        texels: uint8 (a, 8), the pixels of all atlases: red, green, blue, slope across, slope down, material,
            clearness, part label.
        atlas: (n, 3), rows, columns and first pixel of each mask's atlas.
        blur, shadow, scatter: float32 (n, odd), kernels with zeros at both ends; `scatter` has rows for `sheer` only.
        ground: int32 (n, height, 2), columns of each row on which shadow may fall.
        shadow_by: (n, 2), right and down.
        noise_at: (n, 2), row and column.
    """

    size: tuple[int, int]
    blur_radii: tuple[int, ...]
    fragments: int
    pixels: int
    canvas_pixels: int
    sheer: tuple[int, ...]
    coloured: tuple[int, ...]
    rows: Tensor
    corners: Tensor
    values: Tensor
    owner: Tensor
    boxes: Tensor
    canvas: Tensor
    windows: Tensor
    outers: Tensor
    numbers: Tensor
    dye: Tensor
    texels: Tensor
    atlas: Tensor
    blur: Tensor
    shadow: Tensor
    scatter: Tensor
    ground: Tensor
    shadow_by: Tensor
    noise_at: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def number(self, name: str) -> Tensor:
        """One of `MaskNumbers` for each mask, float32 (n,)."""
        return self.numbers[:, MaskNumbers._fields.index(name)]

    def to(self, device: torch.device | str) -> PackedMasks:
        """The same masks on another device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> PackedMasks:
        """The same masks in pinned memory: a DataLoader calls this."""
        return self._each(lambda tensor: tensor.pin_memory())

    def _each(self, change: Any) -> PackedMasks:
        values = (getattr(self, one.name) for one in fields(self))
        return PackedMasks(*(change(value) if isinstance(value, Tensor) else value for value in values))


def pack_masks(masks: Sequence[PreparedMask], rows: Sequence[int]) -> PackedMasks:
    """Pack masks of pictures of one size.

    Args:
        rows: the picture of each mask in its batch.

    Raises:
        ValueError: there is no mask, or their pictures differ in size.
    """
    sizes = {mask.size for mask in masks}
    if len(sizes) != 1:
        raise ValueError(f"expected masks of pictures of one size, got {sorted(sizes) or 'none'}")
    order = sorted(range(len(masks)), key=lambda at: -len(masks[at].blur))
    return _packed([masks[at] for at in order], [rows[at] for at in order])


def _packed(masks: Sequence[PreparedMask], rows: Sequence[int]) -> PackedMasks:
    """`pack_masks` of masks in their order."""
    canvases = [mask.canvas for mask in masks]
    windows = np.array([_box(mask.window) for mask in masks])
    sheer = tuple(at for at, mask in enumerate(masks) if len(mask.scatter))
    boxes, geometry = _triangles(masks)
    return PackedMasks(
        size=masks[0].size,
        blur_radii=tuple(len(mask.blur) // 2 for mask in masks),
        fragments=int((boxes[:, 2] * boxes[:, 3]).sum()),
        pixels=int(((windows[:, 2] - windows[:, 0]) * (windows[:, 3] - windows[:, 1])).sum()),
        canvas_pixels=sum(rows * columns for rows, columns in canvases),
        sheer=sheer,
        coloured=tuple(at for at, mask in enumerate(masks) if mask.numbers.colour_noise),
        rows=_whole(rows),
        **geometry,
        canvas=_with_starts(canvases),
        windows=_whole(windows),
        outers=_whole([_box(mask.outer) for mask in masks]),
        numbers=torch.from_numpy(np.array([mask.numbers for mask in masks], np.float32)),
        dye=torch.from_numpy(np.stack([mask.dye for mask in masks])),
        **_atlases([mask.level for mask in masks]),
        blur=_kernels([mask.blur for mask in masks]),
        shadow=_kernels([mask.shadow for mask in masks]),
        scatter=_kernels([masks[at].scatter for at in sheer]),
        ground=torch.from_numpy(_grounds(masks)),
        shadow_by=_whole([mask.shadow_by for mask in masks]),
        noise_at=_whole([mask.noise_at for mask in masks]),
    )


def _whole(values: Any) -> Tensor:
    return torch.from_numpy(np.array(values, np.int64))


def _box(window: Any) -> tuple[int, int, int, int]:
    return window.x0, window.y0, window.x1, window.y1


def _with_starts(sizes: Sequence[tuple[int, int]]) -> Tensor:
    """Rows, columns and the first pixel of pictures one after the other, (n, 3)."""
    both = np.array(sizes, np.int64).reshape(-1, 2)
    ends = np.cumsum(both[:, 0] * both[:, 1])
    return torch.from_numpy(np.column_stack([both, ends - both[:, 0] * both[:, 1]]))


def _triangles(masks: Sequence[PreparedMask]) -> tuple[NDArray[np.int64], dict[str, Tensor]]:
    """All triangles that cover a pixel's centre, by their boxes, and the tensors of them."""
    corners = np.concatenate([mask.corners[mask.triangles] for mask in masks])
    values = np.concatenate([mask.values[mask.triangles] for mask in masks])
    counts = [len(mask.triangles) for mask in masks]
    ends = np.repeat(np.array([mask.canvas[::-1] for mask in masks]), counts, axis=0)
    one, two, three = (corners[:, at, :2] for at in range(3))  # five times as fast as a reduction over the axis
    first = np.maximum(np.ceil(np.minimum(np.minimum(one, two), three)), 0).astype(np.int64)
    end = np.floor(np.maximum(np.maximum(one, two), three)).astype(np.int64) + 1
    size = np.minimum(end, ends) - first
    boxes = np.concatenate([first, size], 1)
    some = np.flatnonzero((size > 0).all(1))
    boxes = boxes[some]
    return boxes, {
        "corners": torch.from_numpy(corners[some]),
        "values": torch.from_numpy(values[some]),
        "owner": _whole(np.repeat(np.arange(len(masks)), counts)[some]),
        "boxes": _whole(boxes),
    }


def _atlases(levels: Sequence[AtlasLevel]) -> dict[str, Tensor]:
    """Each atlas once, and where it is for each mask."""
    different = {id(level): level for level in levels}
    places = _with_starts([level.slope_down.shape for level in different.values()])
    number = {key: at for at, key in enumerate(different)}
    texels = np.concatenate([_texels(level) for level in different.values()])
    return {"texels": torch.from_numpy(texels), "atlas": places[[number[id(level)] for level in levels]]}


def _texels(level: AtlasLevel) -> NDArray[np.uint8]:
    texels = np.empty((*level.parts.shape, 8), np.uint8)
    texels[..., :4], texels[..., 4], texels[..., 7] = level.colours, level.slope_down, level.parts
    texels[..., 5:7] = OPAQUE if level.material_and_clear is None else level.material_and_clear
    return texels.reshape(-1, 8)


def _kernels(kernels: Sequence[Floats]) -> Tensor:
    """Kernels of odd lengths in the middle of rows of zeros, (n, longest)."""
    longest = max(map(len, kernels), default=1)
    padded = np.zeros((len(kernels), longest), np.float32)
    for row, kernel in zip(padded, kernels, strict=True):
        edge = (longest - len(kernel)) // 2
        row[edge : longest - edge] = kernel
    return torch.from_numpy(padded)


def _grounds(masks: Sequence[PreparedMask]) -> NDArray[np.int32]:
    spans = np.zeros((len(masks), masks[0].size[0], 2), np.int32)
    for own, mask in zip(spans, masks, strict=True):
        own[mask.outer.y0 : mask.outer.y1] = mask.ground
    return spans
