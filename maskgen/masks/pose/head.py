"""The mean head: its 68 landmarks, the named places that define masks, and a closed surface for occlusion.

Convention:
    - head coordinates (x, y, z): x to the viewer's right, y down, z toward the viewer
    - the unit is the distance between the eyes' centres (about 62 mm); the origin is the mean of the 68 points
    - arrays are float64, shape (n, 3)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.masks.pose.splines import ThinPlate

Triangles = NDArray[np.int32]

# The skull's centre; each ray from it meets the surface once.
CENTRE = np.array([0.0, 0.1, -1.1])

# Places without landmarks. Right half (x > 0), mirrored. Head length 195 mm, breadth 152 mm, ear 62 mm high:
# adult means, Farkas 1994.
PLACES = {
    "cheekbone": (0.74, -0.2, -0.12),
    "cheek": (0.72, 0.3, -0.22),
    "under_eye": (0.43, -0.4, 0.16),
    "temple": (1.08, -0.85, -0.75),
    "forehead_side": (0.7, -1.5, -0.15),
    "forehead": (0.0, -1.55, 0.33),
    "hairline": (0.0, -2.05, -0.1),
    "crown": (0.0, -2.55, -1.2),
    "crown_side": (0.85, -2.15, -1.2),
    "skull_side": (1.24, -1.3, -1.5),
    "ear_top": (1.2, -0.72, -1.35),
    "ear_middle": (1.2, -0.3, -1.4),
    "ear_bottom": (1.13, 0.12, -1.35),
    "skull_back_side": (0.95, -1.0, -2.5),
    "skull_back": (0.0, -1.1, -2.85),
    "nape": (0.0, 0.3, -2.3),
    "nape_side": (0.62, 0.35, -1.95),
    "jaw_angle": (0.93, 0.75, -1.05),
    "under_jaw": (0.55, 1.08, -0.85),
    "under_chin": (0.0, 1.3, -0.35),
    "throat": (0.0, 1.34, -0.72),
    "neck_front": (0.0, 1.9, -0.7),
    "neck_side": (0.74, 1.6, -1.4),
    "neck_low_side": (0.8, 2.4, -1.5),
    "neck_low": (0.0, 2.5, -0.68),
    "neck_back": (0.0, 1.5, -2.15),
}

# Landmarks with a name, for the description of a mask's outline.
NAMED = {
    "brow": 24, "nasion": 27, "bridge": 28, "nose_middle": 29, "nose_tip": 30, "nostril": 35, "under_nose": 33,
    "eye_inner": 42, "eye_outer": 45, "mouth_corner": 54, "upper_lip": 51, "lower_lip": 57, "ear_front": 16,
    "jaw_1": 15, "jaw_2": 14, "jaw_3": 13, "jaw_4": 12, "jaw_5": 11, "jaw_6": 10, "jaw_7": 9, "chin": 8,
}  # fmt: skip

ROWS, COLUMNS = 22, 36  # of the grid of skull, face and neck
NORMAL_REACH = 0.08  # tangent of the angle, seen from CENTRE, over which a normal of the skin is computed


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles in head coordinates: `points` (n, 3), unit outward `normals` (n, 3), `triangles` int32 (m, 3)."""

    points: Doubles
    normals: Doubles
    triangles: Triangles


@cache
def mean68() -> Doubles:
    """The 68 iBUG points of the mean head, (68, 3); made by `mask_templates/head/build.py`."""
    text = resources.files("maskgen.mask_templates").joinpath("head/mean68.json").read_text("utf-8")
    points = np.array(json.loads(text), dtype=np.float64)
    points.flags.writeable = False
    return points


def place(name: str) -> Doubles:
    """A named place of the head's right half (x >= 0), (3,).

    Raises:
        KeyError: no place has this name.
    """
    if name in NAMED:
        return np.array(mean68()[NAMED[name]])
    return np.array(PLACES[name])


