"""Adapters: a small network on a frozen recogniser's embeddings, which begins as that recogniser."""

from __future__ import annotations

from torch import Tensor, nn

PREFIX = "adapter:"
RECOGNISERS = {"dlib": 128}  # numbers in their embeddings


class Adapter(nn.Module):
    """Features plus what two layers make of them: float32 (n, width) to the same.

    The last layer begins at 0, so an untrained adapter gives what it is given, at unit length. No wider inside than
    outside: of people it never saw, four times the width told fewer.
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
        """Unit-length features (n, width), moved."""
        unit = nn.functional.normalize(features, dim=1)
        return unit + self.out(self.within(unit))
