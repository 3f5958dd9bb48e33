"""A template's cloth, ear loops and head straps as surfaces on the mean head.

The cloth is a grid of points on rays from the skull's centre. Its edges run through named places of the head. Between
the edges it is a membrane that cannot pass through the skin. The template's form then lifts it (a cup, a ridge, a
drape).

Convention: head coordinates (see `head`); texture coordinates u (across) and v (down) in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.cache.kept_files import kept_arrays
from maskgen.core.records import Doubles
from maskgen.masks.pose.head import CENTRE, Triangles, grid_normals, grid_triangles, skin_along
from maskgen.masks.pose.splines import curve_through
from maskgen.masks.template import Strap, Template, build_of_template

ROWS, COLUMNS = 21, 33  # points of the cloth's grid, down and across
RELAX = 400  # iterations of the membrane
PIECES = 14  # rows of points along a strap
BREADTH = 3  # points per row, across the strap
SOFT = (2.0, 0.8)  # standard deviation, in rows and columns, of the blur of the normals that light falls on


@dataclass(frozen=True, slots=True)
class Mesh:
    """A textured surface: `points`, `normals` (n, 3), `uv` (n, 2), `triangles` int32 (m, 3)."""

    points: Doubles
    normals: Doubles
    uv: Doubles
    triangles: Triangles


def _edge(half: Doubles) -> Doubles:
    """A whole edge, (COLUMNS, 3): a smooth curve through the points of the right half and their mirror images."""
    whole = np.concatenate([half[:0:-1] * [-1, 1, 1], half])
    step = np.linalg.norm(np.diff(whole, axis=0), axis=1) ** 0.5  # centripetal: no loops between uneven points
    along = np.concatenate([[0], np.cumsum(step)])
    fine = curve_through(along, whole, np.linspace(0, along[-1], 400))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    at = np.linspace(0, length[-1], COLUMNS)
    return np.stack([np.interp(at, length, fine[:, k]) for k in range(3)], 1)


def _stretched(top: Doubles, bottom: Doubles, clearance: float, taut: float, ruled: bool) -> Doubles:
    """The membrane (ROWS, COLUMNS, 3) between two edges, above the skin by `clearance`; taut 0 follows the skin,
    1 is stretched straight.

    If `ruled` it is a ruled surface: straight lines from edge to edge, raised where the skin would cut them.
    """
    v = np.linspace(0, 1, ROWS)[:, None, None]
    flat = (1 - v) * top + v * bottom - CENTRE
    rays = flat / np.linalg.norm(flat, axis=-1, keepdims=True)
    skin = np.linalg.norm(skin_along(rays.reshape(-1, 3)) - CENTRE, axis=1).reshape(ROWS, COLUMNS) + clearance
    span = np.maximum(np.linalg.norm(flat, axis=-1), skin)
    if ruled:
        return np.asarray(rays * span[..., None])
    rim = np.ones((ROWS, COLUMNS), bool)
    rim[1:-1, 1:-1] = False
    fixed = span.copy()
    for _ in range(RELAX):
        points = rays * span[..., None]
        mean = cv2.blur(points, (3, 3), borderType=cv2.BORDER_REPLICATE)
        span = np.where(rim, fixed, np.maximum((mean * rays).sum(-1), skin))
    hug = cv2.GaussianBlur(np.maximum(skin, np.where(rim, fixed, 0)), (0, 0), 1.0)
    span = np.where(rim, fixed, taut * span + (1 - taut) * np.maximum(hug, skin))
    return np.asarray(rays * span[..., None])


def _lifted(points: Doubles, lift: Doubles) -> Doubles:
    """The points moved outward along their rays; `lift` holds the distances of the right half, to be interpolated."""
    table = np.concatenate([lift[:, :0:-1], lift], 1)
    rows, columns = table.shape
    down = curve_through(np.linspace(0, 1, rows), table, np.linspace(0, 1, ROWS))
    across = curve_through(np.linspace(0, 1, columns), down.T, np.linspace(0, 1, COLUMNS)).T
    rays = points / np.linalg.norm(points, axis=-1, keepdims=True)
    return np.asarray(points + rays * across[..., None])


def _cloth_coordinates(points: Doubles) -> Doubles:
    """Texture coordinates (R, C, 2) proportional to length along the cloth, so that a bulge stretches no texture."""

    def along(axis: int) -> Doubles:
        step = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
        total = np.cumsum(np.insert(step, 0, 0.0, axis=axis), axis=axis)
        return np.asarray(total / np.take(total, [-1], axis=axis))

    return np.stack([along(1), along(0)], -1)


def _soft(normals: Doubles) -> Doubles:
    """Unit normals (ROWS, COLUMNS, 3) with less of the hollow below the nose, where light is also scattered."""
    mean = cv2.GaussianBlur(normals, (0, 0), sigmaX=SOFT[1], sigmaY=SOFT[0], borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mean / np.linalg.norm(mean, axis=-1, keepdims=True))


@cache
def cloth_mesh(template: Template) -> Mesh:
    """The template's cloth on the mean head; of a built-in template from the cache folder if it was made before."""
    return Mesh(**kept_arrays("cloth", build_of_template(template), lambda: _cloth_arrays(template)))


