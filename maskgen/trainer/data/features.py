"""A dataset of features: embeddings of a frozen recogniser, computed before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from .picture_batches import Item, Key


@dataclass(frozen=True)
class Features(Dataset[Item]):
    """Features of a list's pictures.

    Attributes:
        values: float32 (n, d), NaN where a picture could not be read.
        addresses: large_string (n,), for messages on unreadable pictures.
        targets: int64 (n,).
    """

    values: NDArray[np.float32]
    addresses: Any
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    def items(self, keys: Sequence[Key]) -> list[Item]:
        """See `picture_batches.Rows`."""
        return [self[key] for key in keys]

    def __getitem__(self, key: Key) -> Item:
        row = key[1]
        value, target = self.values[row], int(self.targets[row])
        if np.isnan(value[0]):
            return Item(
                row, target, None, f"{self.addresses[row].as_py()}: it has no features, because it cannot be read"
            )
        return Item(row, target, value)
