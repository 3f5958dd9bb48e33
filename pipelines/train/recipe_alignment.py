"""Alignment of crops for a recipe with `data.align`, in training and evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from maskgen.core.records import Image
from maskgen.embedders.chip_alignment import ChipAligner

if TYPE_CHECKING:
    from maskgen.trainer.data.picture_batches import Augment


@dataclass(frozen=True, slots=True)
class Aligner:
    """Cuts dlib's chips from crops, after the step `before`; see `maskgen.trainer.data.picture_batches.Augment`.

    The face is detected after masking, as it is when the model is used.
    """

    before: Augment | None = None

    def __call__(
        self, images: Sequence[Image], rows: Sequence[dict[str, Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Image]:
        """The chips, uint8 RGB (150, 150, 3) each."""
        if self.before is not None:
            images = self.before(images, rows, rngs)
        return list(_chipper().chips(images))


@cache
def _chipper() -> ChipAligner:
    """One aligner per process."""
    return ChipAligner()
