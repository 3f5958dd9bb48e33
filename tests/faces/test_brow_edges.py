"""The brows' landmarks on their upper edge: up by the face's own axis, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from maskgen.core.records import floats
from maskgen.faces.landmarkers.brow_edges import BROWS, UP, on_brow_edges
from maskgen.masks.pose.head import mean68


@pytest.mark.parametrize("roll", [0.0, 35.0, 90.0, 180.0])
def test_brows_move_up_by_their_own_face(roll: float) -> None:
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    turn = np.array([[cos, sin], [-sin, cos]])
    points = floats(60 * mean68()[None, :, :2] @ turn + 200)
    moves = (on_brow_edges(points) - points)[0]
    np.testing.assert_allclose(moves[BROWS] @ turn.T, np.broadcast_to([0, -60 * UP], (10, 2)), atol=0.15)
    others = np.delete(moves, np.r_[BROWS], axis=0)
    assert not others.any()
