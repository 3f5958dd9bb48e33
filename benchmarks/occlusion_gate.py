"""Supervision of occlusion: maps are weighted by what is seen in them, and the segmentation teaches what is hidden.

The smallest version of it on the maps of the frozen layers (17 x 17 places). The method has a decoder over several
resolutions, weights the last maps, and takes the occluders of a grid as classes; here the decoder is two convolutions,
the maps before the learnt layers are weighted, and each place is told by how much cloth covers it.

Source: Qiu, Gong, Li, Liu and Tao, End2End Occluded Face Recognition by Masking Corrupted Features, 2021.
"""

from __future__ import annotations

import torch
from frozen_layers import SHAPE
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from maskgen.trainer.learner import Learner

INNER = 64  # channels of the decoder


class OcclusionGate(nn.Module):
    """Weights each map at each place by 0 to 2, from the maps; untrained every weight is 1.

    Attributes:
        hidden: of the last maps, logits (n, 17, 17) of how much cloth covers a place.
    """

    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.Sequential(nn.Conv2d(SHAPE[0], INNER, 3, 1, 1), nn.ReLU(), nn.Conv2d(INNER, INNER, 3, 1, 1))
        self.weights, self.covered = nn.Conv2d(INNER, SHAPE[0], 1), nn.Conv2d(INNER, 1, 1)
        for value in self.weights.parameters():
            nn.init.zeros_(value)
        self.hidden = torch.empty(0)

    def forward(self, maps: Tensor) -> Tensor:
        """float32 (n, 64, 17, 17) to the same."""
        seen = torch.relu(self.decoder(maps))
        self.hidden = self.covered(seen)[:, 0].float()
        return maps * (2 * torch.sigmoid(self.weights(seen)))


class GatedLearner(nn.Module):
    """The trainer's learner, with `weight` times the cross-entropy of what the segmentation says to be hidden."""

    def __init__(self, inner: Learner, weight: float) -> None:
        super().__init__()
        self.inner, self.weight, self.embed = inner, weight, inner.embed
        self.gates = [module for module in inner.modules() if isinstance(module, OcclusionGate)]

    def forward(self, values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """See `Learner`; the last of the values' maps is the cover."""
        loss, embeddings = self.inner(values, targets)
        hidden = [binary_cross_entropy_with_logits(gate.hidden, values[:, -1].float()) for gate in self.gates]
        return loss + self.weight * sum(hidden), embeddings
