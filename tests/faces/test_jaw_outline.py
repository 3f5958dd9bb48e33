"""The jaw's landmarks along the outline: the mean head, nods, profiles, and any similarity of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from maskgen.faces.landmarkers.jaw_outline import CHIN, FOLLOWS, JAW, LEVEL, along_outline
from maskgen.masks.pose.head import mean68


def seen(yaw: float = 0.0, pitch: float = 0.0, scale: float = 60.0) -> np.ndarray:
    """The mean head's landmarks in a picture, float32 (1, 68, 2); angles in degrees."""
    y, p = np.radians([yaw, pitch])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return (scale * (mean68() @ (nod @ turn).T)[:, :2] + 100).astype(np.float32)[None]


def level_of_ends(points: np.ndarray) -> np.ndarray:
    return (points[0, [0, 16], 1] - points[0, 36:48, 1].mean()) / 60


def test_the_mean_head_from_the_front_stays_as_it_is() -> None:
    points = seen()
    assert np.abs(along_outline(points) - points).max() < 0.02 * 60
    assert level_of_ends(points) == pytest.approx(LEVEL, abs=0.001)


@pytest.mark.parametrize("pitch", [-15, 15])
def test_ends_follow_a_nod_half_way(pitch: float) -> None:
    points = seen(pitch=pitch)
    before, after = level_of_ends(points), level_of_ends(along_outline(points))
    assert np.abs(before - LEVEL).min() > 0.2
    assert after == pytest.approx((1 - FOLLOWS) * before + FOLLOWS * LEVEL, abs=0.01)


@pytest.mark.parametrize("pitch", [-20, 0, 20])
def test_points_lie_evenly_on_the_same_outline(pitch: float) -> None:
    points = seen(pitch=pitch)
    moved = along_outline(points)
    steps = np.hypot(*np.diff(moved[0, :JAW], axis=0).T)
    assert steps[:CHIN] == pytest.approx(steps[:CHIN].mean(), rel=0.03)
    assert steps[CHIN:] == pytest.approx(steps[CHIN:].mean(), rel=0.03)
    assert np.array_equal(moved[0, JAW:], points[0, JAW:])
    assert moved[0, CHIN] == pytest.approx(points[0, CHIN], abs=1e-3)


@pytest.mark.parametrize("pitch", [-30, 0, 30])
def test_a_profile_keeps_its_places(pitch: float) -> None:
    for yaw in (-85, 70):
        points = seen(yaw=yaw, pitch=pitch)
        assert along_outline(points) == pytest.approx(points, abs=1e-4)


@pytest.mark.parametrize("pitch", [-30, -10, 10, 30])
def test_the_jaw_moves_little_for_a_little_yaw(pitch: float) -> None:
    points = np.concatenate([seen(yaw, pitch) for yaw in range(-80, 81)])
    moves = along_outline(points) - points
    assert np.abs(np.diff(moves, axis=0)).max() < 0.05 * 60  # for one degree


def test_it_goes_with_the_picture() -> None:
    points = seen(yaw=12, pitch=8)
    turn = 1.7 * np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    there = (points @ turn.T + [30, -12]).astype(np.float32)
    assert along_outline(there) == pytest.approx(along_outline(points) @ turn.T + [30, -12], abs=0.01)


def test_a_face_is_the_same_alone_and_among_others() -> None:
    points = np.concatenate([seen(yaw, pitch) for yaw in range(-40, 41, 3) for pitch in (-20, 0, 20)])
    together = along_outline(points)
    assert all(np.array_equal(along_outline(points[at : at + 1])[0], together[at]) for at in range(len(points)))


def test_points_that_describe_no_face_give_numbers() -> None:
    assert along_outline(np.zeros((0, 68, 2), np.float32)).shape == (0, 68, 2)
    assert np.isfinite(along_outline(np.zeros((1, 68, 2), np.float32))).all()
    assert np.isfinite(along_outline(np.full((2, 68, 2), 7, np.float32))).all()
