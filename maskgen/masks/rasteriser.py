"""Rasterises triangles with a depth buffer: OpenCV's rasteriser behind one call with coordinates in pixels.

OpenCV draws in perspective with y upward. A camera far away, and points moved out along their rays, give an
orthographic picture in pixel coordinates instead. The depth buffer must start at the far plane, and the near plane must
not be near: OpenCV keeps depth as a float32 that is reciprocal in between, and with 1 and 2000 two surfaces a nose
apart are the same to it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
from maskgen.masks.pose.head import Triangles

FAR = 1000.0  # where the picture plane lies, in units of the picture's height
HALF = 500.0  # depth kept on either side of it
FIELD = float(2 * np.arctan(0.5))

_SETTINGS = cv2.TriangleRasterizeSettings()
_SETTINGS.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
# The default shading type paints everything white.
_SETTINGS.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
_VIEW = (np.eye(4, dtype=np.float32), FIELD, FAR - HALF, FAR + HALF, _SETTINGS)


def _corners(points: Doubles, height: int, width: int) -> Floats:
    """Pixels and depth as places before OpenCV's camera."""
    unit = 1 / height
    corners = points * (unit, -unit, unit) + ((0.5 - width / 2) * unit, 0.5 - 0.5 * unit, -FAR)
    corners[:, :2] *= -corners[:, 2:]
    return corners.astype(np.float32)


def rasterise(height: int, width: int, points: Doubles, triangles: Triangles, values: NDArray[np.floating]) -> Floats:
    """The `values` of one `Canvas.draw`, without the depth, a sixth faster."""
    colours = np.ascontiguousarray(values, np.float32)
    empty = np.zeros((height, width, 3), np.float32)
    return np.asarray(cv2.triangleRasterizeColor(_corners(points, height, width), triangles, colours, empty, *_VIEW))


class Canvas:
    """Three values and a depth for each pixel; what is drawn nearer hides what lies behind it.

    Convention:
        - points are (n, 3): x right and y down in pixels with centres at integers, depth in pixels toward the viewer
        - `values`, float32 (height, width, 3), holds what was drawn, 0 where nothing was
        - `depth`, float32 (height, width), grows away from the viewer, in units of the picture's height
        - triangles whose values are 0 only hide what lies behind them; drawn in one call with the rest they cost little
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
