"""The geometry of a mask on the head: cloth, straps and bare head, packed so that a face needs few matrix products."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache, partial
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.kernels.arena import fields as kernel_fields
from maskgen.core.records import Doubles, Floats
from maskgen.masks.cloth_and_straps import (
    COLUMNS,
    PIECES,
    ROWS,
    Mesh,
    cloth_mesh,
    grid_place,
    kept_lines,
    mirrored_mesh,
    narrow_strap,
    strap_mesh,
    thin_cloth,
)
from maskgen.masks.deformations import (
    EAR_LOOPS,
    PLIANT,
    Deformations,
    crease_deformations,
    ear_loop_sag,
    outline_deformations,
    print_skew,
)
from maskgen.masks.ear_and_head_occlusion import (
    HeadDepth,
    HeadView,
    KeptViews,
    head_view,
    hiding_triangles,
    nearer_to_hide,
    render_head_view,
)
from maskgen.masks.pose.camera import Cameras
from maskgen.masks.pose.head import CENTRE, Triangles, bare_head, ear, mean68, skin_normals_along
from maskgen.masks.pose.shape_warp import ShapeWarp
from maskgen.masks.template import Template

UNDER = 2  # rows and columns from the cloth's edge, beyond which the skin under the cloth can hide nothing
SHRINK = 0.97  # scale of the occluding head, so that cloth on the skin is never behind it
# See `MaskMesh.back`. A mask that is worn low or is too small, or whose corners are moved, draws its straps over skin
# that is nearer, which must not cut them into pieces. Where the cheek hides straps, `opacity` is 0.
UNDER_CLOTH, UNDER_STRAPS = 0.15, 0.45
# Distances from a strap, in eye distances, up to which the latter holds and from which the former does.
BESIDE_STRAPS = 0.3, 0.7
LIDS = slice(36, 48)  # the eyelids among the 68 landmarks
BESIDE = np.linspace(-0.2, 0.2, 5)  # places beside a landmark of the eyelids, in eye distances
EARS = 2 * len(ear(1.0).triangles)  # number of the ears' triangles, the last ones of the head
AMPLE = 1.12  # scale of the outline that contains the head, whatever its shape
NEAR = 0.26  # standard deviation, in eye distances, of the weights of the skin's light at a point of cloth
# Cosine of a ray to the line of sight below which a head strap, or an ear loop, fades out.
GOING, EDGE_ON = 0.28, 0.10
VIEWS = 128  # views of the bare head in the cache, some 70 kB each


# The structure `Point` of `kernels/points.c`: coordinates in the kind's atlas, 0..1; how far each of the plan's
# `print_skew` shifts the second one; of a strap's point the ray, the cosine of the ray to the line of sight below which
# it fades out, the unit normal of the skin under it, and 1 if its strap goes round the head over the hair.
CARRIED = kernel_fields("u:f v:f skew:4f ray:3f fade_from:f under:3f over_hair:f")


@dataclass(frozen=True, slots=True)
class HeadTriangles:
    """Some triangles of the bare head.

    Attributes:
        corners: int32 (n,), the numbers of the head's points that are corners of any.
        triangles: the numbers of their corners among these.
    """

    corners: NDArray[np.int32]
    triangles: Triangles


@dataclass(frozen=True, slots=True)
class MaskMesh:
    """Cloth and straps of both sides as one mesh.

    Attributes:
        warp: the points (n, 3) in head coordinates, ready to be projected onto any face.
        rays: unit (n, 3), directions from the skull's middle.
        outward: unit (n, 3), by which a point is on this side of the head: its ray; of a band under the chin, which
            would stand up beside a turned face, the normal of the skin under it.
        carried: (n,) of CARRIED, what the kernel `carry` knows of each point.
        columns: the first `columns` points are the cloth's top edge.
        below_lids: (k, columns), interpolates the top edge at its places below the eyelids.
        may_hide: (m,), for each triangle of the bare head whether it can hide a part of the mask in some view; those
            under the cloth cannot.
        back: (points of the bare head,), how far each is moved away from the viewer, in eye distances, where the
            head hides the mask: one that is worn low or is too small lies on the skin all the same. Ears stay where
            they are.
        nearer: float32 (triangles of the bare head,), `nearer_to_hide` of the farthest moved corner of each.
        deformations: points, normals and what a plan may add to them.
        straps_from: number of the first point of the straps; those before it are the cloth's.
        strap_widths: (straps,) in eye distances.
        follows: (n,), the share of the mask's own shift, size and tilt that each point follows: 1 on the cloth, less
            along the straps, 0 where they end, at the ear or behind the head.
        has_head_straps: whether any of its straps goes round the head.
        light_weights: float32 (2n, k), weights of the skin's points at which light is estimated, first for all points,
            then for their mirror images.
        views: which triangles of the bare head hide it, for each view so far.
    """

    warp: ShapeWarp
    rays: Doubles
    outward: Doubles
    carried: NDArray[np.void]
    triangles: Triangles
    columns: int
    below_lids: Doubles
    may_hide: NDArray[np.bool_]
    back: Doubles
    nearer: Floats
    deformations: Deformations
    straps_from: int
    strap_widths: Doubles
    follows: Doubles
    has_head_straps: bool
    light_weights: Floats
    views: KeptViews = field(default_factory=partial(KeptViews, None), repr=False, compare=False)
    _hiding: dict[HeadView, HeadTriangles] = field(default_factory=dict, repr=False, compare=False)

    @property
    def fades(self) -> bool:
        """Whether parts of it have an opacity: its straps."""
        return len(self.strap_widths) > 0

    @property
    def strap_shape(self) -> tuple[int, int, int]:
        """The number of straps, of the pieces of each, and of the points across a piece, 0 without straps."""
        straps = len(self.strap_widths)
        return straps, PIECES, (len(self.follows) - self.straps_from) // (straps * PIECES) if straps else 0

    def hidden_by(self, line_of_sight: Doubles) -> HeadTriangles:
        """The part of head and ears that can hide a part of the mask from the viewer's direction, (3,) in head
        coordinates."""
        view = head_view(line_of_sight)
        if view not in self._hiding:
            self._hiding[view] = self._before(view)
        return self._hiding[view]

    def _before(self, view: HeadView) -> HeadTriangles:
        bare = bare_head_model()
        triangles = bare.triangles[self.views.hides(view, len(bare.triangles), lambda: self._hides(view))]
        # `np.unique` would sort.
        used = np.zeros(len(bare.warp.points), bool)
        used[triangles] = True
        own = np.cumsum(used, dtype=np.int32) - np.int32(1)
        return HeadTriangles(np.flatnonzero(used).astype(np.int32), own[triangles])

    def _hides(self, view: HeadView) -> NDArray[np.bool_]:
        """For each triangle of the bare head whether it, or one beside it, hides a part of the mask in a view."""
        bare = bare_head_model()
        before = hiding_triangles(_sight(view), self.warp.points, self.rays, self.triangles, self.nearer)
        touched = np.zeros(len(bare.warp.points), bool)
        touched[bare.triangles[before[self.may_hide[before]]]] = True
        first, second, third = bare.triangles.T  # NumPy reduces rows of three slowly
        return np.asarray(self.may_hide & (touched[first] | touched[second] | touched[third]))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it but views, for `of_arrays`."""
        return {name: np.asarray(getattr(self, name)) for name in _PLAIN} | {
            "points": self.warp.points,
            "basis": self.warp.basis,
            "carried": self.carried.view(np.float32).reshape(len(self.carried), -1),
            "deformed_points": self.deformations.points,
            "deformed_normals": self.deformations.normals,
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], views: KeptViews) -> MaskMesh:
        """The mesh whose `arrays` these are."""
        plain: dict[str, Any] = {name: arrays[name] if arrays[name].ndim else arrays[name].item() for name in _PLAIN}
        return cls(
            warp=ShapeWarp(arrays["points"], arrays["basis"]),
            carried=arrays["carried"].view(CARRIED)[:, 0],
            deformations=Deformations(arrays["deformed_points"], arrays["deformed_normals"]),
            views=views,
            **plain,
        )


