"""Classifier of faces that already wear a real mask: a small network on the aligned face.

It was trained by `benchmarks/already_masked.py` on photographs of bare faces, and the same people in drawn masks;
`docs/already_masked.md` says on which, and how often it is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskgen.core.records import Floats, Image
from maskgen.faces.classifiers.classifier_network import classifier_scores

WEIGHTS = "masked.npz"
# The score above which a face counts as masked. It was not chosen on photographs: training counts a false alarm as
# three misses, and 0 or 1 of the 805 bare faces of the people held out lay above 0.5 after each epoch.
MASKED_FROM = 0.5


def mask_scores(faces: Sequence[Image]) -> Floats:
    """How masked each face looks, float32 (n,): a logit, above MASKED_FROM for a mask; the same whatever the others.

    Args:
        faces: as `classifiers.classifier_network.classifier_input` gives them.
    """
    return classifier_scores(faces, "maskgen.faces", WEIGHTS)
