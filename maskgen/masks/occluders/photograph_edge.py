"""Where the photograph ends within a crop: beyond it the crop is filled, and no strap is drawn there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles


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
