"""The brows' ten landmarks as they are marked in pictures: along the upper edge of the hairs.

The networks learned from drawn people, whose landmarks of the brows lie in the upper half of the hairs: two fifths of
the half thickness above their middle, see `people.head_texture`. Marked ones lie on the edge: dlib's model, which
learned from them, puts those of drawn people 0.034 face units higher.

Source: the markup of 300-W, Sagonas and others 2013.
"""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Floats, floats
from maskgen.faces.landmarkers.face_frames import face_frames
from maskgen.faces.upright_crop import five_points

BROWS = slice(17, 27)
# In face units: the rest of the half thickness, which is 0.06 on average for the people that the networks learned from.
UP = 0.6 * 0.06


def on_brow_edges(points: Floats) -> Floats:
    """Landmarks (n, 68, 2) in pixels of their pictures: those of the brows moved to their upper edge."""
    axes, units = face_frames(five_points(points))
    moved = points.astype(np.float64)
    moved[:, BROWS] -= UP * units * axes[:, 1:]
    return floats(moved)
