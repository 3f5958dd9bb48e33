"""Where the photograph ends within a crop: beyond it the crop is filled, and no strap goes there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.masks.cloth_and_straps import PIECES


@dataclass(frozen=True, slots=True)
class PhotographEdge:
    """The photograph in a crop that reaches beyond it.

    Attributes:
        matrix: float64 (2, 3), from crop pixels to photograph pixels.
        size: columns and rows of the photograph.
    """

    matrix: Doubles
    size: tuple[int, int]

    @classmethod
    def of(
        cls, crop_shape: tuple[int, ...], crop_matrix: Doubles, photo_shape: tuple[int, ...]
    ) -> PhotographEdge | None:
        """Of a crop of some shape, rows first, that `crop_matrix` cuts from a photograph; None if all of the crop shows
        the photograph."""
        edge = cls(cv2.invertAffineTransform(crop_matrix), (photo_shape[1], photo_shape[0]))
        right, low = crop_shape[1] - 1.0, crop_shape[0] - 1.0
        corners = np.array([[0.0, 0.0], [right, 0.0], [0.0, low], [right, low]])
        return None if edge.shows(corners).all() else edge

    def shows(self, points: Doubles) -> NDArray[np.bool_]:
        """Whether points (n, 2) of the crop lie in the photograph: (n,)."""
        there = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.asarray(((there >= -0.5) & (there <= np.array(self.size) - 0.5)).all(1))

    def strap_share(self, points: Doubles) -> Doubles:
        """The visible share of straps at their points (straps * PIECES * breadth, 3) in the crop, 1 or 0: a strap is
        hidden from the first row of points on of which none lies in the photograph: (points,)."""
        breadth = 3 if len(points) % (3 * PIECES) == 0 else 2
        rows = self.shows(points[:, :2]).reshape(-1, PIECES, breadth).any(2)
        return np.repeat(np.minimum.accumulate(rows, axis=1).ravel(), breadth).astype(np.float64)
