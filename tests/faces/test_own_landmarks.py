"""The landmark network of our own: on drawn people, alone and among others, and what trust makes of what it says."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.dlib_models import installed
from maskgen.core.images import Photo
from maskgen.core.reasons import UserError
from maskgen.core.records import Certainty, Detection, Face, Floats, Image, floats
from maskgen.core.seeding import rng_for
from maskgen.faces.catalogue_columns import face_columns, face_from_row, rounded_face
from maskgen.faces.landmarkers import own as module
from maskgen.faces.landmarkers.brow_edges import BROWS, UP, on_brow_edges
from maskgen.faces.landmarkers.by_name import landmarker_by_name
from maskgen.faces.landmarkers.jaw_outline import along_outline
from maskgen.faces.landmarkers.own import OwnLandmarker
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.trust import trust
from maskgen.faces.upright_crop import five_points, frontal_eye_distance
from maskgen.people import Portrait, draw_person, draw_portrait, draw_scene

ALL_SEEN = np.ones(68, bool)


def portrait(number: int, yaw: float) -> Portrait:
    rng = rng_for(11, "own landmarks", number)
    return draw_portrait(replace(draw_person(rng), glasses="none"), replace(draw_scene(rng, 200), yaw=yaw, hand=False))


def detection(drawn: Portrait) -> Detection:
    box = np.concatenate([drawn.points68.min(0), drawn.points68.max(0)])
    return Detection(box, five_points(drawn.points68), 1.0)


@pytest.fixture(scope="module")
def faces() -> list[tuple[Image, Detection, Portrait]]:
    drawn = [portrait(number, yaw) for number, yaw in enumerate((0.0, 20.0, -30.0, 75.0, -75.0) * 2)]
    return [(one.image, detection(one), one) for one in drawn]


@pytest.fixture(scope="module")
def found(faces: list[tuple[Image, Detection, Portrait]]) -> list[Points68]:
    points = OwnLandmarker().points68_of([(image, face) for image, face, _ in faces])
    assert all(isinstance(one, Points68) for one in points)
    return [one for one in points if isinstance(one, Points68)]


def test_points_of_drawn_people_are_near(faces: list[tuple[Image, Detection, Portrait]], found: list[Points68]) -> None:
    off = [
        np.linalg.norm(one.xy - drawn.points68, axis=1)[drawn.visible68].mean() / drawn.pose.scale
        for (_, _, drawn), one in zip(faces, found, strict=True)
    ]
    # Both are of these weights: another order of what the networks read or say changes the third decimal.
    assert np.mean(off) == pytest.approx(0.0334, abs=6e-4)
    assert np.mean([one.certainty.expected for one in found if one.certainty]) == pytest.approx(0.0608, abs=1e-3)


def test_the_far_side_of_a_profile_is_known_to_be_hidden(
    faces: list[tuple[Image, Detection, Portrait]], found: list[Points68]
) -> None:
    for (_, _, drawn), one in zip(faces, found, strict=True):
        assert one.certainty is not None
        assert (one.certainty.seen == drawn.visible68).mean() > 0.7


def test_a_face_is_the_same_alone(faces: list[tuple[Image, Detection, Portrait]], found: list[Points68]) -> None:
    landmarker = pickle.loads(pickle.dumps(OwnLandmarker()))  # noqa: S301
    for (image, face, _), one in list(zip(faces, found, strict=True))[:3]:
        np.testing.assert_array_equal(landmarker.points68(image, face), one.xy)
    assert landmarker.points68_of([]) == []


@pytest.fixture(scope="module")
def front() -> tuple[Image, Detection, float]:
    """A face that looks at the camera, and its face unit."""
    drawn = portrait(0, 0.0)
    return drawn.image, detection(drawn), frontal_eye_distance(five_points(drawn.points68))


def moves(
    front: tuple[Image, Detection, float],
    changed: Detection,
    ask: Callable[[list[tuple[Image, Detection]]], Sequence[Any]],
) -> np.ndarray:
    """How the landmarks differ, in face units, where the detector says something else."""
    image, face, unit = front
    (before,), (after,) = ask([(image, face)]), ask([(image, changed)])
    return np.asarray((after.xy - before.xy) / unit)


def test_the_detector_s_box_counts_for_the_chin_and_not_for_the_networks_alone(
    front: tuple[Image, Detection, float],
) -> None:
    own, (_, face, unit) = OwnLandmarker(), front
    lower = replace(face, box=face.box + np.float32([0, 0, 0, 0.1 * unit]))
    assert 0.01 < moves(front, lower, own.points68_of)[8, 1] < 0.06
    assert not moves(front, lower, own.predicted).any()
    assert np.array_equal(own.places([front[:2]]), own.places([(front[0], lower)]))


def test_the_detector_s_points_count_more_than_as_a_place_to_begin_at(front: tuple[Image, Detection, float]) -> None:
    own, (_, face, unit) = OwnLandmarker(), front
    corner = np.zeros((5, 2), np.float32)
    corner[3, 0] = -0.06 * unit
    moved = replace(face, points5=face.points5 + corner)
    assert moves(front, moved, own.points68_of)[48, 0] < -0.03
    assert abs(moves(front, moved, own.predicted)[48, 0]) < 0.015
    places = (own.places([(front[0], moved)]) - own.places([front[:2]]))[0] / unit
    assert abs(places[48, 0]) < 0.015


def test_evidence_counts_before_the_second_network_and_after_it(
    front: tuple[Image, Detection, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each place moves the answer: without one of them the same evidence moves it less."""
    own, (_, face, unit) = OwnLandmarker(), front
    corner = np.zeros((5, 2), np.float32)
    corner[3, 0] = -0.06 * unit
    moved, count, whole = replace(face, points5=face.points5 + corner), 0, module.toward_points

    def only(which: int) -> Callable[[Floats, Floats, Floats, Floats], Floats]:
        def toward(points: Floats, seen: Floats, fives: Floats, corners: Floats) -> Floats:
            nonlocal count
            count += 1
            return whole(points, seen, fives, corners) if (count - 1) % 2 == which else points

        return toward

    both = moves(front, moved, own.points68_of)[48, 0]
    for which in (0, 1):
        monkeypatch.setattr(module, "toward_points", only(which))
        assert both < moves(front, moved, own.points68_of)[48, 0] < -0.003
    assert count == 8


