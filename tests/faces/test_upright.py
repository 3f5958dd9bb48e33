"""Faces that do not stand upright where their points say are in doubt."""

from pathlib import Path

import numpy as np
import pytest
from drawn_people import drawn_people
from skimage.data import astronaut

from maskgen.api import Masker, MaskerSettings
from maskgen.core.images import Photo, read_photo
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.classifiers.classifier_network import classifier_input
from maskgen.faces.classifiers.upright import LESS_TRUSTED_FROM, UPRIGHT_FROM, least_score, upright_scores
from maskgen.faces.detect import Detector, MtcnnDetector

PORTRAIT = np.ascontiguousarray(astronaut()[:280, 100:380])


def test_a_score_does_not_depend_on_the_others_in_the_call() -> None:
    rng = np.random.default_rng(0)
    faces = [rng.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(11)]
    every = upright_scores(faces)
    np.testing.assert_array_equal(every, [upright_scores([face])[0] for face in faces])
    assert upright_scores([]).shape == (0,)


def test_faces_upright_and_turned_are_told_apart() -> None:
    images = [PORTRAIT, *(portrait.image for _, _, portrait in drawn_people(5, 1))]
    crops = [
        classifier_input(image, faces[0].points5)
        for image, faces in zip(images, MtcnnDetector().detect(images), strict=True)
        if faces
    ]
    assert len(crops) >= 5
    assert (upright_scores(crops) > UPRIGHT_FROM).all()
    for quarters in (1, 2, 3):
        lying = [np.ascontiguousarray(np.rot90(crop, quarters)) for crop in crops]
        assert np.mean(upright_scores(lying) < UPRIGHT_FROM) > 0.8


def test_less_trust_asks_for_more() -> None:
    assert least_score(0.9) == UPRIGHT_FROM < LESS_TRUSTED_FROM == least_score(0.7)


class TurnedAbout(Detector):
    """Says that the portrait's face stands on its head: its points are turned about their middle."""

    def _detect(self, images: list[Image], include_small: bool) -> list[list[Detection]]:  # type: ignore[override]
        found = MtcnnDetector().detect(images)
        return [[Detection(f.box, 2 * f.points5.mean(0) - f.points5, f.score) for f in faces] for faces in found]


def test_a_face_in_doubt_is_set_aside_and_says_so() -> None:
    result = Masker(MaskerSettings(("n95",), min_trust=0.0), TurnedAbout()).process(["a"], [Photo(PORTRAIT, "a")])[0]
    assert isinstance(result, SetAsideError)
    assert result.reason in (Reason.UNCLEAR_ORIENTATION, Reason.NO_LANDMARKS)
    assert isinstance(Masker(MaskerSettings(("n95",))).process(["a"], [Photo(PORTRAIT, "a")])[0], list)


# Faces that were found in a forehead, an eye and a neck.
TURNED_BEFORE = (
    ("lfw/Ai_Sugiyama/Ai_Sugiyama_0004.jpg", 2),
    ("lfw/Jose_Jose/Jose_Jose_0001.jpg", 2),
    ("landmarks68/210422851_1.jpg", 3),
)


@pytest.mark.parametrize(("name", "quarters"), TURNED_BEFORE)
def test_photographs_that_came_out_the_wrong_way_round(photographs: Path, name: str, quarters: int) -> None:
    """The count is `benchmarks/orientation.py`'s."""
    image = read_photo(photographs / name).image
    turned = np.ascontiguousarray(np.rot90(image, quarters))
    result = Masker(MaskerSettings(("n95",))).process(["a"], [Photo(turned, "a")])[0]
    assert isinstance(result, SetAsideError) and result.reason is Reason.UNCLEAR_ORIENTATION
