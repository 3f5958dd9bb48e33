"""Patches of the eyes, the nose, the mouth and the face around 68 landmarks that are roughly known, to refine them.

Convention:
    - a canvas is uint8 grey (CANVAS, CANVAS), the face roughly upright in it; points are in its pixels, x right,
      y down, pixel centres at integers
    - a frame is upright: x along the face's right, y down, lengths in face units, `upright_crop.frontal_eye_distance`
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Mask, floats
from maskgen.faces.upright_crop import TALL, five_points, similarity

CANVAS = 100  # side of the canvas in pixels, `own_network.AROUND` face units


@dataclass(frozen=True, slots=True)
class Part:
    """A square patch of the face.

    Attributes:
        name: of the convolutions that see it.
        points: the landmarks whose mean is its middle.
        side: in pixels.
        width: in face units.
        mirrored: whether it is mirrored: both eyes go through the same convolutions.
    """

    name: str
    points: tuple[int, ...]
    side: int
    width: float
    mirrored: bool = False


PARTS = (
    Part("eye", (*range(17, 22), *range(36, 42)), 36, 1.3),
    Part("eye", (*range(22, 27), *range(42, 48)), 36, 1.3, mirrored=True),
    Part("nose", tuple(range(27, 36)), 36, 1.3),
    Part("mouth", tuple(range(48, 68)), 48, 1.7),
    Part("chin", tuple(range(5, 12)), 36, 1.5),
    Part("face", tuple(range(68)), 56, 3.2),
)


@dataclass(frozen=True, slots=True)
class Frames:
    """The upright frames of n faces: `units` (n,) in pixels, `right` (n,), the unit vectors to the right as x + iy."""

    units: Doubles
    right: NDArray[np.complex128]

    @classmethod
    def of(cls, points: Floats) -> Frames:
        """The frames by landmarks (n, 68, 2)."""
        five = five_points(points)
        left, right, _, below_left, below_right = np.moveaxis(five[..., 0] + 1j * five[..., 1], 1, 0)
        across, down = right - left, (below_left + below_right - left - right) / 2
        units = np.maximum(np.maximum(abs(across), TALL * abs(down)), 1e-3)
        both = across / np.maximum(abs(across), 1e-9) - 1j * down / np.maximum(abs(down), 1e-9)
        length = abs(both)
        return cls(units, np.where(length > 1e-6, both / np.maximum(length, 1e-9), 1.0))

    def shape(self, points: Floats) -> Floats:
        """Landmarks (n, 68, 2) in the frame about their mean, float32 (n, 136)."""
        off = points - points.mean(1, keepdims=True)
        turned = (off[..., 0] + 1j * off[..., 1]) * (self.right.conj() / self.units)[:, None]
        return floats(np.stack([turned.real, turned.imag], 2).reshape(len(points), -1))

    def vectors(self, moves: Floats) -> Floats:
        """Vectors (n, 68, 2) of the frame in pixels."""
        turned = (moves[..., 0] + 1j * moves[..., 1]) * (self.right * self.units)[:, None]
        return floats(np.stack([turned.real, turned.imag], 2))

    def moves(self, vectors: Floats) -> Floats:
        """The opposite of `vectors`."""
        turned = (vectors[..., 0] + 1j * vectors[..., 1]) * (self.right.conj() / self.units)[:, None]
        return floats(np.stack([turned.real, turned.imag], 2))


def part_patches(canvas: Mask, middles: Doubles, unit: float, right: complex) -> list[Mask]:
    """The patch of each of PARTS, uint8 (side, side).

    Args:
        middles: of the patches, see `part_middles`, (parts, 2).
        unit: the face unit in pixels.
        right: the unit vector to the face's right as x + iy.
    """
    out, toward = [], np.array([right.real, right.imag])
    for part, middle in zip(PARTS, middles, strict=True):
        matrix = part_matrix(part, middle, unit, toward)
        size = (part.side, part.side)
        out.append(cv2.warpAffine(canvas, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return out


def part_middles(points: Floats) -> Doubles:
    """The middles of the patches, (n, parts, 2), by landmarks (n, 68, 2)."""
    return np.stack([points[:, list(part.points)].mean(1, dtype=np.float64) for part in PARTS], 1)


def part_matrix(part: Part, middle: Doubles, unit: float, toward: Doubles) -> Doubles:
    """The similarity transform (2, 3) from the canvas to a patch; that of a mirrored one mirrors, too.

    Args:
        middle: of the patch in the canvas, (2,).
        unit: the face unit in pixels.
        toward: the unit vector to the face's right, (2,).
    """
    matrix = similarity(middle, toward, part.side / (part.width * unit), np.full(2, part.side / 2 - 0.5))
    if part.mirrored:
        matrix[0] *= -1
        matrix[0, 2] += part.side - 1
    return matrix
