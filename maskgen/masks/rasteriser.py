"""Rasterises triangles with a depth buffer: OpenCV's rasteriser with coordinates in pixels, and a kernel.

OpenCV draws in perspective with y upward. A distant camera, and points moved along their rays, give an
orthographic picture in pixel coordinates instead. The depth buffer must start at the far plane, and the near plane must
be far from the camera: OpenCV stores a reciprocal depth as float32, and with planes at 1 and 2000 two surfaces that are
as far apart as a nose is long get the same depth.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.kernels.arena import SPAN, JobType, arena_of_thread
from maskgen.core.records import Doubles, Floats
from maskgen.masks.pose.head import Triangles

FAR = 1000.0  # distance of the picture plane from the camera, in units of the picture's height
HALF = 500.0  # range of depth on either side of the picture plane, in the same unit
FIELD = float(2 * np.arctan(0.5))  # vertical field of view, in radians

_SETTINGS = cv2.TriangleRasterizeSettings()
_SETTINGS.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
# The default shading type paints everything white.
_SETTINGS.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
_VIEW = (np.eye(4, dtype=np.float32), FIELD, FAR - HALF, FAR + HALF, _SETTINGS)


def _corners(points: Doubles, height: int, width: int) -> Floats:
    """Pixels and depth (n, 3) in the coordinates of OpenCV's camera."""
    unit = 1 / height
    corners = points * (unit, -unit, unit) + ((0.5 - width / 2) * unit, 0.5 - 0.5 * unit, -FAR)
    corners[:, :2] *= -corners[:, 2:]
    return corners.astype(np.float32)


def rasterise(height: int, width: int, points: Doubles, triangles: Triangles, values: NDArray[np.floating]) -> Floats:
    """What one `Canvas.draw` draws, by a kernel in a third of the time: float32 (height, width, 4), the three values,
    and the depth in pixels toward the viewer, -inf where nothing is; valid until this thread's next mask."""
    arena = arena_of_thread()
    arena.begin()
    pixels_at, pixels = arena.room((height, width, 4), np.float32)
    corners = np.asarray(points, np.float32), np.asarray(values, np.float32), np.asarray(triangles, np.int32)
    job = height, width, pixels_at, arena.space(height * SPAN), *map(arena.put, corners), len(triangles)
    arena.call("rasterise", arena.job(_JOB, *job))
    return pixels


# The structure `Rasterise` of `kernels/rasterise.c`, in its order.
_JOB = JobType("rows columns pixels spans corners values triangles count")


class Canvas:
    """Three values and a depth per pixel; nearer triangles hide farther ones.

    Convention:
        - points are (n, 3): x right and y down in pixels with centres at integers, depth in pixels toward the viewer
        - `values`, float32 (height, width, 3), holds the rendered values, 0 where there are none
        - `depth`, float32 (height, width), grows away from the viewer, in units of the picture's height
        - triangles whose values are 0 only hide others; drawn in the same call as the rest they cost little
    """

    def __init__(self, height: int, width: int) -> None:
        self.values: Floats = np.zeros((height, width, 3), np.float32)
        self.depth: Floats = np.full((height, width), FAR + HALF, np.float32)

    def draw(self, points: Doubles, triangles: Triangles, values: NDArray[np.floating]) -> None:
        """Draw triangles whose corners carry three values each, (n, 3) in 0..1, interpolated between them."""
        colours = np.ascontiguousarray(values, np.float32)
        self.values, self.depth = cv2.triangleRasterize(
            _corners(points, *self.depth.shape), triangles, colours, self.values, self.depth, *_VIEW
        )
