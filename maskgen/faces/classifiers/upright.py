"""Classifier of faces that are upright at their landmarks: a small network on the aligned face.

A detector finds faces in faces that lie or stand on their heads: a mouth in a forehead, an eye in a mouth. Neither its
score nor the landmarks tell them apart for certain. `benchmarks/upright.py` trained the network and prints its errors;
`benchmarks/orientation.py` counts what is masked the wrong way round with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskgen.core.records import Floats, Image
from maskgen.faces.classifiers.classifier_network import classifier_scores

# The score below which a face is in doubt, and the one where the detector's points and the landmarks agree less well
# (`faces.trust`): a chin with glasses under it has both a fair score and a trust of 0.74.
UPRIGHT_FROM, LESS_TRUSTED_FROM = -1.0, 2.0
TRUSTED = 0.8


def least_score(trust: float) -> float:
    """The score from which on a face of this trust counts as upright."""
    return UPRIGHT_FROM if trust >= TRUSTED else LESS_TRUSTED_FROM


def upright_scores(faces: Sequence[Image]) -> Floats:
    """How surely each face stands upright in its crop, float32 (n,): a logit, see `least_score`.

    Args:
        faces: as `classifiers.classifier_network.classifier_input` gives them.
    """
    return classifier_scores(faces, "maskgen.faces.classifiers", "upright.npz")
