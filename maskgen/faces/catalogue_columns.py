"""Faces as columns of the catalogue, exact enough that another run reuses them instead of detecting again.

What a face is built on is rounded once, before anything is made of it, and the catalogue holds just these numbers:
a face read back gives the same bytes as a face found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Certainty, Detection, Face, Floats

# What `face_from_row` reads of a row, in the photograph's own pixels.
COLUMNS = ("box", "score", "source_points5", "source_points68", "face", "faces_found")
CERTAINTY = ("seen68", "expected_error")  # where the landmark model says how sure it is


def rounded_face(face: Face) -> Face:
    """The face with its numbers rounded: pixels to a hundredth, the score to four digits."""
    found = face.detection
    rounded = Detection(hundredths(found.box), hundredths(found.points5), round(found.score, 4), found.box_given)
    sure = face.certainty
    sure = sure and Certainty(sure.seen, round(sure.expected, 4))
    return Face(rounded, hundredths(face.points68), face.index, face.of, face.given, sure)


def face_columns(face: Face) -> dict[str, Any]:
    """The columns of a settled face that `face_from_row` reads; lists are x0, y0, x1, y1, ..."""
    return {
        "face": face.index,
        "box": face.detection.box.tolist(),
        "score": face.detection.score,
        "source_points5": face.detection.points5.ravel().tolist(),
        "source_points68": face.points68.ravel().tolist(),
        **_certainty_columns(face.certainty),
    }


def face_from_row(row: Mapping[str, Any]) -> Face:
    """The face that one row of a catalogue tells of.

    Raises:
        ValueError, TypeError, KeyError: the row is none that `Masker` made.
    """

    def pixels(name: str) -> Floats:
        return np.array(row[name], np.float32)

    found = Detection(pixels("box"), pixels("source_points5").reshape(-1, 2), row["score"])
    points68 = pixels("source_points68").reshape(-1, 2)
    return Face(found, points68, row["face"], row["faces_found"], certainty=_certainty(row))


def _certainty_columns(certainty: Certainty | None) -> dict[str, Any]:
    if certainty is None:
        return {}
    return dict(zip(CERTAINTY, (certainty.seen.astype(int).tolist(), certainty.expected), strict=True))


def _certainty(row: Mapping[str, Any]) -> Certainty | None:
    seen, expected = (row.get(name) for name in CERTAINTY)
    return None if seen is None or expected is None else Certainty(np.array(seen, np.float32) > 0.5, expected)


def hundredths(pixels: NDArray[np.floating]) -> Floats:
    """Pixels as a catalogue holds them."""
    return np.round(pixels.astype(np.float64), 2).astype(np.float32)
