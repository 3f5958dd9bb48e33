"""ArcFace on pytorch-metric-learning, with cross-entropy or focal loss per picture, and class weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from pytorch_metric_learning.losses import ArcFaceLoss
from torch import Tensor, nn

_EDGE = 1e-7  # least distance of a cosine from 1 and -1, where the derivative of its angle is infinite


class FocalCrossEntropy(nn.Module):
    """Cross-entropy of each picture times (1 - p) ** gamma, weighted so that a batch's weights have the mean 1.

    Args:
        gamma: 0 is plain cross-entropy.
        weights: float32 (n_classes,).

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017; the weights' mean as in torch.nn.CrossEntropyLoss.
    """

    def __init__(self, gamma: float, weights: Tensor) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """float (n, n_classes) and int64 (n,) to losses (n,)."""
        losses = nn.functional.cross_entropy(logits, targets, reduction="none")
        if self.gamma:
            missed = -torch.expm1(-losses)  # 1 - p
            losses = losses * missed.clamp(min=1e-12).pow(self.gamma)
        weights = self.get_buffer("weights")[targets]
        return losses * weights / weights.mean()


class SafeArcFace(ArcFaceLoss):  # type: ignore[misc]
    """pytorch-metric-learning's ArcFace, with finite gradients for an embedding at its class's centre."""

    def get_angles(self, cosine_of_target_classes: Tensor) -> Tensor:
        """The angles of cosines, in radians, at least 0.0004 away from 0 and pi."""
        return torch.acos(cosine_of_target_classes.clamp(-1 + _EDGE, 1 - _EDGE))


def build_arcface(n_classes: int, dim: int, scale: float, margin: float, cross_entropy: nn.Module) -> Any:
    """The loss module; it owns the class matrix `W` (dim, n_classes).

    Args:
        margin: in radians.
        cross_entropy: logits (n, n_classes) and targets (n,) to losses (n,).
    """
    loss = SafeArcFace(num_classes=n_classes, embedding_size=dim, margin=math.degrees(margin), scale=scale)
    loss.cross_entropy = cross_entropy
    return loss


def arcface_chance(n_classes: int, scale: float, margin: float, gamma: float) -> float:
    """The lowest loss if all pictures have the same embedding and all people equally many pictures.

    All class centres are then equal to that embedding, and the margin lowers only the logit of the true class.
    """
    others = math.log(n_classes - 1) + scale * (1 - math.cos(margin))
    loss = max(others, 0.0) + math.log1p(math.exp(-abs(others)))
    return loss * (-math.expm1(-loss)) ** gamma
