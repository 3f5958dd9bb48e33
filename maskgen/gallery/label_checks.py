"""What is in doubt of a gallery's face: whether it contradicts what is said of it, and whether it is one at all."""

from __future__ import annotations

from collections.abc import Sequence

from maskgen.core.records import Detection, Image
from maskgen.faces.looks.network import seen_of
from maskgen.faces.masked import MASKED_FROM, mask_scores

# The score below which a face that is said to be masked clearly looks bare; `benchmarks/gallery.py` prints the errors.
BARE_TO = -1.0
# The score of `faces.looks.upright` below which it is hardly a face: of a detection that is sure, and of another one. A
# mask lowers that score, and so do the edges of a close photograph; scenes without a face give detections of 0.3 to
# 0.7.
SURE_DETECTION = 0.85
HARDLY_IF_SURE, HARDLY = -2.0, 0.0


def mask_scores_of(image: Image, faces: Sequence[Detection]) -> list[float]:
    """How masked each face of a picture looks: a logit, above MASKED_FROM for a mask.

    Args:
        image: uint8 RGB (height, width, 3).
    """
    return [float(score) for score in mask_scores([seen_of(image, face.points5) for face in faces])]


def contradiction(score: float, masked: bool) -> str:
    """What a picture clearly shows against what is said of it, "" where it does not contradict.

    Example:
        >>> contradiction(2.5, masked=False), contradiction(2.5, masked=True)
        ('looks masked', '')
    """
    if not masked and score > MASKED_FROM:
        return "looks masked"
    return "looks bare" if masked and score < BARE_TO else ""


def is_doubtful_face(detection: Detection, upright_score: float) -> bool:
    """Whether what was found is perhaps no face that stands upright where its points say."""
    return upright_score < (HARDLY_IF_SURE if detection.score >= SURE_DETECTION else HARDLY)