def mirrored(points: Doubles) -> Doubles:
    """The points and their mirror images, those in the middle once: (n, 3) to (up to 2 n, 3)."""
    flipped = points * [-1.0, 1.0, 1.0]
    return np.concatenate([points, flipped[points[:, 0] != 0]])


@cache
def _radius() -> ThinPlate:
    """Distance from CENTRE to the skin as a function of the direction, a unit vector."""
    marks = mean68()[:60]  # without the inner lips, which move in speech
    known = np.concatenate([marks, mirrored(np.array(list(PLACES.values())))]) - CENTRE
    length = np.linalg.norm(known, axis=1)
    return ThinPlate(known / length[:, None], length, smoothing=1e-4)


def skin_along(directions: Doubles) -> Doubles:
    """The points of the skin on rays from CENTRE: directions (n, 3) of any length to points (n, 3)."""
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(CENTRE + unit * _radius().at(unit)[:, None])


def skin_normals_along(directions: Doubles) -> Doubles:
    """Unit outward normals of the skin at `skin_along`, (n, 3), over an area as wide as NORMAL_REACH."""
    rays = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    right = np.cross(rays, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    down = np.cross(rays, right)
    across, along = (
        skin_along(rays + NORMAL_REACH * axis) - skin_along(rays - NORMAL_REACH * axis) for axis in (right, down)
    )
    normals = np.cross(across, along)
    normals *= np.copysign(1.0, (normals * rays).sum(1, keepdims=True))
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


def grid_triangles(rows: int, columns: int, start: int = 0) -> Triangles:
    """Two triangles for each cell of a grid whose points are numbered row by row from `start`."""
    i = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel() + start
    upper = np.stack([i, i + 1, i + columns], 1)
    lower = np.stack([i + 1, i + columns + 1, i + columns], 1)
    return np.concatenate([upper, lower]).astype(np.int32)


def grid_normals(points: Doubles) -> Doubles:
    """Unit normals of a grid surface (rows, columns, 3), by central differences; they point away from CENTRE."""
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    outward = np.sign(np.einsum("...k,...k->...", normals, points - CENTRE))
    return np.asarray(normals * np.where(outward == 0, 1, outward)[..., None])


def _ball() -> Surface:
    """Skull, face and neck as one grid of rays: from the crown downward, closed at the back."""
    down = np.linspace(0.02, 0.93, ROWS) * np.pi
    around = np.linspace(-np.pi, np.pi, COLUMNS)
    polar, turn = np.meshgrid(down, around, indexing="ij")
    rays = np.stack([np.sin(polar) * np.sin(turn), -np.cos(polar), np.sin(polar) * np.cos(turn)], -1)
    grid = skin_along(rays.reshape(-1, 3)).reshape(ROWS, COLUMNS, 3)
    return Surface(grid.reshape(-1, 3), grid_normals(grid).reshape(-1, 3), grid_triangles(ROWS, COLUMNS))


def ear(side: float) -> Surface:
    """One ear as a bent oval plate that stands off the head by some 25 degrees; side is 1 or -1."""
    rows, columns = 9, 7
    v, u = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    width = 0.5 * np.sqrt(np.clip(1 - v**2, 0, 1)) * (1.0 - 0.25 * v)
    x = 1.17 + 0.28 * u * width / 0.5 - 0.05 * v
    y = -0.32 + 0.5 * v
    z = -1.22 - u * width - 0.12 * (1 - v) * 0.5
    grid = np.stack([side * x, y, z], -1)
    normals = np.broadcast_to([side * 0.8, 0.0, 0.6], grid.shape)
    return Surface(grid.reshape(-1, 3), normals.reshape(-1, 3).copy(), grid_triangles(rows, columns))


def joined(parts: list[Surface]) -> Surface:
    """Several surfaces as one."""
    starts = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    return Surface(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=True)]).astype(np.int32),
    )


@cache
def bare_head() -> Surface:
    """The whole head with both ears, in about 1,600 triangles, for occlusion."""
    return joined([_ball(), ear(1.0), ear(-1.0)])
