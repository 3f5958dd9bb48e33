"""The shape of a person: a smooth warp (spline) from the mean head's projected landmarks to the person's.

The shift is a spline over the head, not over the picture, so it rotates with the head: the shift of a cheek is the same
in every view, and similar angles give similar masks.

Source: smoothing polyharmonic splines, Duchon 1977.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.masks.pose.camera import Camera, Cameras
from maskgen.masks.pose.head import mean68

# The landmarks that determine the fit of a mask: jaw, bridge and wings of the nose, eyelids. Lips move and are covered.
KEYS = np.array([*range(17), 27, 28, 29, 30, 31, 35, 36, 39, 40, 41, 42, 45, 46, 47])
STIFF = 0.12  # smoothing of the spline; 0 would interpolate every key exactly
TURNED = 1.6  # rate at which the weight of the jaw's far side falls as the head turns


def _design(points: NDArray[np.floating]) -> Doubles:
    """For each point its distance to every key, and 1, x, y, z: (n, keys + 4)."""
    keys = mean68()[KEYS]
    distance = np.linalg.norm(points[:, None] - keys[None], axis=2)
    return np.column_stack([distance, np.ones(len(points)), points])


def _believed() -> Doubles:
    """The inverse of the spline's equations with every key at full weight, (keys + 4, keys + 4)."""
    design, n = _design(mean68()[KEYS]), len(KEYS)
    system = np.zeros((n + 4, n + 4))
    system[:n], system[n:, :n] = design, design[:, n:].T
    # The kernel -r is conditionally positive definite, so the smoothing is subtracted.
    system[:n, :n] -= STIFF * np.eye(n)
    return np.asarray(np.linalg.inv(system))


_SOLVER = _believed()
_JAW = np.array([range(9), range(16, 7, -1)])  # the keys on the viewer's left and right
_EYE = np.eye(9)
_JAW_X = mean68()[KEYS[_JAW], 0] / 1.18
_BY_JAW = np.ascontiguousarray(_SOLVER[:, _JAW].transpose(1, 0, 2))  # (2, keys + 4, 9)
_JAW_BY_JAW = np.stack([_SOLVER[jaw[:, None], jaw] for jaw in _JAW])
_KEY_DESIGN = np.ascontiguousarray(_design(mean68()[KEYS])[:, -4:])


@dataclass(frozen=True, slots=True)
class ShapeWarp:
    """Points of the head, (n, 3), prepared for projection onto any face; `basis`, (n, keys + 4), is what the
    coefficients are multiplied by."""

    points: Doubles
    basis: Doubles

    @classmethod
    def prepare(cls, points: Doubles) -> ShapeWarp:
        """Prepare points (n, 3) of the head; done once per mask."""
        return cls(points, _design(points))

    def of(self, rows: NDArray[np.intp]) -> ShapeWarp:
        """The warp of some of the points."""
        return ShapeWarp(self.points[rows], self.basis[rows])

    def shifts(self, coefficients: Doubles) -> Doubles:
        """How far the warp to this person moves the points in the picture, (n, 2) pixels."""
        return np.asarray(self.basis @ coefficients)

    def project(self, camera: Camera, coefficients: Doubles) -> Doubles:
        """The points in the picture, warped to this person: (n, 3), pixels and depth."""
        out = camera.project(self.points)
        out[:, :2] += self.shifts(coefficients)
        return out

    def project_faces(self, cameras: Cameras, coefficients: Doubles) -> Doubles:
        """`project` for several faces without depth: (faces, n, 2); coefficients (faces, keys + 4, 2)."""
        both = coefficients.copy()
        both[:, -4:] += cameras.affine()
        return np.asarray(self.basis @ both)


def fit_shape_warps(points68: Doubles, cameras: Cameras) -> Doubles:
    """For faces (n, 68, 2) the spline coefficients (n, keys + 4, 2) that map each camera's projection of the mean head
    smoothly to the landmarks.

    Only the far side of the jaw has less weight. So one inverse serves all faces, and nine equations remain for each:
    Woodbury 1950.
    """
    delta = points68[:, KEYS] - _KEY_DESIGN @ cameras.affine()
    sideways = cameras.rotations[:, 2, 0]  # gain of depth per unit to the viewer's right
    side = (sideways < 0).astype(np.intp)
    jaw = _JAW[side]
    less = STIFF / _jaw_weights(sideways[:, None] * _JAW_X[side]) - STIFF
    solved = _SOLVER[:, : len(KEYS)] @ delta
    own = _EYE - _JAW_BY_JAW[side] * less[:, None]
    at_jaw = np.linalg.solve(own, solved[np.arange(len(jaw))[:, None], jaw])
    return np.asarray(solved + _BY_JAW[side] @ (less[:, :, None] * at_jaw))


def _jaw_weights(depth: Doubles) -> Doubles:
    """Weight of a key of the jaw, 0..1, by its depth as the head turns: on the far side the landmarks follow the
    outline, not a place on the skin."""
    return np.maximum(np.exp(-TURNED * np.maximum(0.0, -depth) * 4.0), 0.02)
