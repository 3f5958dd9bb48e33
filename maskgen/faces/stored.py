"""Faces that outlive a run: kept in the catalogue so exactly that another run need not look for them again.

What a face is built on is rounded once, before anything is made of it, and the catalogue holds just these numbers:
a face read back gives the same bytes as a face found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Detection, Face, Floats

# What `face_from_row` reads of a row, in the photograph's own pixels.
COLUMNS = ("box", "score", "source_points5", "source_points68", "face", "faces_found")


def rounded_face(face: Face) -> Face:
    """The face with its numbers rounded: pixels to a hundredth, the score to four digits."""
    found = face.detection
    rounded = Detection(_hundredths(found.box), _hundredths(found.points5), round(found.score, 4))
    return Face(rounded, _hundredths(face.points68), face.index, face.of, face.given)


def face_columns(face: Face) -> dict[str, Any]:
    """The columns of a settled face that `face_from_row` reads; lists are x0, y0, x1, y1, ..."""
    return {
        "face": face.index,
        "box": face.detection.box.tolist(),
        "score": face.detection.score,
        "source_points5": face.detection.points5.ravel().tolist(),
        "source_points68": face.points68.ravel().tolist(),
    }


def face_from_row(row: Mapping[str, Any]) -> Face:
    """The face that one row of a catalogue tells of.

    Raises:
        ValueError, TypeError, KeyError: the row is none that `Masker` made.
    """

    def pixels(name: str) -> Floats:
        return np.array(row[name], np.float32)

    found = Detection(pixels("box"), pixels("source_points5").reshape(-1, 2), row["score"])
    return Face(found, pixels("source_points68").reshape(-1, 2), row["face"], row["faces_found"])


def _hundredths(pixels: NDArray[np.floating]) -> Floats:
    return np.round(pixels.astype(np.float64), 2).astype(np.float32)
