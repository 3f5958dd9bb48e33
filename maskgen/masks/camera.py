"""The scaled-orthographic camera that takes the mean head to the 68 points of one face.

Convention:
    - picture x right, y down; depth grows toward the viewer; all three in pixels
    - yaw > 0 turns the nose to the viewer's right, pitch > 0 raises it, roll > 0 turns the head clockwise
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgesdd

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
        pitch = math.asin(min(1.0, max(-1.0, r[2, 1])))
        yaw = math.atan2(-r[2, 0], r[2, 2])
        # What is left of the first column when pitch and yaw are undone is the roll's cosine and sine.
        right = r[:2] @ np.array([math.cos(yaw), 0.0, math.sin(yaw)])
        roll = math.atan2(right[1], right[0])
        return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll), self.scale)


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
    seen = np.asarray(points, np.float64)
    moments = _moments(seen)
    weights, camera = TRUST, _start(seen)
    squared, taken, take = np.zeros(68), np.concatenate([_extended(), seen], axis=1), -np.eye(6, 2, -4)
    for _ in range(ROUNDS):
        means = weights @ moments
        camera = _similarity(means / means[-1], camera)
        take[:3], take[3] = camera.scale * camera.rotation[:2].T, camera.shift
        placed = taken @ take  # less where it is seen
        squared = np.einsum("ij,ij->i", placed, placed)
        doubt = 1 + squared / (OUTLIER * camera.scale) ** 2
        weights = TRUST / (doubt * doubt)
    return camera, np.sqrt(squared) / camera.scale


def _start(seen: Doubles) -> Camera:
    """An affine camera made rigid: a rough first guess."""
    centre_head, centre_seen, solver = _solver()
    affine = (solver @ (seen - (middle := centre_seen @ seen))).T
    two, scale = _rigid(affine)
    (a, b, c), (d, e, f) = two.tolist()
    turn = np.array([two[0], two[1], [b * f - c * e, c * d - a * f, a * e - b * d]])
    return Camera(scale, turn, middle - scale * two @ centre_head)


def _rigid(affine: Doubles) -> tuple[Doubles, float]:
    """The two orthonormal rows (2, 3) nearest to a matrix, and its scale: the polar decomposition, where the root of a
    2 x 2 matrix M is (M + sqrt(det M)) / sqrt(trace M + 2 sqrt(det M))."""
    (p, q), (_, r) = (affine @ affine.T).tolist()
    root = math.sqrt(max(p * r - q * q, 0.0))
    trace = math.sqrt(p + r + 2 * root)
    if root < 1e-9 * trace * trace or trace == 0.0:  # all points in a line or in one place: no head
        return np.eye(2, 3), max(trace / 2, 1e-6)
    inverse = np.array([[r + root, -q], [-q, p + root]]) / (trace * root)
    return inverse @ affine, trace / 2


@cache
def _solver() -> tuple[Doubles, Doubles, Doubles]:
    """The head's weighted middle (3,), the weights (68,), and what takes centred points (68, 2) to the affine map."""
    share = TRUST / TRUST.sum()
    middle = share @ mean68()
    w = np.sqrt(TRUST)[:, None]
    return middle, share, np.linalg.pinv((mean68() - middle) * w) * w.T


def _moments(seen: Doubles) -> Doubles:
    """For each point what `_similarity` wants the mean of, (68, 22): the head's place (3) and its products (9), the
    seen place (2) and its products with the head's (6), the head's squared distance from its origin, and 1."""
    head = mean68()
    by_head = (seen[:, :, None] * head[:, None]).reshape(68, 6)
    return np.concatenate([_head_moments(), seen, by_head, _squares()], axis=1)


@cache
def _head_moments() -> Doubles:
    head = mean68()
    return np.concatenate([head, (head[:, :, None] * head[:, None]).reshape(68, 9)], axis=1)


@cache
def _squares() -> Doubles:
    return np.stack([(mean68() ** 2).sum(1), np.ones(68)], axis=1)


@cache
def _extended() -> Doubles:
    """The head's points with a one behind each, (68, 4)."""
    return np.concatenate([mean68(), np.ones((68, 1))], axis=1)


def _similarity(means: Doubles, camera: Camera) -> Camera:
    """One weighted similarity fit of the head to the seen points, with the camera's depth in place of the unseen.

    `means` (22,) are weighted means of `_moments`.
    """
    centre, seen = means[:3], means[12:14]
    about = means[3:12].reshape(3, 3) - centre[:, None] * centre  # the head's second moments about its centre
    products = np.empty((3, 3))
    products[:2] = means[14:20].reshape(2, 3) - seen[:, None] * centre
    products[2] = about @ (camera.scale * camera.rotation[2])
    u, s, vt, _ = dgesdd(products)  # of NumPy's own, half the time goes into looking at what it is given
    turn = u @ vt
    if _determinant(products) < 0:  # a mirror image is no turn
        s[2] *= -1
        turn -= 2 * u[:, 2:] * vt[2]
    scale = sum(s.tolist()) / float(means[20] - centre @ centre)
    return Camera(scale, turn, seen - scale * turn[:2] @ centre)


def _determinant(matrix: Doubles) -> float:
    """Of a matrix (3, 3); NumPy's takes ten times as long for one so small."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    return float(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
