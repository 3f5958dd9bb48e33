"""Pooling: feature maps of any size to one vector per picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GeM(nn.Module):
    """Generalised mean over the positions of a map: the mean at p = 1, closer to the maximum for larger p. p is
    trained.

    Source: Radenovic, Tolias and Chum, Fine-tuning CNN Image Retrieval with No Human Annotation, 2018.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(float(p)))
        self.eps = eps

    def forward(self, maps: Tensor) -> Tensor:
        """float (n, c, h, w) to (n, c); values are at least `eps`. In float32: a cube can exceed fp16's range."""
        with torch.autocast(maps.device.type, enabled=False):
            powers = maps.float().clamp(min=self.eps).pow(self.p)
            return powers.mean((2, 3)).pow(1 / self.p)


class Average(nn.Module):
    """The mean over the positions of a map."""

    def forward(self, maps: Tensor) -> Tensor:
        """float (n, c, h, w) to (n, c)."""
        return maps.mean((2, 3))


def build_pooling(name: str) -> nn.Module:
    """ "gem" or "avg"."""
    return GeM() if name == "gem" else Average()
