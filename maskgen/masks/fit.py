"""What makes the mean head this person's: a smooth shift of the picture that takes its projected points to theirs.

The shift is a spline over the head, not over the picture, so it turns with the head: the same cheek moves the same way
from every side, and neighbouring angles give neighbouring masks.

Source: smoothing polyharmonic splines, Duchon 1977.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgesv

from maskgen.core.records import Doubles
from maskgen.masks.camera import Camera
from maskgen.masks.head import mean68

# The jaw, the bridge and wings of the nose, and the eyes' lids hold the mask; lips move and are under it.
KEYS = np.array([*range(17), 27, 28, 29, 30, 31, 35, 36, 39, 40, 41, 42, 45, 46, 47])
STIFF = 0.12  # 0 would reach every key exactly
TURNED = 1.6  # how fast the far side's jaw loses its say as the head turns


def _design(points: NDArray[np.floating]) -> Doubles:
    """For each point its distance to every key, and 1, x, y, z: (n, keys + 4)."""
    keys = mean68()[KEYS]
    distance = np.linalg.norm(points[:, None] - keys[None], axis=2)
    return np.column_stack([distance, np.ones(len(points)), points])


_DIAGONAL = np.diag_indices(len(KEYS))


def _system() -> Doubles:
    """The spline's equations without smoothing, (keys + 4, keys + 4)."""
    design, n = _design(mean68()[KEYS]), len(KEYS)
    system = np.zeros((n + 4, n + 4))
    system[:n], system[n:, :n] = design, design[:, n:].T
    return system


_SYSTEM = _system()


@dataclass(frozen=True, slots=True)
class Moulder:
    """Points of the head, ready to be shifted to any face."""

    points: Doubles
    _basis: Doubles

    @classmethod
    def over(cls, points: Doubles) -> Moulder:
        """Prepare points (n, 3) of the head; done once for each mask."""
        return cls(points, _design(points))

    def of(self, rows: NDArray[np.intp]) -> Moulder:
        """Some of the points."""
        return Moulder(self.points[rows], self._basis[rows])

    def project(self, camera: Camera, coefficients: Doubles, points: Doubles | None = None) -> Doubles:
        """The points in the picture with this person's shift: (n, 3), pixels and depth; or others near them, (n, 3),
        shifted as they are."""
        out = camera.project(self.points if points is None else points)
        out[:, :2] += self._basis @ coefficients
        return out


def shift_to(points68: NDArray[np.floating], camera: Camera) -> Doubles:
    """The spline's coefficients (keys + 4, 2) that take the camera's projection to the seen points, smoothly."""
    delta = np.asarray(points68, np.float64)[KEYS] - camera.project(mean68()[KEYS])[:, :2]
    n = len(KEYS)
    system = _SYSTEM.copy(order="F")
    # The kernel -r is conditionally positive definite, so the smoothing is subtracted.
    system[_DIAGONAL] -= STIFF / _say(camera)
    right = np.zeros((n + 4, 2), order="F")
    right[:n] = delta
    _, _, solved, _ = dgesv(system, right, overwrite_a=True, overwrite_b=True)
    return np.asarray(solved)


def _say(camera: Camera) -> Doubles:
    """How far each key is believed, 0..1: the jaw on the far side is an outline there, not a place on the skin."""
    say = np.ones(len(KEYS))
    sideways = camera.rotation[2, 0]  # depth gained per step to the viewer's right
    x = mean68()[KEYS[:17], 0] / 1.18
    say[:17] = np.exp(-TURNED * np.maximum(0.0, -sideways * x) * 4.0)
    return np.maximum(say, 0.02)