_PARTS = "warp", "carried", "deformations", "views", "_hiding"
# The attributes of MaskMesh that are arrays of numbers or single numbers.
_PLAIN = tuple(one.name for one in fields(MaskMesh) if one.name not in _PARTS)


@dataclass(frozen=True, slots=True)
class BareHead:
    """The bare head: it hides parts of masks, and the light is estimated on its skin.

    Attributes:
        lit: the points of the skin at which light is estimated.
        facing: (n, 3), their unit normals.
        outermost: corners of the convex hull, moved out so far that no skin lies outside.
    """

    warp: ShapeWarp
    triangles: Triangles
    lit: ShapeWarp
    facing: Doubles
    outermost: ShapeWarp

    def outlines(self, cameras: Cameras, shifts: Doubles) -> list[Floats]:
        """For each face the convex polygon, float32 (n, 2), in its picture that contains the head."""
        placed = self.outermost.project_faces(cameras, shifts).astype(np.float32)
        return [np.asarray(cv2.convexHull(points)[:, 0]) for points in placed]


@cache
def bare_head_model() -> BareHead:
    """The mean head, slightly shrunk, and the skin where light is estimated: cheeks, nose, chin and brow, not eyes or
    hair."""
    surface = bare_head()
    x, y, z = surface.points.T
    face = (np.abs(x) < 0.85) & (y > -1.25) & (y < 1.1) & (z > -0.5)
    eyes = (np.abs(np.abs(x) - 0.5) < 0.34) & (np.abs(y + 0.68) < 0.3)
    lips = (np.abs(x) < 0.45) & (np.abs(y - 0.5) < 0.17)
    points = CENTRE + (surface.points - CENTRE) * SHRINK
    lit = np.flatnonzero(face & ~eyes & ~lips)
    every = ShapeWarp.prepare(points)
    outermost = ShapeWarp.prepare((CENTRE + (points - CENTRE) * AMPLE)[hull_corners()[::3]])
    return BareHead(every, surface.triangles, every.of(lit), surface.normals[lit], outermost)


