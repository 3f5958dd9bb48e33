"""Template distillation: embeddings move towards a frozen recogniser's mean embedding of the person's bare pictures."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

TEACHER = "dlib"  # the frozen recogniser
_EDGE = 1e-12


class TemplateDistillation(nn.Module):
    """The squared L2 distance between an embedding and its person's template, both of length 1, averaged over pictures.

    A template is the mean of the frozen recogniser's embeddings of a person's bare photographs. Until `fill` every
    template is 0; the filled ones are part of the state.

    Args:
        classes: weight of an added cross-entropy over all people, with their fixed templates as the centres of the
            classes.
        scale, margin: of the cosines before the cross-entropy; the margin is subtracted from that of the person's own
            class.

    Source: Huber, Boutros, Kirchbuchner and Damer, Mask-invariant Face Recognition through Template-level Knowledge
    Distillation, 2021; the teacher's centres kept as the classes, Chen et al., Knowledge Distillation with the Reused
    Teacher Classifier, 2022; the margin, Wang et al., CosFace, 2018.
    """

    def __init__(
        self, n_classes: int, dim: int, classes: float = 0.0, scale: float = 20.0, margin: float = 0.1
    ) -> None:
        super().__init__()
        self.classes, self.scale, self.margin = classes, scale, margin
        self.register_buffer("templates", torch.zeros(n_classes, dim))

    def fill(self, templates: NDArray[np.float32]) -> None:
        """Set the templates, float32 (n_classes, dim).

        Raises:
            ValueError: another shape.
        """
        own = self.get_buffer("templates")
        if templates.shape != tuple(own.shape):
            raise ValueError(f"expected templates {tuple(own.shape)}, got {templates.shape}")
        own.copy_(torch.from_numpy(templates))

    @property
    def chance(self) -> float:
        """Lower bound of the loss if all pictures have the same embedding and all people equally many pictures."""
        templates = self.get_buffer("templates")
        n = len(templates)
        classes = math.log(n) + self.scale * self.margin * (1 - 1 / n)
        return 2 - 2 * float(templates.mean(0).norm()) + self.classes * classes

    def forward(self, embeddings: Tensor, targets: Tensor) -> Tensor:
        """float32 (n, dim) and int64 (n,) to a scalar; the distance is 0 to 4."""
        templates, unit = self.get_buffer("templates"), nn.functional.normalize(embeddings, dim=1)
        distance = (unit - templates[targets]).square().sum(1).mean()
        if not self.classes:
            return distance
        own = nn.functional.one_hot(targets, len(templates))
        logits = self.scale * (unit @ templates.T - self.margin * own)
        return distance + self.classes * nn.functional.cross_entropy(logits, targets)


def templates_of(
    features: NDArray[np.float32], targets: NDArray[np.int64], bare: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Each person's template, float32 (n_classes, d), of length 1.

    Args:
        features: float32 (n, d), NaN where a picture could not be read.
        targets: int64 (n,), 0 to n_classes - 1.
        bare: bool (n,); for a person without a readable bare picture the mean of all readable ones; 0 without any.
    """
    readable: NDArray[np.bool_] = ~np.asarray(np.isnan(features).any(axis=1))
    unit = np.where(readable[:, None], features, 0).astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), _EDGE)
    means = [_sums(unit, targets, chosen) for chosen in (readable & bare, readable)]
    found = np.where(np.any(means[0], axis=1, keepdims=True), *means)
    unit_length: NDArray[np.float32] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), _EDGE)
    return unit_length.astype(np.float32)


def _sums(unit: NDArray[np.float64], targets: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    sums = np.zeros((int(targets.max()) + 1, unit.shape[1]))
    np.add.at(sums, targets[chosen], unit[chosen])
    return sums
