"""Classifier of upright faces: a small network on the face, aligned by its landmarks.

In faces that are rotated by 90 or 180 degrees, a detector finds false upright faces: a mouth in a forehead, an eye in a
mouth. Neither its score nor the landmarks identify them reliably. `benchmarks/upright.py` trained the network and
prints its errors; `benchmarks/orientation.py` counts the faces that are still masked in a wrong orientation.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskgen.core.records import Floats, Image
from maskgen.faces.classifiers.classifier_network import classifier_scores

# Logits below which a face may not be upright: for faces with a trust (`faces.trust`) of at least TRUSTED, and for
# others, where detector and landmarks agree less: a chin above glasses can have a fair score and a trust of 0.74.
UPRIGHT_FROM, LESS_TRUSTED_FROM = -1.0, 2.0
TRUSTED = 0.8


def least_score(trust: float) -> float:
    """The least score, a logit, with which a face of this trust (0..1) counts as upright."""
    return UPRIGHT_FROM if trust >= TRUSTED else LESS_TRUSTED_FROM


def upright_scores(faces: Sequence[Image]) -> Floats:
    """The score of each face for being upright in its crop, float32 (n,): a logit, see `least_score`.

    Args:
        faces: the faces' `classifiers.classifier_network.classifier_input`, uint8 (64, 64, 3) each.
    """
    return classifier_scores(faces, "maskgen.faces.classifiers", "upright.npz")
