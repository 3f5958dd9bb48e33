"""The shape of a face: the mean head deformed to a person and an expression, with relief between the 68 landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from maskgen.core.records import Doubles, Floats, floats
from maskgen.masks.pose.head import CENTRE

from .head_uv_map import HeadSurface, curve, node_places, points_to_uv, sampled, step, uv_to_rays
from .person import Person
from .scene import Expression

# Rows and columns of the relief: PLAIN up to a scale of PLAIN_UP_TO pixels per eye distance, FINE above.
PLAIN, FINE, PLAIN_UP_TO = (180, 216), (320, 384), 60.0
NODES = (41, 61)  # rows and columns of the grid on which the smooth head is computed
SIDES = ((-1.0, [*range(36, 42)], [*range(17, 22)]), (1.0, [*range(42, 48)], [*range(22, 27)]))


@dataclass(frozen=True, slots=True)
class FaceShape:
    """A head's surface over its UV map.

    Attributes:
        skin: the surface, with relief.
        normals: unit outward normals, float32 (rows, columns, 3).
        openness: share of the ambient light that reaches the skin, float32 (rows, columns), 0..1.
        points68: the 68 landmarks on this surface, (68, 3), in head coordinates.
    """

    skin: HeadSurface
    normals: Floats
    openness: Floats
    points68: Doubles


def expressed(person: Person, face: Expression) -> Doubles:
    """The 68 landmarks of a person with an expression, (68, 3), in head coordinates."""
    points = person.points68.copy()
    _open_mouth(points, face.mouth)
    _smile(points, face.smile)
    points[17:27, 1] -= 0.07 * face.brows
    for upper, lower in (([37, 38], [41, 40]), ([43, 44], [47, 46])):
        points[upper] += (points[lower] - points[upper]) * np.clip(face.lids, 0, 1)
        points[upper, 1] -= 0.02 * max(face.brows, 0)
    return points


def _open_mouth(points: Doubles, mouth: float) -> None:
    # The mean head smiles a little with parted lips; a mouth at rest is closed.
    gap = 0.85 * (points[[67, 66, 65], 1] - points[[61, 62, 63], 1]) * (1 - min(1.0, 4 * mouth))
    points[[61, 62, 63], 1] += 0.4 * gap
    points[[67, 66, 65], 1] -= 0.6 * gap
    points[[50, 51, 52], 1] += 0.25 * gap
    points[[58, 57, 56], 1] -= 0.4 * gap
    fall = 0.3 * mouth
    points[[55, 56, 57, 58, 59, 65, 66, 67], 1] += fall
    points[[50, 51, 52, 61, 62, 63], 1] -= 0.12 * fall
    points[[48, 54, 60, 64], 1] += 0.42 * fall
    points[[48, 54, 60, 64], 0] *= 1 - 0.06 * mouth
    points[4:13, 1] += fall * np.array([0.12, 0.4, 0.75, 0.95, 1, 0.95, 0.75, 0.4, 0.12])


def _smile(points: Doubles, smile: float) -> None:
    corners = [48, 54, 60, 64]
    points[corners, 0] *= 1 + 0.2 * smile
    points[corners, 1] -= 0.1 * smile
    points[corners, 2] -= 0.07 * smile
    points[[49, 53, 55, 59], 0] *= 1 + 0.12 * smile
    points[[49, 53], 1] -= 0.015 * smile
    points[[55, 59], 1] -= 0.03 * smile
    if smile > 0:  # the lips become thin, and the lower eyelids rise
        points[[50, 51, 52], 1] += 0.025 * smile
        points[[65, 66, 67], 1] += 0.06 * smile
        points[[40, 41, 46, 47], 1] -= 0.022 * smile


@lru_cache(maxsize=4)
def _node_pixels(rows: int, columns: int) -> tuple[Floats, Floats]:
    """Coordinates x and y of each pixel of a UV map in the grid of nodes, for cv2.remap."""
    v, u = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
    return (u * (NODES[1] - 1)).astype(np.float32), ((v - 0.004) / 0.996 * (NODES[0] - 1)).astype(np.float32)


def smooth_skin(points68: Doubles, places: Doubles, size: tuple[int, int] = PLAIN) -> HeadSurface:
    """The smooth head through its landmarks without the inner lips, and `places`; no relief; a UV map of `size`."""
    known = np.concatenate([points68[:60], places]) - CENTRE
    length = np.linalg.norm(known, axis=1)
    radius = RBFInterpolator(known / length[:, None], length, kernel="thin_plate_spline", smoothing=3e-4)
    nodes = radius(uv_to_rays(node_places(*NODES)).reshape(-1, 3)).reshape(NODES).astype(np.float32)
    whole = cv2.remap(nodes, *_node_pixels(*size), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return HeadSurface(np.asarray(cv2.GaussianBlur(whole, (0, 0), size[0] / 125), np.float32))


def build_face_shape(person: Person, face: Expression, scale: float) -> FaceShape:
    """The shape of a person's head with an expression, detailed enough for `scale` pixels per eye distance."""
    points = expressed(person, face)
    skin = smooth_skin(points, person.places, PLAIN if scale <= PLAIN_UP_TO else FINE)
    relief = _Relief(skin)
    _eyes(relief, person, points)
    _nose(relief, person, points)
    _mouth(relief, person, points)
    _cheeks(relief, person, points, max(face.smile, 0.0))
    done = HeadSurface(relief.radius)
    return FaceShape(done, _normals(done), _openness(done, points), on_surface(done, points))


