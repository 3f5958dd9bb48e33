"""Adapters: a small network on a frozen recogniser's embeddings, initially the identity at unit length."""

from __future__ import annotations

from torch import Tensor, nn

PREFIX = "adapter:"
RECOGNISERS = {"dlib": 128}  # length of their embeddings


class Adapter(nn.Module):
    """A residual block of two linear layers: features float32 (n, width) to the same shape.

    The last layer is initialised with 0, so an untrained adapter only normalises its input to unit length. The hidden
    layer has the same width: with four times the width, accuracy on unknown people was lower.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.within = nn.Sequential(
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor) -> Tensor:
        """The features (n, width) at unit length plus the block's output."""
        unit = nn.functional.normalize(features, dim=1)
        return unit + self.out(self.within(unit))
