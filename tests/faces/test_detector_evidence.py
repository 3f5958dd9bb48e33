"""Landmarks moved toward what others say: by how much, for which faces, and in which frame."""

from __future__ import annotations

import numpy as np
import pytest

from maskgen.core.records import Floats, floats
from maskgen.faces.landmarkers.detector_evidence import _evidence, toward_box, toward_points
from maskgen.faces.landmarkers.eye_corners import CORNERS
from maskgen.faces.upright_crop import five_points, frontal_eye_distance
from maskgen.masks.pose.head import mean68

SEEN = np.ones((1, 68), np.float32)
LEFT_MOUTH, RIGHT_MOUTH = 3, 4
# The index of each landmark's mirror image: the mean head is symmetric.
MIRRORED = np.linalg.norm(mean68()[:, None] * [-1, 1, 1] - mean68()[None], axis=2).argmin(1)


def face() -> Floats:
    """The mean head from the front, (1, 68, 2), 60 pixels between the eyes."""
    return floats(60 * mean68()[None, :, :2] + 200)


def moved(points: Floats, off: dict[int, tuple[float, float]], seen: Floats = SEEN) -> Floats:
    """What the landmarks become where the detector's points differ by so many face units."""
    fives = five_points(points)
    unit = frontal_eye_distance(fives[0])
    for which, by in off.items():
        fives[0, which] += np.array(by, np.float32) * unit
    return floats((toward_points(points, seen, fives, points[:, CORNERS]) - points)[0] / unit)


def cornered(points: Floats, off: dict[int, tuple[float, float]]) -> Floats:
    """What they become where the corners of the eyes and the foot of the nose, by their landmarks, differ."""
    corners, unit = points[:, CORNERS].copy(), frontal_eye_distance(five_points(points)[0])
    for which, by in off.items():
        corners[0, CORNERS.index(which)] += np.array(by, np.float32) * unit
    return floats((toward_points(points, SEEN, five_points(points), corners) - points)[0] / unit)


def test_a_corner_of_an_eye_pulls_its_landmark_and_hardly_the_other_eye() -> None:
    for which, others in ((36, range(42, 48)), (45, range(36, 42))):
        moves = cornered(face(), {which: (0.0, 0.04)})
        assert 0.015 < moves[which, 1] < 0.04
        assert np.abs(moves[list(others)]).max() < 0.4 * moves[which, 1]
    nose = cornered(face(), {33: (0.0, 0.04)})
    assert 0.015 < nose[33, 1] < 0.04


def test_corners_that_are_far_off_do_not_count_and_the_detector_does() -> None:
    far = dict.fromkeys(CORNERS, (0.0, 0.4))
    assert np.abs(cornered(face(), far)).max() < 0.01
    points, unit = face(), frontal_eye_distance(five_points(face())[0])
    fives = five_points(points)
    fives[0, LEFT_MOUTH, 0] -= np.float32(0.05 * unit)
    both = toward_points(points, SEEN, fives, floats(points[:, CORNERS] + [0, 0.4 * unit]))
    assert (both - points)[0, 48, 0] / unit < -0.01


def test_nothing_moves_where_both_agree() -> None:
    assert np.abs(moved(face(), {})).max() < 1e-5


def test_a_mouth_corner_pulls_the_mouth_and_hardly_the_brows() -> None:
    moves = moved(face(), {LEFT_MOUTH: (-0.05, 0.0)})
    assert -0.05 < moves[48, 0] < -0.02
    assert np.abs(moves[17:27]).max() < 0.2 * abs(moves[48, 0])


def test_a_detector_that_is_far_off_does_not_count() -> None:
    off = dict.fromkeys(range(5), (0.0, 0.4))
    assert np.abs(moved(face(), off)).max() < 0.01


@pytest.mark.parametrize(("seen", "share"), [(0.5, 0.0), (0.75, 0.5)])
def test_the_less_is_seen_the_less_the_detector_counts(seen: float, share: float) -> None:
    off = {LEFT_MOUTH: (-0.05, 0.0)}
    np.testing.assert_allclose(moved(face(), off, seen * SEEN), share * moved(face(), off), atol=1e-5)


def test_a_mirrored_face_moves_as_the_face() -> None:
    moves = moved(face(), {LEFT_MOUTH: (-0.05, 0.02)})
    points = face()[:, MIRRORED] * floats([-1, 1]) + floats([400, 0])
    mirrored = moved(points, {RIGHT_MOUTH: (0.05, 0.02)})
    np.testing.assert_allclose(mirrored[MIRRORED] * [-1, 1], moves, atol=2e-3)


def test_a_face_that_lies_moves_as_one_that_is_upright() -> None:
    moves = moved(face(), {2: (0.03, 0.05)})
    turn = floats([[0, 1], [-1, 0]])
    lying = moved(floats(face() @ turn), {2: tuple(floats([0.03, 0.05]) @ turn)})
    np.testing.assert_allclose(lying @ turn.T, moves, atol=1e-4)


def lowered(points: Floats, by: float, given: bool = False, seen: Floats = SEEN) -> Floats:
    """How the landmarks move where the detector's box ends this much, in face units, lower than usual."""
    unit = frontal_eye_distance(five_points(points)[0])
    ends = points[0, 8, 1] + (by - _evidence().above) * unit
    boxes = floats([[0, 0, 1, ends]])
    return floats((toward_box(points, seen, boxes, np.array([given])) - points)[0] / unit)


def test_the_chin_follows_the_box_and_the_brows_do_not() -> None:
    assert np.abs(lowered(face(), 0.0)).max() < 1e-5
    moves = lowered(face(), 0.1)
    assert 0.03 < moves[8, 1] < 0.1
    assert np.abs(moves[17:27]).max() < 0.2 * moves[8, 1]


def test_a_box_that_was_given_does_not_count() -> None:
    assert not lowered(face(), 0.1, given=True).any()


def test_the_box_does_not_count_where_it_is_far_off_or_the_face_lies() -> None:
    assert np.abs(lowered(face(), 2.0)).max() < 0.01
    assert np.abs(lowered(floats(face() @ floats([[0, 1], [-1, 0]])), 0.1)).max() < 1e-5


def test_the_box_counts_less_for_a_face_that_is_turned_away_or_tilted() -> None:
    moves = lowered(face(), 0.1)
    np.testing.assert_allclose(lowered(face(), 0.1, seen=0.75 * SEEN), 0.5 * moves, atol=1e-5)
    for roll, share in ((5.0, 1.0), (17.5, 0.5), (30.0, 0.0)):
        cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
        tilted = lowered(floats(face() @ floats([[cos, sin], [-sin, cos]])), 0.1)
        assert np.hypot(*tilted[8]) == pytest.approx(float(share * moves[8, 1]), abs=0.002)