def on_surface(skin: HeadSurface, points: Doubles) -> Doubles:
    """The points (n, 3) moved along their rays from CENTRE onto the surface."""
    ray = points - CENTRE
    length = sampled(skin.radius, points_to_uv(points)).astype(np.float64)
    return np.asarray(CENTRE + ray / np.linalg.norm(ray, axis=1, keepdims=True) * length[:, None])


class _Relief:
    """A relief on a smooth skin: heights in eye distances, along the rays from CENTRE."""

    def __init__(self, skin: HeadSurface) -> None:
        self._skin = skin
        self.radius: Floats = skin.radius.copy()

    def spot(self, height: float, at: Doubles, radii: tuple[float, float, float]) -> None:
        """A soft bump or hollow."""
        share = self._skin.spot(at, radii)
        self.radius[share.slices] += floats(height) * share.values

    def line(self, height: float, points: Doubles, width: float) -> None:
        """A soft ridge or groove."""
        share = self._skin.line(points, width)
        self.radius[share.slices] += floats(height) * share.values


def _eyes(relief: _Relief, person: Person, points: Doubles) -> None:
    """Eye sockets, eyeballs under the eyelids, edges and folds of the eyelids, brow ridges."""
    for side, eye, brow in SIDES:
        middle = points[eye].mean(0)
        upper, lower = curve(points[eye[:4]]), curve(points[[eye[3], eye[4], eye[5], eye[0]]])
        relief.spot(-0.07, middle + [-side * 0.1, -0.04, 0], (0.36, 0.24, 0.6))
        relief.spot(0.075, middle + [0, 0.005, 0], (0.2, 0.15, 0.5))
        relief.line(-0.018, upper + [0, -person.build.fold - 0.01, 0], 0.022)
        relief.line(0.014, upper + [0, -0.015, 0], 0.03)
        relief.line(0.01, lower + [0, 0.025, 0], 0.03)
        relief.line(-0.012 * (0.3 + person.age), lower[2:-3] + [0, 0.13, 0], 0.035)
        relief.line(0.02 + person.build.ridge, points[brow] + [0, 0.03, 0], 0.1)


def _nose(relief: _Relief, person: Person, points: Doubles) -> None:
    """Tip of the nose, its wings with the groove behind them, and the nostrils."""
    relief.spot(person.build.tip, points[30] + [0, 0.03, 0], (0.12, 0.11, 0.5))
    relief.line(0.015, points[27:31], 0.07)
    for side, wing, nostril in ((-1.0, points[31], points[32]), (1.0, points[35], points[34])):
        middle = wing + [0, -0.055, 0.02]
        relief.spot(person.build.ala, middle, (0.075, 0.085, 0.5))
        behind = [middle + [side * x, y, 0] for x, y in ((0.03, -0.12), (0.1, -0.06), (0.115, 0.02), (0.08, 0.08))]
        relief.line(-0.03, curve(np.stack(behind)), 0.03)
        relief.spot(-0.04, nostril + [side * 0.005, -0.01, 0], (0.05, 0.03, 0.5))


