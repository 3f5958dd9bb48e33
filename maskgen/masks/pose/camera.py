"""The scaled-orthographic camera that maps the mean head to the 68 landmarks of one face.

Convention:
    - picture x right, y down; depth grows toward the viewer; all three in pixels
    - yaw > 0 turns the nose to the viewer's right, pitch > 0 raises it, roll > 0 turns the head clockwise
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Pose, check_points
from maskgen.masks.pose.best_rotation import TINY, Each, Matrix, best_rotations, columns, root, rows, squared
from maskgen.masks.pose.head import mean68

# Weight of each landmark in the fit of the pose: the jaw's landmarks slide along the cheek as the head turns, lips and
# chin move in speech, the corners of the eyes and the nose are stable.
TRUST = np.ones(68)
TRUST[0:17] = 0.3
TRUST[6:11] = 0.25
TRUST[17:27] = 0.6
TRUST[48:68] = 0.3
TRUST[60:68] = 0.1
TRUST.flags.writeable = False

OUTLIER = 0.08  # residual, in eye distances, that reduces a landmark's weight to a quarter
ROUNDS = 5  # iterations of the fit


@dataclass(frozen=True, slots=True)
class Camera:
    """Maps head coordinates to pixels: `scale` * `rotation` (3, 3) @ p + `shift` (2,), and depth."""

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
        # With pitch and yaw undone, the first column is the roll's cosine and sine.
        right = r[:2] @ np.array([math.cos(yaw), 0.0, math.sin(yaw)])
        roll = math.atan2(right[1], right[0])
        return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll), self.scale)


@dataclass(frozen=True, slots=True)
class Cameras:
    """The cameras of several faces: `scales` (n,), `rotations` (n, 3, 3), `shifts` (n, 2)."""

    scales: Doubles
    rotations: Doubles
    shifts: Doubles

    def of(self, rows: Sequence[int]) -> Cameras:
        """The cameras of some of the faces."""
        at = np.asarray(rows, np.intp)
        return Cameras(self.scales[at], self.rotations[at], self.shifts[at])

    def each(self) -> list[Camera]:
        """The cameras one by one."""
        return [Camera(*one) for one in zip(self.scales.tolist(), self.rotations, self.shifts, strict=True)]

    def affine(self) -> Doubles:
        """The matrices from (1, x, y, z) in head coordinates to pixels, (n, 4, 2)."""
        turns = self.rotations[:, :2].transpose(0, 2, 1) * self.scales[:, None, None]
        return np.concatenate([self.shifts[:, None], turns], axis=1)


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
    """The rotation (3, 3) of a head pose, angles in degrees; yaw first, then pitch, then roll."""
    return np.asarray(_about_z(roll) @ _about_x(pitch) @ _about_y(yaw))


def fit_camera(points: NDArray[np.floating]) -> tuple[Camera, Doubles]:
    """`fit_cameras` of one face: points (68, 2), residuals (68,)."""
    check_points(points, 68)
    cameras, residuals = fit_cameras(np.asarray(points, np.float64)[None])
    return cameras.each()[0], np.asarray(residuals[0])


def fit_cameras(points: Doubles) -> tuple[Cameras, Doubles]:
    """The cameras for the 68 points of some faces, (n, 68, 2) in pixels, and each point's distance to its projection,
    (n, 68) in eye distances. A face's answer is the same, bit for bit, whichever others are in the call.

    Each iteration adds to the landmarks the depth that the current camera predicts, fits a three-dimensional
    similarity, and lowers the weight of landmarks with large residuals, so that one wrong landmark of the jaw does not
    tilt the head.

    Source: similarity fit, Umeyama 1991; weights, Geman and McClure 1987.
    """
    seen = np.ascontiguousarray(points.transpose(0, 2, 1))
    products, depth = _products(seen), _start(seen)
    weights = np.broadcast_to(TRUST, (len(seen), 68))
    for _ in range(ROUNDS):
        scale, turn, shift = _similarity(_means(weights, products), depth)
        depth = [scale * each for each in turn[6:]]
        squared = _squared(seen, scale, turn, shift)
        scales = rows([scale])
        doubt = 1 + squared / (OUTLIER * scales) ** 2
        weights = TRUST / (doubt * doubt)
    return Cameras(scales[:, 0], rows(turn).reshape(-1, 3, 3), rows(shift)), np.sqrt(squared) / scales


def _start(seen: Doubles) -> Matrix:
    """A rough first estimate of the depth for `_similarity`: that of an affine camera made rigid.

    The polar decomposition: the root of a 2 x 2 matrix M is (M + sqrt(det M)) / sqrt(trace M + 2 sqrt(det M)).
    """
    middle, solver = _solver()
    a, b, c, d, e, f = columns(((seen - seen @ middle) @ solver).reshape(-1, 6))
    normal = [b * f - c * e, c * d - a * f, a * e - b * d]
    area = root(squared(normal))
    trace = root(a * a + b * b + c * c + d * d + e * e + f * f + 2 * area)
    ahead = area <= 1e-9 * trace * trace  # all points in a line or in one place: no pose exists
    share = (1 - ahead) * trace / 2 / (area + TINY)
    return [share * normal[0], share * normal[1], share * normal[2] + ahead * (trace / 2 + 1e-6 * (trace < 2e-6))]


@cache
def _solver() -> tuple[Doubles, Doubles]:
    """The weights (68, 1) of the landmarks' mean, and the matrix (68, 3) from centred landmarks to the affine map."""
    share = TRUST / TRUST.sum()
    w = np.sqrt(TRUST)[:, None]
    return share[:, None], np.ascontiguousarray((np.linalg.pinv((mean68() - share @ mean68()) * w) * w.T).T)


