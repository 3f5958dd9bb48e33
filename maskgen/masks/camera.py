"""The scaled-orthographic camera that takes the mean head to the 68 points of one face.

Convention:
    - picture x right, y down; depth grows toward the viewer; all three in pixels
    - yaw > 0 turns the nose to the viewer's right, pitch > 0 raises it, roll > 0 turns the head clockwise
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Pose, check_points
from maskgen.masks.head import mean68

# How much each point says about the pose: the jaw slides along the cheek as the head turns, lips and chin move with
# every word, the eyes' corners and the nose stay where they are.
TRUST = np.ones(68)
TRUST[0:17] = 0.3
TRUST[6:11] = 0.25
TRUST[17:27] = 0.6
TRUST[48:68] = 0.3
TRUST[60:68] = 0.1
TRUST.flags.writeable = False

OUTLIER = 0.08  # residual, in eye distances, beyond which a point loses its say
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Camera:
    """Takes head coordinates to pixels: `scale` * `rotation` (3, 3) @ p + `shift` (2,), and depth."""

    scale: float
    rotation: Doubles
    shift: Doubles

    def project(self, points: NDArray[np.floating]) -> Doubles:
        """Head coordinates (n, 3) to pixels and depth (n, 3), depth in pixels toward the viewer."""
        turned = self.scale * (points @ self.rotation.T)
        turned[:, :2] += self.shift
        return np.asarray(turned)

    def pose(self) -> Pose:
        """The three angles, for rotation = roll @ pitch @ yaw."""
        r = self.rotation
        pitch = np.degrees(np.arcsin(np.clip(r[2, 1], -1, 1)))
        yaw = np.degrees(np.arctan2(-r[2, 0], r[2, 2]))
        up = _about_x(float(pitch)) @ _about_y(float(yaw))
        left = r @ up.T
        return Pose(float(yaw), float(pitch), float(np.degrees(np.arctan2(left[1, 0], left[0, 0]))), self.scale)


def _about_x(pitch: float) -> Doubles:
    c, s = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _about_y(yaw: float) -> Doubles:
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _about_z(roll: float) -> Doubles:
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def rotation(yaw: float, pitch: float, roll: float) -> Doubles:
    """The (3, 3) rotation of a head that looks there, angles in degrees; yaw first, then pitch, then roll."""
    return np.asarray(_about_z(roll) @ _about_x(pitch) @ _about_y(yaw))


def fit_camera(points: NDArray[np.floating]) -> tuple[Camera, Doubles]:
    """The camera for 68 points (68, 2) in pixels, and each point's distance to its projection (68,) in eye distances.

    Every round completes the points with the depth that the present camera gives them, fits a similarity in three
    dimensions, and lowers the weight of points that fit badly, so that one wrong jaw point does not tilt the head.

    Source: similarity fit, Umeyama 1991; weights, Geman and McClure 1987.
    """
    check_points(points, 68)
    head, seen = mean68(), np.asarray(points, np.float64)
    weights = TRUST.copy()
    camera = _start(head, seen)
    residual = np.zeros(68)
    for _ in range(ROUNDS):
        camera = _similarity(head, seen, camera, weights)
        residual = np.linalg.norm(camera.project(head)[:, :2] - seen, axis=1) / camera.scale
        weights = TRUST / (1 + (residual / OUTLIER) ** 2) ** 2
    return camera, residual


def _start(head: Doubles, seen: Doubles) -> Camera:
    """An affine camera made rigid: a rough first guess."""
    w = np.sqrt(TRUST)[:, None]
    centre_head, centre_seen = np.average(head, 0, TRUST), np.average(seen, 0, TRUST)
    affine = np.linalg.lstsq((head - centre_head) * w, (seen - centre_seen) * w, rcond=None)[0].T
    u, s, vt = np.linalg.svd(affine, full_matrices=False)
    two = u @ vt
    turn = np.stack([two[0], two[1], np.cross(two[0], two[1])])
    scale = float(max(s.mean(), 1e-6))
    return Camera(scale, turn, centre_seen - scale * two @ centre_head)


def _similarity(head: Doubles, seen: Doubles, camera: Camera, weights: Doubles) -> Camera:
    """One weighted similarity fit of the head to the seen points, with the camera's depth in place of the unseen."""
    full = np.column_stack([seen, camera.project(head)[:, 2]])
    share = weights / weights.sum()
    centre_head, centre_full = share @ head, share @ full
    a, b = head - centre_head, full - centre_full
    u, s, vt = np.linalg.svd((b * share[:, None]).T @ a)
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    turn = (u * flip) @ vt
    scale = float((s * flip).sum() / (share @ (a**2).sum(1)))
    return Camera(scale, turn, (centre_full - scale * turn @ centre_head)[:2])