def test_jaw_and_brows_lie_as_they_are_marked(front: tuple[Image, Detection, float]) -> None:
    (found,), places = OwnLandmarker().predicted([front[:2]]), OwnLandmarker().places([front[:2]])
    np.testing.assert_array_equal(found.xy, on_brow_edges(along_outline(places))[0])
    moved = np.abs(found.xy - places[0]).max(1) / front[2]
    assert moved[:17].max() > 0.01 and moved[BROWS].min() > 0.9 * UP and not moved[27:].any()


def test_a_face_that_is_not_where_it_was_found_is_looked_at_again(
    faces: list[tuple[Image, Detection, Portrait]],
) -> None:
    """Only such a face, at its own points, and the second network then sees the second patch."""
    images, true = [image for image, _, _ in faces[:3]], np.stack([face.points5 for _, face, _ in faces[:3]])
    unit = frontal_eye_distance(true[1])
    off = true.copy()
    off[1] += np.float32([0.35 * unit, -0.25 * unit])
    look, once = module._first_look(images, off), module._looked(images, off)
    for at in (0, 2):
        np.testing.assert_array_equal(look.points[at], once.points[at])
        np.testing.assert_array_equal(look.matrices[at], once.matrices[at])
    second = module._looked(images[1:2], five_points(once.points[1:2]))
    np.testing.assert_array_equal(look.matrices[1], second.matrices[0])
    np.testing.assert_array_equal(look.sight.fine[1], second.sight.fine[0])
    drawn = faces[1][2].points68
    errors = [np.linalg.norm(points - drawn, axis=1).mean() / unit for points in (look.points[1], once.points[1])]
    assert errors[0] < min(errors[1], 0.15)
    apart = [np.linalg.norm(look.points[1] - one, axis=1).mean() for one in (once.points[1], second.points[0])]
    assert sum(apart) == pytest.approx(np.linalg.norm(once.points[1] - second.points[0], axis=1).mean(), rel=0.01)
    surer = int(once.spread[1].mean() > second.spread[0].mean())
    assert apart[surer] < apart[1 - surer]