def _mouth(relief: _Relief, person: Person, points: Doubles) -> None:
    """Fullness of the lips, the line between them, the groove above, the hollow below, and the chin."""
    full = 0.03 * person.build.lips
    upper = (points[48:55] + points[[60, 61, 61, 62, 63, 63, 64]]) / 2
    lower = (points[[48, 59, 58, 57, 56, 55, 54]] + points[[60, 67, 67, 66, 65, 65, 64]]) / 2
    relief.line(full, upper[1:-1], 0.05)
    relief.line(1.2 * full, lower[1:-1], 0.065)
    relief.line(-0.03, (points[60:65] + points[[60, 67, 66, 65, 64]]) / 2, 0.025)
    relief.line(-0.02, np.stack([points[33] + [0, 0.03, 0], points[51] + [0, -0.02, 0]]), 0.045)
    relief.line(0.01, points[49:54] + [0, -0.02, 0], 0.025)
    relief.spot(-0.04, points[57] + [0, 0.11, 0], (0.26, 0.08, 0.6))
    relief.spot(person.build.chin, (points[57] + 2 * points[8]) / 3, (0.24, 0.17, 0.6))
    for corner in (points[48], points[54]):
        relief.spot(-0.02, corner, (0.05, 0.06, 0.5))


def _cheeks(relief: _Relief, person: Person, points: Doubles, smile: float) -> None:
    """Cheeks, which rise with a smile, and the folds from nose to mouth."""
    for side, wing, corner in ((-1.0, points[31], points[48]), (1.0, points[35], points[54])):
        high = wing + [side * 0.4, -0.03 - 0.04 * smile, -0.15]
        relief.spot(0.015 + 0.05 * smile, high, (0.27, 0.2, 0.6))
        depth = 0.008 + 0.02 * person.age + 0.022 * smile
        relief.line(-depth, fold_beside(side, wing, corner, smile), 0.045)
        relief.spot(-0.02, corner + [side * 0.35, 0.0, -0.3], (0.25, 0.3, 0.5))


def fold_beside(side: float, wing: Doubles, corner: Doubles, smile: float) -> Doubles:
    """Points (n, 3) of the fold from the wing of the nose to the corner of the mouth, on one side (1 or -1)."""
    middle = (wing + corner) / 2 + [side * (0.14 + 0.02 * smile), -0.02, 0]
    return curve(np.stack([wing + [side * 0.09, -0.06, 0], middle, corner + [side * 0.12, -0.02, 0]]))


def _normals(skin: HeadSurface) -> Floats:
    points = skin.points()
    down = cv2.filter2D(points, -1, floats([[-1], [0], [1]]), borderType=cv2.BORDER_REPLICATE)
    across = cv2.filter2D(points, -1, floats([[-1, 0, 1]]), borderType=cv2.BORDER_REPLICATE)
    (ax, ay, az), (bx, by, bz) = cv2.split(across), cv2.split(down)
    normals = cv2.merge([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    length = np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))
    return np.asarray(normals / -np.maximum(length, 1e-9)[..., None], np.float32) * floats(_outward())


@lru_cache(maxsize=1)
def _outward() -> float:
    """The sign that makes `_normals` point away from CENTRE: +1 or -1, from the handedness of the UV map."""
    u, v = np.array([0.51, 0.5]), np.array([0.5, 0.51])
    here, right, below = uv_to_rays(np.array([0.5, 0.5])), uv_to_rays(u), uv_to_rays(v)
    return -1.0 if np.cross(right - here, below - here) @ here > 0 else 1.0


def _openness(skin: HeadSurface, points68: Doubles) -> Floats:
    """Share of ambient light, (rows, columns), 0..1: lower in hollows, at two scales, and under the jaw."""
    rows, columns = skin.radius.shape
    small = cv2.resize(skin.radius, (120, 100), interpolation=cv2.INTER_AREA)
    out = np.ones_like(small)
    for sigma, strength in ((1.5, 5.0), (5.0, 2.6)):
        deep = np.maximum(cv2.GaussianBlur(small, (0, 0), sigma) - small, 0)
        out *= 1 - np.minimum(strength * deep, 0.55)
    points = HeadSurface(np.asarray(small, np.float32)).points()
    x, y = np.abs(points[..., 0]), points[..., 1]
    jaw = np.interp(x, np.abs(points68[8:16, 0]), points68[8:16, 1]).astype(np.float32)
    out *= 1 - 0.5 * step(y - jaw, 0.02, 0.14) * (1 - 0.5 * step(y, 1.6, 2.4)) * step(points[..., 2], -1.7, -1.1)
    return np.asarray(cv2.resize(out, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def nape(y: Floats) -> Floats:
    """Weight of the body's rotation at a head y: 0 where the skin moves with the head, 1 where with the body."""
    return step(y, 1.15, 1.75)
