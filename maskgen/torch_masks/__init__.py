"""Masks rendered by PyTorch, many at once: `BatchMasker`; see docs/torch_masks.md.

It renders what `maskgen.masks.apply_mask` renders, on any of PyTorch's devices. Masks are placed on the CPU by the same
code; the work on pixels is done on the device. PyTorch comes with `maskgen[train]`; nothing else imports this package.
"""

from __future__ import annotations

from .batch_masker import BatchMasker, MaskedBatch
from .packed import PackedMasks, pack_masks
from .prepared import PreparedMask, prepare_mask
from .renderer import RenderedMasks, render_masks

__all__ = [
    "BatchMasker",
    "MaskedBatch",
    "PackedMasks",
    "PreparedMask",
    "RenderedMasks",
    "pack_masks",
    "prepare_mask",
    "render_masks",
]
