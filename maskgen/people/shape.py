"""A person's head as surfaces: the face with its expression, ears, hair, shoulders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator

from maskgen.core.records import Doubles
from maskgen.masks.head import CENTRE, Surface, Triangles, ear, grid_normals, grid_triangles, joined
from maskgen.people.person import Person

ROWS, COLUMNS = 56, 92
DOWN = np.linspace(0.004, 0.93, ROWS) * np.pi
AROUND = np.linspace(-np.pi, np.pi, COLUMNS)


@dataclass(frozen=True, slots=True)
class Part:
    """A surface with texture coordinates (n, 2) in 0..1 of the painted head."""

    points: Doubles
    normals: Doubles
    uv: Doubles
    triangles: Triangles


def expressed(person: Person, mouth: float, smile: float) -> Doubles:
    """The 68 points with the mouth opened and smiling, (68, 3)."""
    points = person.points68.copy()
    fall = 0.32 * mouth
    points[[55, 56, 57, 58, 59, 65, 66, 67], 1] += fall
    points[[48, 54, 60, 64], 1] += 0.4 * fall
    points[4:13, 1] += fall * np.array([0.15, 0.45, 0.8, 1, 1, 1, 0.8, 0.45, 0.15])
    corners = [48, 54, 60, 64]
    points[corners, 0] *= 1 + 0.22 * smile
    points[corners, 1] -= 0.10 * smile
    points[corners, 2] -= 0.06 * smile
    points[[49, 53, 59, 55], 0] *= 1 + 0.12 * smile
    points[[49, 53], 1] -= 0.03 * smile
    return points


def texture_place(points: Doubles) -> Doubles:
    """Where points of the head (n, 3) lie in its painting: u by the turn, v by the height of the ray from CENTRE."""
    ray = points - CENTRE
    turn = np.arctan2(ray[:, 0], ray[:, 2])
    polar = np.arccos(np.clip(-ray[:, 1] / np.linalg.norm(ray, axis=1), -1, 1))
    return np.stack([(turn + np.pi) / (2 * np.pi), polar / np.pi], 1)


def _rays() -> Doubles:
    polar, turn = np.meshgrid(DOWN, AROUND, indexing="ij")
    return np.stack([np.sin(polar) * np.sin(turn), -np.cos(polar), np.sin(polar) * np.cos(turn)], -1)


def _part(grid: Doubles) -> Part:
    points = grid.reshape(-1, 3)
    polar, turn = np.meshgrid(DOWN / np.pi, np.linspace(0, 1, COLUMNS), indexing="ij")
    uv = np.stack([turn, polar], -1).reshape(-1, 2)
    normals = grid_normals(grid).reshape(-1, 3)
    return Part(points, normals, uv, grid_triangles(*grid.shape[:2]))


def head_part(person: Person, points68: Doubles) -> Part:
    """Face, skull and neck through this person's points."""
    known = np.concatenate([points68[:60], person.places]) - CENTRE
    length = np.linalg.norm(known, axis=1)
    radius = RBFInterpolator(known / length[:, None], length, kernel="thin_plate_spline", smoothing=1e-4)
    rays = _rays()
    reach = radius(rays.reshape(-1, 3)).reshape(ROWS, COLUMNS)
    return _part(CENTRE + rays * reach[..., None])


def ears(person: Person) -> Surface:
    """Both ears at this head's width."""
    wide = float(np.abs(person.points68[[0, 16], 0]).mean() / 1.176)
    both = joined([ear(1.0), ear(-1.0)])
    return Surface(both.points * [wide, 1, 1], both.normals, both.triangles)


# For each style: how far the hair stands off the skull on top and at the sides, how low it hangs at the back and
# sides (head y), and how far forward the sides come (degrees from the front).
STYLES = {
    "short": (0.16, 0.09, -0.15, 100.0),
    "crop": (0.10, 0.05, -0.35, 95.0),
    "bob": (0.22, 0.26, 1.0, 78.0),
    "long": (0.20, 0.26, 2.6, 76.0),
    "bun": (0.12, 0.08, -0.1, 92.0),
    "curly": (0.36, 0.34, 0.5, 82.0),
}


def hair_part(person: Person, head: Part) -> Part | None:
    """Hair as a shell that is outside the head where hair grows and inside it where none does."""
    if person.style == "bald":
        return None
    top, side, low, front = STYLES[person.style]
    grid = head.points.reshape(ROWS, COLUMNS, 3)
    rays = grid - CENTRE
    turn = np.degrees(np.abs(np.arctan2(rays[..., 0], rays[..., 2])))
    y = grid[..., 1]
    rng = np.random.default_rng(person.pattern)
    line = _hairline(turn, rng.normal(0, 0.05), low, front)
    inside = np.clip((line - y) / 0.2, -1, 1)
    stand = side + (top - side) * np.clip((-1.2 - y) / 1.0, 0, 1)
    if person.style == "curly":
        stand = stand * (1 + 0.16 * rng.normal(size=stand.shape))
    length = np.linalg.norm(rays, axis=-1)
    if low > 0.3:  # hair that hangs leaves the neck and falls straight
        straight = 1.3 / np.maximum(np.sin(DOWN)[:, None], 0.35)
        length = np.where((y > 0.1) & (inside > 0), np.maximum(length, straight), length)
    reach = length * (1 + stand * np.clip(inside, -0.6, 1) * 0.75 - 0.03)
    return _part(CENTRE + rays / np.linalg.norm(rays, axis=-1, keepdims=True) * reach[..., None])


def _hairline(turn: Doubles, higher: float, low: float, front: float) -> Doubles:
    """Head y of the hair's lower edge by the turn from the front in degrees: high over the brow, down at the temples."""
    over = -1.78 - higher + 0.45 * np.clip(turn / 70, 0, 1) ** 2
    falls = np.clip((turn - front + 22) / 22, 0, 1) ** 1.5
    return np.asarray(over + falls * (low - over))


def shoulders() -> Part:
    """A torso from the collar down, as rings that widen."""
    around = np.linspace(-np.pi, np.pi, 40)
    y = np.array([1.75, 1.95, 2.2, 2.5, 2.9, 3.6, 5.0])
    half_wide = np.array([0.78, 0.98, 1.5, 2.3, 2.85, 3.15, 3.25])
    half_deep = np.array([0.74, 0.85, 0.95, 1.1, 1.25, 1.4, 1.45])
    x = half_wide[:, None] * np.sin(around)
    z = -1.35 + half_deep[:, None] * np.cos(around)
    grid = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1)
    middle = np.array([0.0, 3.2, -1.35])
    normals = np.cross(np.gradient(grid, axis=1), np.gradient(grid, axis=0))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    normals *= np.sign(np.einsum("ijk,ijk->ij", normals, grid - middle))[..., None]
    uv = np.zeros((grid.size // 3, 2))
    return Part(grid.reshape(-1, 3), normals.reshape(-1, 3), uv, grid_triangles(*grid.shape[:2]))
