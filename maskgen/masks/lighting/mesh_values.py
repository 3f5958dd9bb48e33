"""What the points of a mask's mesh carry into the picture: places in the atlas, light, and the opacity of straps.

Where the head's geometry hides a strap, such as behind an ear, is computed in `ear_and_head_occlusion`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskgen.core.kernels.arena import FLOAT, Arena, JobType, arena_of_thread
from maskgen.core.records import Floats, Image
from maskgen.masks.kind import AtlasLevel
from maskgen.masks.lighting.cloth_colour import BRIGHTEST, LUMA_OF_THREE
from maskgen.masks.lighting.colour import GAMMA
from maskgen.masks.lighting.light import Light
from maskgen.masks.mask_mesh import MaskMesh
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera

NO_SKIN = (0.0, 0.0, 0.0)


def vertex_values(
    mesh: MaskMesh,
    plan: MaskPlan,
    level: AtlasLevel,
    at_straps: NDArray[np.int64],
    behind: int,
    camera: Camera,
    light: Light,
    image: Image,
) -> Floats:
    """What the mesh's points and then `behind` points of the head carry: x and y in the atlas, in texels with centres
    at integers, and the encoded light as a share of BRIGHTEST, all 0 on the head: (n + behind, 3), by the kernel
    `carry`.

    Across a strap the atlas is constant, so there x is the opacity: columns of the atlas, less half of one.

    Args:
        at_straps: for each of the straps' points the number of the picture's pixel nearest to it, row by row.
    """
    arena = arena_of_thread()
    arena.begin_after(level.slope_down)  # which may have been drawn for this mask
    count, weights = len(mesh.follows), plan.deformation_weights.astype(np.float32)
    values_at, values = arena.room((count + behind, 3), np.float32)
    rows, columns = level.slope_down.shape
    job = (
        *(count, mesh.straps_from, behind),
        *mesh.strap_shape,
        *(arena.kept(mesh.carried), len(weights), arena.put(weights), arena.kept(mesh.deformations.normals)),
        *(arena.space(3 * count * FLOAT), *_seen(arena, mesh, light, at_straps, image)),
        *(values_at, arena.space(count * FLOAT), *camera.rotation.ravel().tolist()),
        *(*light.direction.tolist(), *(NO_SKIN if light.skin is None else light.skin.tolist()), *LUMA_OF_THREE),
        *(plan.overhead, GAMMA, BRIGHTEST, columns, rows, *plan.print_skew, plan.turned),
    )
    arena.call("carry", arena.job(_JOB, *job))
    return values.copy()


# The structure `Points` of `kernels/points.c`, in its order.
_JOB = JobType(
    "count straps_from behind straps pieces breadth points modes weights turns normals unexplained pixels values room",
    "rotation:9f direction:3f skin:3f luma:3f overhead:f gamma:f brightest:f columns:f rows:f skew:4f turned",
)


def _seen(arena: Arena, mesh: MaskMesh, light: Light, at_straps: NDArray[np.int64], image: Image) -> tuple[int, int]:
    """The addresses of the light on the skin about each point that its direction does not explain, and of the picture
    at the straps' points; 0 for what is not known."""
    rest, unexplained, pixels = light.unexplained, 0, 0
    if rest is not None:
        unexplained = arena.put(mesh.light_weights @ rest.off_and_seen.astype(np.float32))
    if light.skin is not None and mesh.fades:
        pixels = arena.put(image.reshape(-1, 3).take(at_straps, axis=0))
    return unexplained, pixels