@cache
def _head_products() -> Doubles:
    """For each landmark of the mean head: 1, its coordinates and their distinct products, (10, 68)."""
    x, y, z = mean68().T
    return np.stack([np.ones(68), x, y, z, x * x, x * y, x * z, y * y, y * z, z * z])


def _products(seen: Doubles) -> Doubles:
    """For each landmark its coordinates in the picture and their products with those on the head, (n, 8, 68)."""
    by_head = seen[:, :, None] * _head_products()[1:4]
    return np.concatenate([seen, by_head.reshape(len(seen), 6, 68)], axis=1)


def _means(weights: Doubles, products: Doubles) -> Sequence[Each]:
    """Weighted means of `_head_products` except the first, and of `_products`: seventeen numbers per face."""
    weights = weights[:, :, None]
    sums = np.concatenate([_head_products() @ weights, products @ weights], axis=1)[:, :, 0]
    return columns(sums[:, 1:] / sums[:, :1])


def _similarity(means: Sequence[Each], depth: Matrix) -> tuple[Each, Matrix, Sequence[Each]]:
    """Scale, rotation and shift from the head to the landmarks by weighted least squares; the current camera's `depth`,
    three numbers per face, replaces the unknown one."""
    x, y, z, xx, xy, xz, yy, yz, zz, u, v, ux, uy, uz, vx, vy, vz = means
    # The head's second moments about its centre.
    xx, xy, xz, yy, yz, zz = xx - x * x, xy - x * y, xz - x * z, yy - y * y, yz - y * z, zz - z * z
    p, q, r = depth
    away = [xx * p + xy * q + xz * r, xy * p + yy * q + yz * r, xz * p + yz * q + zz * r]
    trace, turn = best_rotations([ux - u * x, uy - u * y, uz - u * z, vx - v * x, vy - v * y, vz - v * z, *away])
    scale = trace / (xx + yy + zz)
    across, down = (turn[at] * x + turn[at + 1] * y + turn[at + 2] * z for at in (0, 3))
    return scale, turn, (u - scale * across, v - scale * down)


def _squared(seen: Doubles, scale: Each, turn: Matrix, shift: Sequence[Each]) -> Doubles:
    """Squared distances, (n, 68), of the landmarks (n, 2, 68) to the head's landmarks projected by a camera."""
    across, down = [shift[0]], [shift[1]]
    for at in range(3):
        across.append(scale * turn[at])
        down.append(scale * turn[3 + at])
    off = rows([*across, *down]).reshape(-1, 2, 4) @ _head_products()[:4] - seen
    off *= off
    return np.asarray(off[:, 0] + off[:, 1])
