"""Losses: from a batch's embeddings and people to one number, in float32 regardless of the network's precision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from maskgen.core.extras import need
from maskgen.core.reasons import UserError

from ..recipes.cross_checks import distils
from ..recipes.recipe import LossSpec
from .distillation import TemplateDistillation


class FaceLoss(nn.Module):
    """One or several losses, summed with weights."""

    def __init__(self, parts: dict[str, nn.Module], weights: dict[str, float], chance: float) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)
        self.weights = weights
        self._chance = chance

    @property
    def distillation(self) -> TemplateDistillation | None:
        """The part that needs templates before the first step; None without one."""
        part = dict(self.parts.items()).get("distill")
        return part if isinstance(part, TemplateDistillation) else None

    @property
    def chance(self) -> float:
        """The lowest loss if all pictures have the same embedding: if the loss stays there, nothing is learnt."""
        distilled = self.distillation
        return self._chance + (self.weights["distill"] * distilled.chance if distilled else 0.0)

    def forward(self, embeddings: Tensor, targets: Tensor) -> Tensor:
        """Embeddings (n, d) of any float type and classes int64 (n,) to a float32 scalar."""
        with torch.autocast(embeddings.device.type, enabled=False):
            single = embeddings.float()
            values = [self.weights[name] * part(single, targets) for name, part in self.parts.items()]
        return torch.stack(values).sum()


def build_loss(spec: LossSpec, dim: int, counts: npt.NDArray[np.int64]) -> FaceLoss:
    """The loss that a recipe describes.

    Args:
        dim: length of an embedding.
        counts: int64 (n_classes,), pictures of each person; the index is the class.

    Raises:
        UserError: fewer than two people.
    """
    if len(counts) < 2:
        raise UserError(f"Training needs at least two people, and the list has {len(counts)}: give a longer one.")
    need("pytorch_metric_learning", "train")
    parts: dict[str, nn.Module] = {}
    weights: dict[str, float] = {}
    chance = 0.0
    if spec.kind in ("arcface", "both"):
        parts["arcface"], weights["arcface"] = _arcface(spec, dim, counts), 1.0
        chance += _arcface_chance(spec, len(counts))
    if spec.kind in ("triplet", "both"):
        from .triplet_mining import MinedTriplets

        weight = spec.triplet_weight if spec.kind == "both" else 1.0
        parts["triplet"], weights["triplet"] = MinedTriplets(spec.mining, spec.triplet_margin), weight
        chance += weight * spec.triplet_margin
    if distils(spec):
        classes = (spec.distill_classes, spec.distill_scale, spec.distill_margin)
        parts["distill"] = TemplateDistillation(len(counts), dim, *classes)
        weights["distill"] = 1.0 if spec.kind == "distill" else spec.distill_weight
    return FaceLoss(parts, weights, chance)


def class_weights(kind: str, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """float32 (n_classes,): ones, or for "log1p" 1 / log(1 + n) of a person with n pictures."""
    if kind == "none":
        return np.ones(len(counts), np.float32)
    return (1 / np.log1p(np.maximum(counts, 1))).astype(np.float32)


def _arcface(spec: LossSpec, dim: int, counts: npt.NDArray[np.int64]) -> nn.Module:
    from .arcface import FocalCrossEntropy, build_arcface

    weights = torch.from_numpy(class_weights(spec.class_weights, counts))
    cross_entropy = FocalCrossEntropy(spec.focal_gamma, weights)
    return build_arcface(len(counts), dim, spec.scale, spec.margin, cross_entropy)


def _arcface_chance(spec: LossSpec, n_classes: int) -> float:
    from .arcface import arcface_chance

    return arcface_chance(n_classes, spec.scale, spec.margin, spec.focal_gamma)