def hull_corners() -> NDArray[np.intp]:
    """The indices of the bare head's points that are corners of its convex hull; a test computes them again."""
    text = resources.files("maskgen.mask_templates").joinpath("head/hull.json").read_text("utf-8")
    return np.array(json.loads(text), np.intp)


@lru_cache(VIEWS)
def _sight(view: HeadView) -> HeadDepth:
    """The bare head rendered from a view, for all masks."""
    return render_head_view(view, bare_head_model().warp.points, bare_head_model().triangles)


def _into_atlas(mesh: Mesh, first: float, rows: float, total: float) -> Doubles:
    """Texture coordinates moved to a band of the atlas, half a texel inside it."""
    inside = 0.02 + 0.96 * mesh.uv[:, 1] if rows == total else 0.25 + 0.5 * mesh.uv[:, 1]
    return np.stack([mesh.uv[:, 0], (first + inside * rows) / total], 1)


def build_mask_mesh(template: Template, strap_rows: int, small: bool = False, band: bool = False) -> MaskMesh:
    """Cloth and straps of a template on the mean head, with fewer points for small faces; `band` for one that lies
    under the chin."""
    fine = cloth_mesh(template)
    sheet = thin_cloth(fine, small)
    tall = template.looks[0].size[0]
    total = tall + strap_rows * len(template.straps)
    parts, places = [sheet], [np.stack([sheet.uv[:, 0], sheet.uv[:, 1] * (tall - 1) / total], 1)]
    for number, strap in enumerate(template.straps):
        right = narrow_strap(strap_mesh(strap, fine), small)
        at = _into_atlas(right, tall + number * strap_rows, strap_rows, total)
        parts += [right, mirrored_mesh(right)]
        places += [at, at]
    starts = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    triangles = np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=True)])
    columns = len(kept_lines(COLUMNS, small))
    points = np.concatenate([part.points for part in parts])
    rays, back = _unit(points - CENTRE), _moved_back(parts[1:])
    outward = np.concatenate([skin_normals_along(sheet.points - CENTRE), rays[len(sheet.points) :]]) if band else rays
    return MaskMesh(
        warp=ShapeWarp.prepare(points),
        rays=rays,
        outward=outward,
        carried=_carried(parts, np.concatenate(places), rays),
        triangles=triangles.astype(np.int32),
        columns=columns,
        below_lids=_below_lids(sheet.points[:columns, 0]),
        may_hide=_may_hide(fine.points.reshape(ROWS, COLUMNS, 3)),
        back=back,
        nearer=nearer_to_hide(back[bare_head_model().triangles].max(1)),
        deformations=_deformations(template, fine, small, parts),
        straps_from=len(sheet.points),
        strap_widths=np.repeat([strap.width for strap in template.straps], 2),
        has_head_straps=any(map(_meets_itself, parts[1:])),
        follows=np.concatenate([np.ones(len(sheet.points)), *(_toward_end(len(part.points)) for part in parts[1:])]),
        light_weights=_light_weights(points),
    )


