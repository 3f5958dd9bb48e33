"""Checks of a gallery photograph: whether it shows an upright face, and whether it contradicts its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskgen.core.reasons import Reason, SetAsideError

if TYPE_CHECKING:
    from maskgen.gallery.portrait_finder import GalleryFace


@dataclass(frozen=True, slots=True)
class Doubt:
    """A failed check: the label, what the picture shows instead, and the score."""

    reason: Reason
    label: str
    looks: str
    score: float

    def fault(self) -> SetAsideError:
        """For set_aside.csv."""
        return SetAsideError(self.reason, f"said to be {self.label}, {self.looks}: score {self.score:.2f}")


def doubts_of(found: GalleryFace, masked: bool) -> list[Doubt]:
    """All failed checks, the most serious first.

    Args:
        masked: the photograph's label.
    """
    from maskgen.gallery.label_checks import contradiction, is_doubtful_face

    label, doubts = "masked" if masked else "bare", []
    if is_doubtful_face(found.detection, found.upright_score):
        doubts.append(
            Doubt(Reason.UNCLEAR_ORIENTATION, label, "hardly a face that stands upright", found.upright_score)
        )
    if looks := contradiction(found.mask_score, masked):
        doubts.append(Doubt(Reason.CONTRADICTS_LABEL, label, looks, found.mask_score))
    return doubts
