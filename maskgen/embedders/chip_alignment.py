"""Alignment of crops for recognisers: a similarity transform brings five points to a template.

Our crops are centred on the whole head, dlib's chips on eyes, nose and mouth: on a head with large yaw the difference
is up to a quarter of the side. So the points are found in each crop, as dlib's own tools do in photographs. Where they
cannot be found a fixed transform is used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from maskgen.core.records import Doubles, Image
from maskgen.faces.landmarkers.masked_crops import CropPoints, FoundPoints
from maskgen.faces.upright_crop import warp

CHIP = 150  # side of a chip, in pixels
# Left and right eye, nose tip, left and right mouth corner in a chip: their mean positions in 4,023 faces of LFW that
# dlib's `get_face_chip` cut with a padding of 0.25, as in the training of the network.
POINTS5 = np.array([[48.2, 46.4], [100.8, 46.4], [74.5, 74.8], [50.6, 103.9], [98.4, 103.9]])
# The template of InsightFace's crops of 112 pixels (its norm_crop), for recognisers trained on these.
ARCFACE, ARCFACE5 = 112, np.array([[38.3, 51.7], [73.53, 51.5], [56.03, 71.74], [41.55, 92.37], [70.73, 92.2]])
PLACES = {"dlib": (POINTS5, CHIP), "arcface": (ARCFACE5, ARCFACE)}
LOST = 0.28  # expected error of the points, in eye distances, from which on there may be no face
# The chip in a crop of default margin: its centre and its side, as shares of the crop's side.
MIDDLE, SIDE = np.array([0.5, 0.529]), 0.845


class ChipAligner:
    """Cuts aligned chips from crops.

    Args:
        places: the template of the five points, "dlib" or "arcface".
        side: of the chips in pixels; None for 150 with dlib and 112 with ArcFace.

    The points are those of `faces.landmarkers.masked_crops`.
    """

    def __init__(self, places: str = "dlib", side: int | None = None) -> None:
        points, own = PLACES[places]
        self._side = side or own
        self._places = (points + 0.5) * (self._side / own) - 0.5
        self._points = CropPoints()

    def chips(self, crops: Sequence[Image]) -> list[Image]:
        """The chip of each crop, uint8 RGB (side, side, 3)."""
        return [warp(crop, matrix, self._side) for crop, matrix in zip(crops, self.matrices(crops), strict=True)]

    def matrices(self, crops: Sequence[Image]) -> list[Doubles]:
        """The similarity of each crop, (2, 3), from its pixels to its chip's."""
        found = self._points.find(crops)
        return [self._matrix(crop, points) for crop, points in zip(crops, found, strict=True)]

    def _matrix(self, crop: Image, found: FoundPoints) -> Doubles:
        if found.expected < LOST:
            return chip_matrix(found.xy, self._places)
        fixed, onto = fixed_matrix(crop), chip_matrix(POINTS5, self._places)
        return np.column_stack([onto[:, :2] @ fixed[:, :2], onto[:, :2] @ fixed[:, 2] + onto[:, 2]])


def chip_matrix(points5: ArrayLike, places: Doubles = POINTS5) -> Doubles:
    """The least-squares similarity (2, 3) from a face's five points, (5, 2), to a chip's template, (5, 2).

    Source: Umeyama 1991.
    """
    points = np.asarray(points5, np.float64)
    here, there = points - points.mean(0), places - places.mean(0)
    along = float((here * there).sum())
    across = float((here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]).sum())
    turn = np.array([[along, -across], [across, along]]) / max(float((here**2).sum()), 1e-9)
    return np.column_stack([turn, places.mean(0) - turn @ points.mean(0)])


def fixed_matrix(crop: Image) -> Doubles:
    """The similarity (2, 3) for a crop without a detected face."""
    side = np.array(crop.shape[1::-1])
    scale = CHIP / (SIDE * float(side.min()))
    return np.column_stack([scale * np.eye(2), (CHIP - 1) / 2 - scale * (side * MIDDLE - 0.5)])
