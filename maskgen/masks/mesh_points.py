"""Where the points of a mask's mesh lie in the picture."""

from __future__ import annotations

import math

import numpy as np

from maskgen.core.kernels.arena import arena_of_thread, fields
from maskgen.core.records import Doubles
from maskgen.masks.cloth_and_straps import PIECES
from maskgen.masks.deformations import weighted_sum
from maskgen.masks.mask_mesh import MaskMesh
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import place

LID_ROOM = 0.05  # clearance between eyelids and mask, in eye distances
MOUTH = np.array([0.0, 0.4, 0.3])
# Of the landmarks' expected error, `MaskPlan.unsure`: the shares by which a mask reaches farther below the chin, stays
# farther from the eyelids, and is larger; an error above MOST_UNSURE counts as that.
REACH, LID_REACH, WIDER, MOST_UNSURE = 0.5, 0.3, 0.3, 0.2
COVERS_CHIN = ("proper", "nose_out")  # wearing positions in which a mask covers the chin
ACROSS = 24  # bytes of an `Across` of `kernels/place.c`


def placed_points(
    mesh: MaskMesh, plan: MaskPlan, camera: Camera, shift: Doubles, eyes: Doubles, is_mask: bool
) -> Doubles:
    """The mesh's points in the picture, (n, 3), pixels and depth, by the kernel `place`: with this mask's creases, its
    slack ear loops and thick straps; shifted, scaled and tilted about the mouth as the plan says.

    Args:
        shift: coefficients of the shape warp, see `pose.shape_warp`.
        eyes: (12, 2), the landmarks of the eyelids.
        is_mask: whether it covers the chin and stays below the eyelids; glasses and shields do not.
    """
    arena = arena_of_thread()
    arena.begin()
    points_at, points = arena.room(mesh.warp.points.shape, np.float64)
    points[...] = weighted_sum(plan.deformation_weights, mesh.deformations.points)
    doubt = min(plan.unsure, MOST_UNSURE)
    job_at, job = arena.room((1,), _JOB)
    job[0] = (
        *(camera.scale, camera.rotation.ravel(), camera.shift, plan.strap_width),
        *_moves(plan, camera, doubt),
        *(REACH * doubt / (place("chin")[1] - MOUTH[1]) if is_mask and plan.wearing in COVERS_CHIN else 0.0,),
        *((LID_ROOM + LID_REACH * doubt) * camera.scale, len(points), mesh.straps_from),
        *(*mesh.strap_shape, points_at),
        *map(arena.put, (mesh.warp.shifts(shift), mesh.follows, mesh.strap_widths)),
        *(arena.space(PIECES * ACROSS), arena.put(mesh.below_lids), arena.put(eyes)),
        *(len(mesh.below_lids) if is_mask else 0, mesh.columns, len(eyes), 0),
    )
    arena.call("place", job_at)
    return points.copy()


# The structure `Placing` of `kernels/place.c`, in its order; with doubles in it, its size is a multiple of 8 bytes.
_JOB = fields(
    "scale:d rotation:9d shift:2d wide:d turn:2d moved:2d mouth:2d reach:d gap:d",
    "count straps_from straps pieces breadth points warp follows widths across below_lids eyes lids columns landmarks",
    "unused",
)


def _moves(plan: MaskPlan, camera: Camera, doubt: float) -> tuple[tuple[float, float], ...]:
    """How the plan moves a mask, larger where landmarks are uncertain: see `turn`, `moved` and `mouth` of the job."""
    # Single numbers: for so few NumPy takes several times as long.
    mouth_x, mouth_y = (camera.scale * (camera.rotation[:2] @ MOUTH) + camera.shift).tolist()
    up_x, up_y = (-camera.scale * plan.up * down for down in camera.rotation[:2, 1].tolist())
    tilt, size = math.radians(plan.tilt), plan.size * (1 + WIDER * doubt)
    c, s = math.cos(tilt) * size, math.sin(tilt) * size
    moved = mouth_x + up_x - (c * mouth_x - s * mouth_y), mouth_y + up_y - (s * mouth_x + c * mouth_y)
    return (c - 1, s), moved, (mouth_x, mouth_y)
