"""The frames of faces in a picture: their own right and down, and their frontal eye distance."""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Doubles, Floats
from maskgen.faces.upright_crop import face_right, frontal_eye_distance


def face_frames(fives: Floats) -> tuple[Doubles, Doubles]:
    """Axes and units of faces with eyes, nose tip and mouth corners `fives`, (n, 5, 2), in pixels.

    Returns:
        axes: (n, 2, 2), the unit vectors to the face's right and down. `offsets @ axes.transpose(0, 2, 1)` turns
            offsets in the picture into the face's, `offsets @ axes` turns them back.
        units: (n, 1, 1), a face unit in pixels, above 0.
    """
    right = np.array([face_right(five) for five in fives]).reshape(-1, 2)
    units = np.array([max(frontal_eye_distance(five), 1e-3) for five in fives]).reshape(-1, 1, 1)
    return np.stack([right, np.stack([-right[:, 1], right[:, 0]], 1)], 1), units
