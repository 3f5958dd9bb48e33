"""Where the points of a mask's mesh lie in the picture."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.core.kernels.arena import FLOAT, Arena, JobType, arena_of_thread
from maskgen.core.records import Doubles
from maskgen.masks.cloth_and_straps import PIECES
from maskgen.masks.ear_and_head_occlusion import AWAY
from maskgen.masks.mask_mesh import HeadTriangles, MaskMesh, bare_head_model
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import Triangles, place

LID_ROOM = 0.05  # clearance between eyelids and mask, in eye distances
MOUTH_DOWN, MOUTH_OUT = 0.4, 0.3  # y and z of the mouth in head coordinates
# Of the landmarks' expected error, `MaskPlan.unsure`: the shares by which a mask reaches farther below the chin, stays
# farther from the eyelids, and is larger; an error above MOST_UNSURE counts as that.
REACH, LID_REACH, WIDER, MOST_UNSURE = 0.5, 0.3, 0.3, 0.2
COVERS_CHIN = ("proper", "nose_out")  # wearing positions in which a mask covers the chin
ACROSS = 24  # bytes of an `Across` of `kernels/place.c`


class Placement(NamedTuple):
    """A mask's mesh and the face that it is placed on.

    Attributes:
        shift: coefficients of the shape warp, see `pose.shape_warp`.
        eyes: (12, 2), the landmarks of the eyelids.
        is_mask: whether it covers the chin and stays below the eyelids; glasses and shields do not.
        hides: the head's triangles that may hide it.
        size: rows and columns of the picture.
    """

    mesh: MaskMesh
    plan: MaskPlan
    camera: Camera
    shift: Doubles
    eyes: Doubles
    is_mask: bool
    hides: HeadTriangles
    size: tuple[int, ...]


class PlacedPoints(NamedTuple):
    """Where a mask's mesh lies in a picture.

    Attributes:
        xyz: its points, (n, 3), pixels and depth.
        seen: its triangles on this side of the head.
        box: whole pixels at or before the least x and y of their corners, and the greatest.
        head: the points of the head's triangles that may hide it, (m, 3).
        pixels: (straps' points,), the number of the picture's pixel nearest to each, row by row.
    """

    xyz: Doubles
    seen: Triangles
    box: tuple[int, ...]
    head: Doubles
    pixels: NDArray[np.int64]


def placed_points(of: Placement) -> PlacedPoints:
    """The mesh in the picture, by the kernel `place`: with this mask's creases, its slack ear loops and thick straps;
    shifted, scaled and tilted about the mouth as the plan says."""
    mesh, arena = of.mesh, arena_of_thread()
    arena.begin()
    (points_at, points), (head_at, head) = (
        arena.room((len(each), 3), np.float64) for each in (mesh.follows, of.hides.corners)
    )
    seen_at, seen = arena.room(mesh.triangles.shape, np.int32)
    pixels_at, pixels = arena.room((len(mesh.follows) - mesh.straps_from,), np.int64)
    found_at, found = arena.room((5,), np.int32)
    results = points_at, head_at, seen_at, pixels_at, found_at
    arena.call("place", arena.job(_JOB, *_job(arena, of, results)))
    many, *box = found.tolist()
    return PlacedPoints(points.copy(), seen[:many].copy(), tuple(box), head.copy(), pixels.copy())


# The structure `Placing` of `kernels/place.c`, in its order; with doubles in it, its size is a multiple of 8 bytes.
_JOB = JobType(
    "scale:d rotation:9d shift:2d wide:d turn:2d moved:2d mouth:2d reach:d gap:d away:d",
    "count straps_from straps pieces breadth points modes keys weights offsets deformed warp basis follows widths",
    "across below_lids eyes lids columns landmarks triangles corners outward seen",
    "head_count head of_head head_points head_basis back picture_columns picture_rows pixels found unused",
)


def _job(arena: Arena, of: Placement, results: tuple[int, ...]) -> tuple[float, ...]:
    """The numbers of the job of `placed_points`, whose results have these addresses."""
    mesh, plan, camera, shift, eyes, is_mask, hides, size = of
    points_at, head_at, seen_at, pixels_at, found_at = results
    weights, bare, count = plan.deformation_weights.astype(np.float32), bare_head_model().warp, len(mesh.follows)
    return (
        *(camera.scale, *camera.rotation.ravel().tolist(), *camera.shift.tolist(), plan.strap_width),
        *(*_moves(plan, camera, is_mask), AWAY, count, mesh.straps_from, *mesh.strap_shape),
        *(points_at, len(weights), len(shift), arena.put(weights), arena.kept(mesh.deformations.points)),
        *(arena.space(3 * count * FLOAT), arena.put(shift), arena.kept(mesh.warp.basis)),
        *_mesh_fields(arena, mesh, eyes, is_mask),
        *(seen_at, len(hides.corners), head_at, arena.kept(hides.corners), arena.kept(bare.points)),
        *(arena.kept(bare.basis), arena.kept(mesh.back), size[1], size[0], pixels_at, found_at, 0),
    )


def _mesh_fields(arena: Arena, mesh: MaskMesh, eyes: Doubles, is_mask: bool) -> tuple[int, ...]:
    """The mesh's own: from `follows` to `outward` of the job."""
    return (
        *(arena.kept(mesh.follows), arena.kept(mesh.strap_widths), arena.space(PIECES * ACROSS)),
        *(arena.kept(mesh.below_lids), arena.put(eyes)),
        *(len(mesh.below_lids) if is_mask else 0, mesh.columns, len(eyes)),
        *(len(mesh.triangles), arena.kept(mesh.triangles), arena.kept(mesh.outward)),
    )


def _moves(plan: MaskPlan, camera: Camera, is_mask: bool) -> tuple[float, ...]:
    """How the plan moves a mask, larger where landmarks are uncertain: from `turn` to `gap` of the job."""
    # Single numbers: for so few NumPy takes several times as long.
    doubt = min(plan.unsure, MOST_UNSURE)
    (_, down_x, out_x), (_, down_y, out_y), _ = camera.rotation.tolist()
    shift_x, shift_y = camera.shift.tolist()
    mouth_x = camera.scale * (down_x * MOUTH_DOWN + out_x * MOUTH_OUT) + shift_x
    mouth_y = camera.scale * (down_y * MOUTH_DOWN + out_y * MOUTH_OUT) + shift_y
    up_x, up_y = -camera.scale * plan.up * down_x, -camera.scale * plan.up * down_y
    tilt, size = math.radians(plan.tilt), plan.size * (1 + WIDER * doubt)
    c, s = math.cos(tilt) * size, math.sin(tilt) * size
    moved = mouth_x + up_x - (c * mouth_x - s * mouth_y), mouth_y + up_y - (s * mouth_x + c * mouth_y)
    covers_chin = is_mask and plan.wearing in COVERS_CHIN
    reach = REACH * doubt / (place("chin")[1] - MOUTH_DOWN) if doubt and covers_chin else 0.0
    return c - 1, s, *moved, mouth_x, mouth_y, reach, (LID_ROOM + LID_REACH * doubt) * camera.scale
