"""What is in doubt of a photograph of a gallery: whether it shows a face, and whether as it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskgen.core.reasons import Reason, SetAsideError

if TYPE_CHECKING:
    from maskgen.gallery.faces import GalleryFace


@dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks against a photograph: what is said of it, how it looks, and the score that says so."""

    reason: Reason
    said: str
    looks: str
    score: float

    def fault(self) -> SetAsideError:
        """For set_aside.csv."""
        return SetAsideError(self.reason, f"said to be {self.said}, {self.looks}: score {self.score:.2f}")


def doubts_of(found: GalleryFace, masked: bool) -> list[Doubt]:
    """All doubts, the gravest first.

    Args:
        masked: what is said of the photograph.
    """
    from maskgen.gallery.label_checks import contradiction, is_doubtful_face

    said, doubts = "masked" if masked else "bare", []
    if is_doubtful_face(found.detection, found.upright_score):
        doubts.append(Doubt(Reason.UNCLEAR_ORIENTATION, said, "hardly a face that stands upright", found.upright_score))
    if looks := contradiction(found.mask_score, masked):
        doubts.append(Doubt(Reason.CONTRADICTS_LABEL, said, looks, found.mask_score))
    return doubts
