"""Checks of a gallery's face: whether it contradicts its label, and whether it is a face."""

from __future__ import annotations

import math
from collections.abc import Sequence

from maskgen.core.records import Detection, Image
from maskgen.faces.already_masked import MASKED_FROM, mask_scores
from maskgen.faces.classifiers.classifier_network import classifier_input

# The score below which a face labelled masked clearly looks bare; `benchmarks/gallery.py` prints the error rates. It is
# -1 for a network trained with even weights; a false alarm weighs 3 in the training, which moves every logit by -log 3.
BARE_TO = -1.0 - math.log(3)
# The score of `faces.classifiers.upright` below which it may not be a face: for a confident detection, and for another
# one. A
# mask lowers that score, and so do the edges of a close-up; scenes without a face give detections of 0.3 to 0.7.
SURE_DETECTION = 0.85
HARDLY_IF_SURE, HARDLY = -2.0, 0.0


def mask_scores_of(image: Image, faces: Sequence[Detection]) -> list[float]:
    """The mask score of each face of a picture: a logit, above MASKED_FROM for a mask.

    Args:
        image: uint8 RGB (height, width, 3).
    """
    return [float(score) for score in mask_scores([classifier_input(image, face.points5) for face in faces])]


def contradiction(score: float, masked: bool) -> str:
    """How a picture clearly contradicts its label, "" if it does not.

    Example:
        >>> contradiction(2.5, masked=False), contradiction(2.5, masked=True)
        ('looks masked', '')
    """
    if not masked and score > MASKED_FROM:
        return "looks masked"
    return "looks bare" if masked and score < BARE_TO else ""


def is_doubtful_face(detection: Detection, upright_score: float) -> bool:
    """Whether a detection may not be a face that is upright at its landmarks."""
    return upright_score < (HARDLY_IF_SURE if detection.score >= SURE_DETECTION else HARDLY)
