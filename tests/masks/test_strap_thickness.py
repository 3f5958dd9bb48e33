"""Loops seen from the side: as broad as cords are, and left alone where they face the viewer."""

import numpy as np
import pytest

from maskgen.masks.kinds import load_kind
from maskgen.masks.strap_thickness import FINEST, FLAT, ROOT, THICK, thicken_straps

PIECES = 9


def strap(breadth: float, tilt: float) -> np.ndarray:
    """A slanting band, 3 points across, turned away from the viewer by an angle in degrees; (PIECES * 3, 3)."""
    way, side = np.array([0.6, 0.8, 0.0]), np.array([-0.8, 0.6, 0.0])
    flat, deep = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    across = breadth / 2 * (flat * side + deep * np.array([0, 0, 1.0]))
    return np.concatenate([[10 * at * way + step * across for step in (-1, 0, 1)] for at in range(PIECES)])


def breadths(points: np.ndarray) -> np.ndarray:
    rows = points.reshape(PIECES, 3, 3)[..., :2]
    return np.linalg.norm(rows[:, -1] - rows[:, 0], axis=1)


def test_a_band_that_faces_the_viewer_stays_as_it_is() -> None:
    points = strap(8.0, 0.0)
    before = points.copy()
    thicken_straps(points, np.array([0.08]), PIECES, 100.0)
    np.testing.assert_allclose(points, before, atol=1e-12)


@pytest.mark.parametrize("tilt", [0.0, 90.0])
def test_a_wide_strap_is_as_many_times_as_wide_from_all_sides(tilt: float) -> None:
    plain, wide = strap(8.0, tilt), strap(8.0, tilt)
    thicken_straps(plain, np.array([0.08]), PIECES, 100.0)
    thicken_straps(wide, np.array([0.08]), PIECES, 100.0, 1.5)
    np.testing.assert_allclose(breadths(wide), 1.5 * breadths(plain), rtol=1e-6)


def test_a_narrow_strap_has_no_gaps() -> None:
    points = strap(0.5, 90.0)
    thicken_straps(points, np.array([0.02]), PIECES, 20.0, 0.5)
    np.testing.assert_allclose(breadths(points), FINEST, rtol=1e-6)


@pytest.mark.parametrize("tilt", [60.0, 89.0, 90.0, 91.0, 120.0])
def test_a_band_on_its_edge_is_a_cord(tilt: float) -> None:
    points = strap(8.0, tilt)
    middle = points.reshape(PIECES, 3, 3)[:, 1].copy()
    thicken_straps(points, np.array([0.08]), PIECES, 100.0)
    flat = 8 * abs(np.cos(np.radians(tilt)))
    np.testing.assert_allclose(breadths(points)[FLAT:], np.maximum(flat, THICK * 8), rtol=1e-6)
    np.testing.assert_allclose(breadths(points)[0], max(flat, ROOT * THICK * 8), rtol=1e-6)  # welded to the cloth
    np.testing.assert_allclose(points.reshape(PIECES, 3, 3)[:, ::2].mean(1), middle, atol=1e-9)


def test_no_loop_is_finer_than_what_is_drawn_without_gaps() -> None:
    points = strap(0.1, 45.0)
    thicken_straps(points, np.array([0.001]), PIECES, 100.0)
    assert breadths(points).min() >= FINEST - 1e-9


def test_a_strap_that_turns_its_other_side_to_the_viewer_does_not_cross_itself() -> None:
    twisted = np.concatenate([strap(8.0, tilt).reshape(PIECES, 3, 3)[at] for at, tilt in enumerate(range(70, 115, 5))])
    thicken_straps(twisted, np.array([0.08]), PIECES, 100.0)
    rows = twisted.reshape(PIECES, 3, 3)[..., :2]
    across = rows[:, -1] - rows[:, 0]
    assert (across @ across[0] > 0).all()


def test_a_strap_of_no_length_does_no_harm() -> None:
    points = np.zeros((PIECES * 3, 3))
    thicken_straps(points, np.array([0.05]), PIECES, 50.0)
    assert np.isfinite(points).all()


@pytest.mark.parametrize("kind", ["surgical_green", "n95"])
def test_a_meshs_straps_are_where_it_says(kind: str) -> None:
    for scale in (40.0, 200.0):
        mesh = load_kind(kind).mesh_for(scale, "proper")
        rest = len(mesh.warp.points) - mesh.straps_from
        assert rest % (14 * len(mesh.strap_widths)) == 0
        assert rest > 0
