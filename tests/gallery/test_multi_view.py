"""Views of a picture and their vote."""

import numpy as np
import pytest
from drawn_people import drawn_people
from skimage.data import astronaut

from maskgen.core.records import Detection
from maskgen.faces.already_masked import mask_scores
from maskgen.faces.classifiers.classifier_network import classifier_input
from maskgen.faces.crop_by_alignment import CropSettings
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.upright_crop import five_points
from maskgen.gallery.label_checks import contradiction
from maskgen.gallery.multi_view import VIEWS, MultiViewDetector, merge_views, overlap
from maskgen.gallery.portrait_finder import Candidate, PortraitFinder, meant
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.plan import MaskPlan

PORTRAIT = np.ascontiguousarray(astronaut()[:280, 100:380])


def face(x: float, score: float, side: float = 40) -> Detection:
    points = np.array([[x - 8, 90], [x + 8, 90], [x, 100], [x - 6, 110], [x + 6, 110]], np.float32)
    return Detection(np.array([x - side / 2, 80, x + side / 2, 80 + side], np.float32), points, score)


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_every_view_gives_the_face_back_where_it_is(number: int) -> None:
    detector = MtcnnDetector()
    (plain, *_) = detector.detect([PORTRAIT])[0]
    view = VIEWS[number](PORTRAIT)
    (found, *_) = detector.detect([view.image])[0]
    restored = view.restored(found)
    size = float(np.linalg.norm(plain.points5[1] - plain.points5[0]))
    assert np.abs(restored.points5 - plain.points5).max() < 0.2 * size
    assert overlap(restored.box, plain.box) > 0.6


def test_two_views_or_one_sure_view_make_a_face() -> None:
    both = merge_views([[face(100, 0.5)], [face(101, 0.6), face(200, 0.5)], [face(300, 0.9)]])
    assert [round(float(one.points5[2, 0])) for one in both] == [101, 300] or len(both) == 2
    assert merge_views([[face(100, 0.5)], []]) == []
    assert merge_views([]) == []


def test_a_face_upside_down_has_no_vote() -> None:
    upright, over = face(100, 0.5), face(101, 0.99)
    over = Detection(over.box, over.points5[[1, 0, 2, 4, 3]] * (1, -1) + np.float32([0, 200]), over.score)
    (found,) = merge_views([[upright], [over], [upright]])
    np.testing.assert_allclose(found.points5, upright.points5, atol=1e-4)
    assert merge_views([[over]]) == []


def test_a_clear_face_is_found_as_mtcnn_finds_it() -> None:
    plain, thorough = MtcnnDetector().detect([PORTRAIT])[0][0], MultiViewDetector().detect([PORTRAIT])[0][0]
    np.testing.assert_array_equal(plain.points5, thorough.points5)


def test_the_most_prominent_of_the_sure_faces_is_meant() -> None:
    faces = [face(200, 0.99, 40), face(180, 0.95, 60), face(300, 0.5, 90)]
    assert meant(PORTRAIT, [Candidate(one, 0.0) for one in faces], None).face is faces[1]


def test_of_two_faces_the_one_in_the_middle_is_meant() -> None:
    faces = [face(30, 0.99, 44), face(200, 0.99, 40)]
    assert meant(PORTRAIT, [Candidate(one, 0.0) for one in faces], None).face is faces[1]


def test_a_face_that_looks_as_is_said_is_meant_before_a_larger_one() -> None:
    bare, masked = Candidate(face(200, 0.99, 90), -6.0), Candidate(face(300, 0.9, 40), 3.0)
    assert meant(PORTRAIT, [bare, masked], True) is masked
    assert meant(PORTRAIT, [bare, masked], False) is bare
    assert meant(PORTRAIT, [bare, masked], None) is bare


def test_a_masked_face_is_found_beside_a_bare_bystander() -> None:
    """Bystander and portrait are as large as each other; what is said of the photograph tells which is meant."""
    (_, _, one), (_, _, two) = drawn_people(2, 1, seed=12)
    masked = analyse_and_apply(one.image, one.points68, MaskPlan(), load_kind("surgical_blue")).image
    picture = np.concatenate([masked, two.image], axis=1)
    finder = PortraitFinder()
    left = finder.find(picture, True, CropSettings(size=96)).detection.points5[:2].mean(0)[0]
    right = finder.find(picture, False, CropSettings(size=96)).detection.points5[:2].mean(0)[0]
    assert left < one.image.shape[1] < right


@pytest.mark.parametrize(("light", "most"), [(1.0, 0.4), (0.5, 0.75)])
def test_masked_portraits_are_found_in_the_dark_too(light: float, most: float) -> None:
    """Where the eyes are is told to `most` eye distances; of dark skin in half the light little more is seen."""
    finder = PortraitFinder()
    for _, _, portrait in drawn_people(6, 1, seed=12):
        masked = analyse_and_apply(portrait.image, portrait.points68, MaskPlan(), load_kind("n95")).image
        found = finder.find((masked * light).astype(np.uint8), True, CropSettings(size=96))
        truth = five_points(portrait.points68)[:2]
        off = np.hypot(*(found.detection.points5[:2].mean(0) - truth.mean(0)))
        assert off < most * np.hypot(*(truth[1] - truth[0]))
        assert found.crop.image.shape == (96, 96, 3)


def test_masked_and_bare_faces_look_so() -> None:
    right = []
    for number, (_, _, portrait) in enumerate(drawn_people(6, 3)):
        kind = load_kind(kind_names()[number % len(kind_names())])
        masked = analyse_and_apply(portrait.image, portrait.points68, MaskPlan(), kind).image
        points5 = five_points(portrait.points68)
        bare, worn = mask_scores([classifier_input(image, points5) for image in (portrait.image, masked)]).tolist()
        assert contradiction(bare, False) == "" and contradiction(worn, True) == ""
        right += [contradiction(bare, True) == "looks bare", contradiction(worn, False) == "looks masked"]
    assert np.mean(right) > 0.9
