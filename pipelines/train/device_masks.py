"""Masks on the fly that the network's device renders: planned in the loader's workers, rendered a batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image
from maskgen.torch_masks import PackedMasks, PreparedMask, pack_masks, prepare_mask, render_masks

from .online_masks import OnlineMasker

AT_ONCE = 256  # masks rendered in one pass, which bounds its memory


@dataclass(frozen=True, slots=True)
class DeviceMasks:
    """The masks of a batch, see `maskgen.trainer.data.picture_batches.Late`."""

    packed: tuple[PackedMasks, ...]

    def __call__(self, values: Tensor) -> Tensor:
        """The pictures, uint8 (n, size, size, 3), with their masks."""
        out = values.clone()
        for packed in self.packed:
            out[packed.rows] = render_masks(values.permute(0, 3, 1, 2), packed).images.permute(0, 2, 3, 1)
        return out

    def to(self, device: torch.device) -> DeviceMasks:
        """The same masks on another device."""
        return DeviceMasks(tuple(one.to(device) for one in self.packed))

    def pin_memory(self) -> DeviceMasks:
        """The same masks in pinned memory."""
        return DeviceMasks(tuple(one.pin_memory() for one in self.packed))


@dataclass(frozen=True, slots=True)
class DevicePlanner:
    """Plans the masks that `masker` draws, see `maskgen.trainer.data.picture_batches.Planner`."""

    masker: OnlineMasker

    def plan(
        self,
        images: Sequence[Image],
        scales: Sequence[tuple[float, float]],
        rows: Sequence[dict[str, Any]],
        rngs: Sequence[np.random.Generator],
    ) -> list[PreparedMask | None]:
        """The masks for pictures of the network's size; None for one that gets none."""
        drawn = {at: one for at, one in enumerate(map(self.masker.draw, rows, rngs)) if one is not None}
        # Pixel centres are at integers.
        points = {at: (one.points.astype(np.float64) + 0.5) * scales[at] - 0.5 for at, one in drawn.items()}
        plans: list[PreparedMask | None] = [None] * len(images)
        for at, analysed in self.masker.analysed(images, rows, points).items():
            with suppress(SetAsideError):  # as `OnlineMasker`
                plans[at] = prepare_mask(images[at], analysed, drawn[at].plan, drawn[at].kind)
        return plans

    def together(self, plans: Sequence[PreparedMask | None]) -> DeviceMasks | None:
        """The masks of a batch; None if no picture gets one."""
        masks = [(plan, row) for row, plan in enumerate(plans) if plan is not None]
        groups = [masks[at : at + AT_ONCE] for at in range(0, len(masks), AT_ONCE)]
        packed = [pack_masks([plan for plan, _ in some], [row for _, row in some]) for some in groups]
        return DeviceMasks(tuple(packed)) if packed else None