def _carried(parts: list[Mesh], uv: Doubles, rays: Doubles) -> NDArray[np.void]:
    """`MaskMesh.carried` of cloth and straps, whose coordinates in the atlas are (n, 2)."""
    cloth, straps = parts[0], parts[1:]
    carried = np.zeros(len(uv), CARRIED)
    carried["u"], carried["v"] = uv.T
    carried["skew"][: len(cloth.points)] = print_skew(cloth.uv).T
    of_straps = carried[len(cloth.points) :]
    round_head = _of_straps(straps, _meets_itself)
    of_straps["ray"], of_straps["under"] = rays[len(cloth.points) :], _normals_under(straps)
    of_straps["fade_from"] = np.where(round_head, GOING, EDGE_ON)
    of_straps["over_hair"] = round_head & _of_straps(straps, _ends_high)
    return carried


def _of_straps(straps: list[Mesh], is_so: Callable[[Mesh], bool]) -> NDArray[np.bool_]:
    """For each point of the straps what is so of its strap."""
    return np.repeat([is_so(strap) for strap in straps], [len(strap.points) for strap in straps]).astype(np.bool_)


def _ends_high(strap: Mesh) -> bool:
    """Whether a strap ends above the skull's middle, as one over the hair does, and one round the neck does not."""
    return bool(strap.points[-1, 1] < CENTRE[1])


def _normals_under(straps: list[Mesh]) -> Doubles:
    """The normals of the skin under the straps' points, (r, 3)."""
    points = np.concatenate([strap.points for strap in straps]) if straps else np.zeros((0, 3))
    return skin_normals_along(points - CENTRE)


