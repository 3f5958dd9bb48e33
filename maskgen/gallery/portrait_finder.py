"""From a gallery's photograph to the face of its person, aligned, with its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Crop, Detection, Floats, Image
from maskgen.faces.choose import SMALLEST_UNIT, prominence
from maskgen.faces.classifiers.classifier_network import classifier_input
from maskgen.faces.classifiers.upright import upright_scores
from maskgen.faces.crop_by_alignment import CropSettings, crop_detection
from maskgen.faces.landmarks import Landmarker
from maskgen.faces.upright_crop import five_points, frontal_eye_distance
from maskgen.gallery.label_checks import contradiction, mask_scores_of
from maskgen.gallery.multi_view import MultiViewDetector

LOWEST_SCORE = 0.3  # lower than in maskgen mask: each photograph of a gallery shows a face
AS_SURE = 0.15  # how much lower the selected face's score may be than the best one


@dataclass(frozen=True, slots=True)
class GalleryFace:
    """A gallery's face: `detection` in the photograph's pixels, `crop`, `mask_score` (see `faces.already_masked`), and
    `upright_score` (see `faces.classifiers.upright`)."""

    detection: Detection
    crop: Crop
    mask_score: float
    upright_score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate face and its mask score."""

    face: Detection
    mask_score: float

    def contradicts(self, masked: bool | None) -> bool:
        """Whether it clearly contradicts the label; False without a label."""
        return masked is not None and contradiction(self.mask_score, masked) != ""


@dataclass(frozen=True, slots=True)
class PortraitFinder:
    """Finds the main face of a portrait, also if a real mask hides half of it."""

    detector: MultiViewDetector = field(default_factory=MultiViewDetector)
    landmarker: Landmarker = field(default_factory=Landmarker)

    def find(self, image: Image, masked: bool | None, cut: CropSettings) -> GalleryFace:
        """The aligned crop of the face.

        If the most prominent face contradicts the label, for example a bystander's, the altered views are searched for
        one that agrees.

        Args:
            image: uint8 RGB (height, width, 3).
            masked: the picture's label, None without one.
            cut: cuts the crop.

        Raises:
            SetAsideError: NO_FACE, LOW_SCORE or TOO_SMALL if no face can be used.
        """
        found = self.detector.detect([image])[0]
        candidates = _candidates(image, found)
        if all(one.contradicts(masked) for one in candidates):
            again = self.detector.search(image)
            # A contradicting face must not be replaced by a blurred detection of itself.
            candidates += [one for one in _candidates(image, again) if not (found and one.contradicts(masked))]
        best = meant(image, candidates, masked)
        face = Detection(best.face.box, self._settled(image, best.face), best.face.score)
        (upright,) = upright_scores([classifier_input(image, face.points5)]).tolist()
        return GalleryFace(face, crop_detection(image, face, cut), best.mask_score, upright)

    def _settled(self, image: Image, face: Detection) -> Floats:
        """The five points: the mean of the detector's and those of the 68-point model, whose errors differ.

        On faces of LFW with rendered masks the detector's eyes have an error of 0.07 eye distances, these 0.04.
        """
        try:
            return np.float32(0.5) * (face.points5 + five_points(self.landmarker.points68(image, face)))
        except SetAsideError:
            return face.points5


def _candidates(image: Image, faces: Sequence[Detection]) -> list[Candidate]:
    return [Candidate(*one) for one in zip(faces, mask_scores_of(image, faces), strict=True)]


def meant(image: Image, candidates: Sequence[Candidate], masked: bool | None) -> Candidate:
    """The main face of a portrait: the most prominent face that agrees with the label, if any, else the most prominent.

    Args:
        masked: the picture's label, None without one.

    Raises:
        SetAsideError: NO_FACE, LOW_SCORE or TOO_SMALL if there is none.
    """
    if not candidates:
        raise SetAsideError(Reason.NO_FACE)
    surest = max(one.face.score for one in candidates)
    if surest < LOWEST_SCORE:
        raise SetAsideError(Reason.LOW_SCORE, f"best score {surest:.2f}")
    likely = [one for one in candidates if one.face.score >= max(LOWEST_SCORE, surest - AS_SURE)]
    best = min(likely, key=lambda one: (one.contradicts(masked), -prominence(image, one.face), *one.face.box.tolist()))
    unit = frontal_eye_distance(best.face.points5)
    if unit < SMALLEST_UNIT:
        raise SetAsideError(Reason.TOO_SMALL, f"{unit:.1f} pixels between the eyes")
    return best
