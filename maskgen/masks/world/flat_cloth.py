"""A template's cloth flattened into a plane, so that prints keep their shapes.

Convention: flat coordinates x to the viewer's right and y down, in eye distances, from the middle of the cloth.
Source: least squares conformal maps, Lévy and others 2002: circles stay circles, and areas change only where a surface
is curved too much to be flattened.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from maskgen.core.cache.kept_files import kept_arrays
from maskgen.core.records import Doubles, Floats
from maskgen.masks.cloth_and_straps import COLUMNS, ROWS, cloth_mesh
from maskgen.masks.pose.head import Triangles
from maskgen.masks.template import Template, build_of_template

CELLS = 64  # rows and columns of the map from texture to flat coordinates
PAIR = ((ROWS // 2) * COLUMNS, (ROWS // 2 + 1) * COLUMNS - 1)  # the ends of the middle row


@cache
def flat_map(template: Template) -> Floats:
    """Flat coordinates of the cloth's texture, float32 (CELLS, CELLS, 2), at the centres of equal cells of u and v; of
    a built-in template from the cache folder if they were made before."""
    return kept_arrays("flat", build_of_template(template), lambda: {"places": _flat_map(template)})["places"]


def _flat_map(template: Template) -> Floats:
    """`flat_map`, made anew."""
    from scipy.interpolate import CloughTocher2DInterpolator  # imported only here: it takes half a second

    sheet = cloth_mesh(template)
    flat = flattened(sheet.points, sheet.triangles)
    middle = (np.arange(CELLS) + 0.5) / CELLS
    at = np.stack(np.meshgrid(middle, middle), -1)
    found = CloughTocher2DInterpolator(sheet.uv, flat)(at)
    return np.asarray(0.5 * (found + found[:, ::-1] * [-1, 1]), np.float32)


@cache
def flat_bounds(template: Template) -> Doubles:
    """The least and the greatest flat x and y, (2, 2)."""
    places = flat_map(template).reshape(-1, 2).astype(np.float64)
    edge = np.ptp(places, axis=0) / (CELLS - 1) / 2  # half a cell beyond the centres of the outermost cells
    return np.stack([places.min(0) - edge, places.max(0) + edge])


@cache
def flat_size(template: Template) -> tuple[float, float]:
    """Width and height of the flat cloth in eye distances."""
    width, height = np.ptp(flat_bounds(template), axis=0).tolist()
    return width, height


def flattened(points: Doubles, triangles: Triangles) -> Doubles:
    """Flat coordinates of a cloth's points (ROWS * COLUMNS, 3), with the cloth's own area and its middle at 0: (n, 2).

    Two points, the ends of the middle row, are fixed; all others minimise the distortion of the triangles' angles.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    local = _local(points[triangles])
    edges = np.stack([local[:, (k + 2) % 3] - local[:, (k + 1) % 3] for k in range(3)], 1)
    area = 0.5 * (edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
    weights = (edges[..., 0] + 1j * edges[..., 1]) / np.sqrt(2 * np.abs(area))[:, None]
    rows = np.repeat(np.arange(len(triangles)), 3)
    matrix = coo_array((weights.ravel(), (rows, triangles.ravel())), (len(triangles), len(points))).tocsc()
    held = np.array(PAIR)
    free = np.setdiff1d(np.arange(len(points)), held)
    ends = np.array([-0.5, 0.5]) * float(np.linalg.norm(points[PAIR[1]] - points[PAIR[0]]))
    system = matrix[:, free]
    solved = np.empty(len(points), complex)
    solved[held] = ends
    solved[free] = spsolve((system.conj().T @ system).tocsc(), -(system.conj().T @ (matrix[:, held] @ ends)))
    flat = np.stack([solved.real, solved.imag], 1)
    return _placed(flat, np.abs(area).sum(), triangles)


def _placed(flat: Doubles, area: float, triangles: Triangles) -> Doubles:
    """Flat points (n, 2), scaled to the area of the cloth, with its middle at 0 and its top edge above."""
    a, b, c = (flat[triangles[:, k]] for k in range(3))
    own = 0.5 * np.abs((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])).sum()
    flat = (flat - flat[(ROWS // 2) * COLUMNS + COLUMNS // 2]) * np.sqrt(area / own)
    upside_down = flat[:COLUMNS, 1].mean() > flat[-COLUMNS:, 1].mean()
    return np.asarray(flat * [1, -1] if upside_down else flat)


def _local(corners: Doubles) -> Doubles:
    """Triangles (m, 3, 3) in axes of their own plane, (m, 3, 2)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = np.linalg.norm(first, axis=1)
    along = (first * second).sum(1) / length
    out = np.zeros((len(corners), 3, 2))
    out[:, 1, 0] = length
    out[:, 2, 0] = along
    out[:, 2, 1] = np.sqrt(np.maximum((second * second).sum(1) - along**2, 1e-12))
    return out


def printed(
    picture: np.ndarray,
    flat: Floats,
    turn: Doubles,
    shift: Doubles,
    size: tuple[int, int],
    way: int,
) -> np.ndarray:
    """A picture resampled to the cloth's texture of `size` (columns, rows).

    Args:
        picture: uint8 (h, w, 3) or (h, w, 4).
        flat: `flat_map` of the template.
        turn, shift: (2, 2) and (2,), from flat coordinates to the picture's pixels, centres at integers.
        way: OpenCV's border mode, for places beyond the picture.
    """
    places = cv2.resize(cv2.transform(flat, np.column_stack([turn, shift])), size, interpolation=cv2.INTER_LINEAR)
    return cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=way, borderValue=(0, 0, 0, 0))
