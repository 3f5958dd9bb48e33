"""From a gallery's photograph to the one face that is meant, aligned, with what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Crop, Detection, Floats, Image
from maskgen.faces.align import face_unit, five_points
from maskgen.faces.alignments import Cut, crop_detection
from maskgen.faces.choose import SMALLEST_UNIT, prominence
from maskgen.faces.landmarks import Landmarker
from maskgen.faces.looks.network import seen_of
from maskgen.faces.looks.upright import upright_scores
from maskgen.gallery.label_checks import contradiction, mask_scores_of
from maskgen.gallery.multi_view import MultiViewDetector

LOWEST_SCORE = 0.3  # lower than for photographs that nobody chose: here a face is known to be there
AS_SURE = 0.15  # by how much the face that is meant may be less sure than another one


@dataclass(frozen=True, slots=True)
class GalleryFace:
    """A gallery's face: `detection` in the photograph's pixels, `crop`, `mask_score` (see `faces.masked`), and
    `upright_score` (see `faces.looks.upright`)."""

    detection: Detection
    crop: Crop
    mask_score: float
    upright_score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face that might be meant, and how masked it looks."""

    face: Detection
    mask_score: float

    def contradicts(self, masked: bool | None) -> bool:
        """Whether it clearly looks other than is said; never where nothing is said."""
        return masked is not None and contradiction(self.mask_score, masked) != ""


@dataclass(frozen=True, slots=True)
class PortraitFinder:
    """Finds the face that a portrait is of, also where a real mask hides half of it."""

    detector: MultiViewDetector = field(default_factory=MultiViewDetector)
    landmarker: Landmarker = field(default_factory=Landmarker)

    def find(self, image: Image, masked: bool | None, cut: Cut) -> GalleryFace:
        """The face, cut out.

        Where the face that counts most looks other than is said, a bystander's perhaps, the altered views are searched
        for one that fits.

        Args:
            image: uint8 RGB (height, width, 3).
            masked: what is said of the picture, None where nothing is.
            cut: how the face is cut out.

        Raises:
            SetAsideError: NO_FACE, LOW_SCORE or TOO_SMALL where no face can be used.
        """
        found = self.detector.detect([image])[0]
        candidates = _candidates(image, found)
        if all(one.contradicts(masked) for one in candidates):
            again = self.detector.search(image)
            # A face that does not fit must not be outdone by its own blurred double.
            candidates += [one for one in _candidates(image, again) if not (found and one.contradicts(masked))]
        best = meant(image, candidates, masked)
        face = Detection(best.face.box, self._settled(image, best.face), best.face.score)
        (upright,) = upright_scores([seen_of(image, face.points5)]).tolist()
        return GalleryFace(face, crop_detection(image, face, cut), best.mask_score, upright)

    def _settled(self, image: Image, face: Detection) -> Floats:
        """The five points, between the detector's and those of the 68-point model, which see the eyes in other ways.

        On faces of LFW in masks of ours the detector's eyes are 0.07 eye distances off, these 0.04.
        """
        try:
            return np.float32(0.5) * (face.points5 + five_points(self.landmarker.points68(image, face)))
        except SetAsideError:
            return face.points5


def _candidates(image: Image, faces: Sequence[Detection]) -> list[Candidate]:
    return [Candidate(*one) for one in zip(faces, mask_scores_of(image, faces), strict=True)]


def meant(image: Image, candidates: Sequence[Candidate], masked: bool | None) -> Candidate:
    """The face that a portrait is of: one that looks as is said, if there is one, and of these the most prominent.

    Args:
        masked: what is said of the picture, None where nothing is.

    Raises:
        SetAsideError: NO_FACE, LOW_SCORE or TOO_SMALL where there is none.
    """
    if not candidates:
        raise SetAsideError(Reason.NO_FACE)
    surest = max(one.face.score for one in candidates)
    if surest < LOWEST_SCORE:
        raise SetAsideError(Reason.LOW_SCORE, f"best score {surest:.2f}")
    likely = [one for one in candidates if one.face.score >= max(LOWEST_SCORE, surest - AS_SURE)]
    best = min(likely, key=lambda one: (one.contradicts(masked), -prominence(image, one.face), *one.face.box.tolist()))
    unit = face_unit(best.face.points5)
    if unit < SMALLEST_UNIT:
        raise SetAsideError(Reason.TOO_SMALL, f"{unit:.1f} pixels between the eyes")
    return best