def test_more_faces_than_are_seen_together_are_all_found(
    faces: list[tuple[Image, Detection, Portrait]], found: list[Points68], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOGETHER", 3)
    again = OwnLandmarker().points68_of([(image, face) for image, face, _ in faces])
    assert len(again) == len(found)
    for one, other in zip(again, found, strict=True):
        assert isinstance(one, Points68)
        np.testing.assert_array_equal(one.xy, other.xy)


def test_the_corners_of_the_eyes_count(front: tuple[Image, Detection, float], monkeypatch: pytest.MonkeyPatch) -> None:
    own, (_, _, unit) = OwnLandmarker(), front
    (before,), whole = own.points68_of([front[:2]]), module.corners_of
    monkeypatch.setattr(module, "corners_of", lambda faces: whole(faces) + np.float32([0, 0.04 * unit]))
    (after,) = own.points68_of([front[:2]])
    assert isinstance(before, Points68) and isinstance(after, Points68)
    moved = (after.xy - before.xy)[:, 1] / unit
    assert 0.015 < moved[36] < 0.04 and 0.015 < moved[45] < 0.04


def test_both_networks_count_for_a_face_that_looks_at_the_camera(front: tuple[Image, Detection, float]) -> None:
    image, face, _ = front
    first = module._first_look([image], face.points5[None])
    fine = module._into_pictures(
        module.refine(first.sight, module._into_patches(first.points, first.matrices)), first.matrices
    )
    both = OwnLandmarker().places([(image, face)])
    share = min(max(float(first.seen.mean()) - 0.5, 0.0), 0.5)
    assert share > 0.3 and np.abs(fine - first.points).max() > 0.5
    np.testing.assert_allclose(both, fine + share * (first.points - fine), atol=1e-3)


def test_shares_of_a_patch_are_of_its_whole_side(front: tuple[Image, Detection, float]) -> None:
    image, face, _ = front
    (matrix,) = module._looked([image], face.points5[None]).matrices
    corners = floats([[[-0.5, -0.5], [module.SIDE - 0.5, module.SIDE - 0.5]]])
    pictured = module._into_pictures(floats((corners + 0.5) / module.SIDE), [matrix])
    np.testing.assert_allclose(pictured @ matrix[:, :2].T + matrix[:, 2], corners, atol=1e-3)
    np.testing.assert_allclose(module._into_patches(pictured, [matrix]), [[[0, 0], [1, 1]]], atol=1e-5)


def test_threads_do_not_mix_their_faces(faces: list[tuple[Image, Detection, Portrait]], found: list[Points68]) -> None:
    asked = [(image, face) for image, face, _ in faces]
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda _: OwnLandmarker().points68_of(asked), range(12)))
    for row in rows:
        for one, other in zip(row, found, strict=True):
            assert isinstance(one, Points68)
            np.testing.assert_array_equal(one.xy, other.xy)


def test_a_missing_model_is_named_before_the_first_face(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="dlib_face_recognition_resnet_model_v1.dat is missing: pip install"):
        OwnLandmarker()


def test_models_go_by_name() -> None:
    assert type(landmarker_by_name("own")) is OwnLandmarker
    assert type(landmarker_by_name("dlib")) is Landmarker
    with pytest.raises(UserError, match="landmarks mesh are unknown: give dlib or own"):
        landmarker_by_name("mesh")
    with pytest.raises(UserError, match="leave it out"):
        landmarker_by_name("own", Path("model.dat"))


def face(certainty: Certainty | None, moved: tuple[int, float] | None = None) -> Face:
    drawn = portrait(0, 0.0)
    found = detection(drawn)
    if moved is not None:
        which, share = moved
        found.points5[which] += [share * np.linalg.norm(found.points5[1] - found.points5[0]), 0]
    return Face(found, drawn.points68, certainty=certainty)


def test_trust_counts_what_is_seen_and_what_is_expected() -> None:
    no_nose = ALL_SEEN.copy()
    no_nose[30] = False
    assert trust(face(Certainty(ALL_SEEN, 0.0))) == pytest.approx(1.0)
    assert trust(face(Certainty(ALL_SEEN, 0.15))) == pytest.approx(0.5)
    assert trust(face(Certainty(ALL_SEEN, 9.0))) == 0.0
    assert trust(face(Certainty(ALL_SEEN, 0.0), (2, 0.5))) < 0.7
    assert trust(face(Certainty(no_nose, 0.0), (2, 0.5))) == pytest.approx(1.0)


def test_what_cannot_be_certain_is_refused() -> None:
    for seen, expected in ((ALL_SEEN[:5], 0.1), (ALL_SEEN, -1.0), (ALL_SEEN, float("nan"))):
        with pytest.raises(ValueError, match="68 flags"):
            Certainty(seen, expected)


def test_certainty_goes_through_a_catalogue() -> None:
    seen = np.arange(68) % 3 == 0
    one = rounded_face(face(Certainty(seen, 0.123456)))
    back = face_from_row({**face_columns(one), "faces_found": 1})
    assert back.certainty is not None and back.certainty.expected == 0.1235
    np.testing.assert_array_equal(back.certainty.seen, seen)
    plain = rounded_face(face(None))
    assert face_from_row({**face_columns(plain), "faces_found": 1}).certainty is None


def test_a_mask_is_put_on_and_its_row_says_how_sure() -> None:
    drawn = portrait(0, 0.0)
    settings = MaskerSettings(("n95",), landmarks="own", min_trust=0.0)
    ((output,),) = Masker(settings).process(["one"], [Photo(drawn.image, "one")])
    assert isinstance(output, Output)
    assert len(output.row["seen68"]) == 68 and 0 <= output.row["expected_error"] < 1