def _cloth_arrays(template: Template) -> dict[str, NDArray[Any]]:
    """The arrays of `cloth_mesh`."""
    top, bottom = _edge(template.top), _edge(template.bottom)
    taut = _stretched(top, bottom, template.clearance, template.taut, template.ruled)
    grid = CENTRE + _lifted(taut, template.lift)
    uv = _cloth_coordinates(grid)
    return {
        "points": grid.reshape(-1, 3),
        "normals": _soft(grid_normals(grid)).reshape(-1, 3),
        "uv": uv.reshape(-1, 2),
        "triangles": grid_triangles(ROWS, COLUMNS),
    }


@cache
def cloth_size(template: Template) -> tuple[float, float]:
    """Mean width and height of the cloth along itself, in eye distances."""
    grid = cloth_mesh(template).points.reshape(ROWS, COLUMNS, 3)
    across, down = (np.linalg.norm(np.diff(grid, axis=axis), axis=2).sum(axis).mean() for axis in (1, 0))
    return float(across), float(down)


def kept_lines(count: int, small: bool) -> NDArray[np.intp]:
    """The indices of the cloth's rows or columns that are rendered: all, or on small faces three of eight, among them
    the first, the middle and the last one."""
    if not small:
        return np.arange(count)
    return np.rint(np.linspace(0, count - 1, 2 * round(count * 3 / 16) + 1)).astype(np.intp)


def thin_cloth(sheet: Mesh, small: bool) -> Mesh:
    """The cloth with only the rows and columns of `kept_lines`."""
    keep = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)[np.ix_(kept_lines(ROWS, small), kept_lines(COLUMNS, small))]
    at = keep.ravel()
    return Mesh(sheet.points[at], sheet.normals[at], sheet.uv[at], grid_triangles(*keep.shape))


def narrow_strap(strap: Mesh, small: bool) -> Mesh:
    """The strap as it is rendered: on small faces without its middle line of points."""
    keep = np.arange(len(strap.points)).reshape(-1, BREADTH)[:, :: 2 if small else 1]
    at = keep.ravel()
    return Mesh(strap.points[at], strap.normals[at], strap.uv[at], grid_triangles(*keep.shape))


def _curve(points: Doubles, n: int) -> Doubles:
    """n points on a smooth curve through the given ones."""
    step = np.linalg.norm(np.diff(points, axis=0), axis=1) ** 0.5
    along = np.concatenate([[0], np.cumsum(step)])
    return curve_through(along, points, np.linspace(0, along[-1], n))


def grid_place(u: float, v: float) -> tuple[int, int]:
    """The row and column of the cloth's grid point nearest to u, 0 (middle) to 1 (right edge), and v, 0..1."""
    return round(v * (ROWS - 1)), round((u + 1) / 2 * (COLUMNS - 1))


def _on_sheet(sheet: Mesh, u: float, v: float) -> Doubles:
    row, column = grid_place(u, v)
    return np.asarray(sheet.points[row * COLUMNS + column])


def strap_mesh(strap: Strap, sheet: Mesh, pieces: int = PIECES) -> Mesh:
    """A strap of the right side as a strip three points wide that lies above the skin.

    Texture coordinates: u across and v along it, 0..1.
    """
    path = strap.path if strap.from_cloth is None else np.vstack([_on_sheet(sheet, *strap.from_cloth), strap.path])
    line = _curve(path, pieces)
    rays = line - CENTRE
    reach = np.linalg.norm(rays, axis=1, keepdims=True)
    outward = rays / reach
    skin = np.linalg.norm(skin_along(rays) - CENTRE, axis=1, keepdims=True) + strap.height_above_skin
    line = CENTRE + outward * np.maximum(reach, skin)
    across = np.cross(np.gradient(line, axis=0), outward)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    half = strap.width / 2
    grid = np.stack([line - half * across, line + 0.3 * half * outward, line + half * across], 1)
    normals = np.stack([outward - 0.8 * across, outward, outward + 0.8 * across], 1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    v, u = np.meshgrid(np.linspace(0, 1, pieces), [0.0, 0.5, 1.0], indexing="ij")
    uv = np.stack([u, v], -1).reshape(-1, 2)
    return Mesh(grid.reshape(-1, 3), normals.reshape(-1, 3), uv, grid_triangles(pieces, BREADTH))


def mirrored_mesh(mesh: Mesh) -> Mesh:
    """The same surface on the other side of the head."""
    return Mesh(mesh.points * [-1, 1, 1], mesh.normals * [-1, 1, 1], mesh.uv, mesh.triangles)