def _toward_end(count: int) -> Doubles:
    """From 1 at a strap's first row of points to 0 at the last one, for its `count` points."""
    return np.repeat(np.linspace(1, 0, PIECES), count // PIECES)


def _meets_itself(strap: Mesh) -> bool:
    """Whether a strap ends in the head's plane of symmetry, as a head strap does."""
    return abs(float(strap.points[-1, 0])) < 0.05


def _light_weights(points: Doubles) -> Floats:
    """The weights of the skin's points for points (n, 3) and their mirror images, (2n, k)."""
    both = np.concatenate([points, points * [-1, 1, 1]])
    away = ((both[:, None] - bare_head_model().lit.points[None]) ** 2).sum(2)
    return np.exp(-away / (2 * NEAR**2)).astype(np.float32)


def _below_lids(top: Doubles) -> Doubles:
    """The weights (places * lids, columns) that interpolate an edge below the landmarks of the eyelids and BESIDE them;
    `top` (columns,) are the x of the edge's points in head coordinates.

    The part of the edge below a lid is found on the head, not in the picture, so that it does not change when the head
    turns.
    """
    lids = np.add.outer(BESIDE, mean68()[LIDS, 0]).ravel()
    return np.stack([np.interp(lids, top, one) for one in np.eye(len(top))], axis=1)


def _deformations(template: Template, fine: Mesh, small: bool, parts: list[Mesh]) -> Deformations:
    """All points and their deformations, in the order of `build_mask_mesh`: cloth, then each strap's right and left
    side."""
    moves, turns = _cloth_deformations(template, fine)
    rows, columns = kept_lines(ROWS, small), kept_lines(COLUMNS, small)
    first_loop, cloth_points = 1 + len(moves), len(parts[0].points)
    points = np.zeros((first_loop + EAR_LOOPS, sum(len(part.points) for part in parts), 3))
    normals = np.zeros_like(points)
    points[0], normals[0] = (np.concatenate(own) for own in zip(*((p.points, p.normals) for p in parts), strict=True))
    for out, offsets in ((points, moves), (normals, turns)):
        out[1:first_loop, :cloth_points] = offsets[:, rows[:, None], columns].reshape(len(offsets), -1, 3)
    each = len(parts[-1].points)
    for number, strap in enumerate(template.straps):
        for side in range(EAR_LOOPS):
            own = slice(cloth_points + (2 * number + side) * each, cloth_points + (2 * number + side + 1) * each)
            points[first_loop + side, own] = strap.slack * ear_loop_sag(each, PIECES)
            if strap.from_cloth is not None:
                points[1:first_loop, own] = _follow_root(moves, strap.from_cloth, side, each)
    return Deformations(points.astype(np.float32), normals.astype(np.float32))


def _cloth_deformations(template: Template, fine: Mesh) -> tuple[Doubles, Doubles]:
    """The offsets of the cloth's points and normals, (CREASES + len(OUTLINE), ROWS, COLUMNS, 3) each."""
    grid, uv = fine.points.reshape(ROWS, COLUMNS, 3), fine.uv.reshape(ROWS, COLUMNS, 2)
    pliant = min(template.crease / PLIANT, 1.0) if template.role == "mask" else 0.0
    free = any(strap.from_cloth is not None for strap in template.straps)
    creases, turns = crease_deformations(grid, uv, template.crease)
    outline, turns_of_outline = outline_deformations(grid, uv, pliant, free)
    return np.concatenate([creases, outline]), np.concatenate([turns, turns_of_outline])


def _follow_root(moves: Doubles, root: tuple[float, float], side: int, count: int) -> Doubles:
    """The offsets (k, count, 3) of a strap that begins on the cloth, moved as its root is by the offsets `moves`
    (k, ROWS, COLUMNS, 3) of the cloth and less toward its end; `side` 0 is the right one, 1 the left."""
    row, column = grid_place(*root)
    at = moves[:, row, column if side == 0 else COLUMNS - 1 - column]
    share = np.repeat((1 - np.linspace(0, 1, PIECES)) ** 2, count // PIECES)
    return np.asarray(at[:, None] * share[:, None])


def _unit(vectors: Doubles) -> Doubles:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _may_hide(grid: Doubles) -> NDArray[np.bool_]:
    """For each triangle of the bare head whether any of its corners is not well under the cloth (rows, columns, 3)."""
    inner = grid[UNDER:-UNDER, UNDER:-UNDER]
    rim = np.concatenate([inner[0], inner[1:, -1], inner[-1, -2::-1], inner[-2:0:-1, 0]])
    outline = _azimuthal(rim).astype(np.float32)
    corners = _azimuthal(bare_head_model().warp.points).astype(np.float32)
    under = np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), False) > 0 for x, y in corners])
    hides = np.asarray(~under[bare_head_model().triangles].all(1))
    hides[-EARS:] = True  # an ear is in front of cloth that goes round it
    return hides


def _moved_back(straps: list[Mesh]) -> Doubles:
    """`MaskMesh.back` of a mask with these straps."""
    head = bare_head_model()
    back = np.full(len(head.warp.points), UNDER_CLOTH)
    if straps:
        worn = np.concatenate([strap.points for strap in straps])
        away = np.linalg.norm(head.warp.points[:, None] - worn[None], axis=2).min(1)
        back = np.interp(away, BESIDE_STRAPS, (UNDER_STRAPS, UNDER_CLOTH))
    back[head.triangles[-EARS:]] = 0.0
    return back


def _azimuthal(points: Doubles) -> Doubles:
    """Directions from the skull's middle as places on a map, (n, 2): the distance from its origin is the angle from
    straight ahead (azimuthal equidistant projection)."""
    rays = points - CENTRE
    away = np.arccos(np.clip(rays[:, 2] / np.linalg.norm(rays, axis=1), -1, 1))
    return np.asarray(rays[:, :2] / np.maximum(np.linalg.norm(rays[:, :2], axis=1), 1e-9)[:, None] * away[:, None])
