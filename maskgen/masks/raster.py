"""Draws triangles with a depth buffer: OpenCV's rasteriser behind one call that speaks in pixels.

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
from maskgen.masks.head import Triangles

FAR = 1000.0  # where the picture plane lies, in units of the picture's height
HALF = 500.0  # depth kept on either side of it
FIELD = float(2 * np.arctan(0.5))

_SETTINGS = cv2.TriangleRasterizeSettings()
_SETTINGS.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
# The default shading type paints everything white.
_SETTINGS.setShadingType(cv2.RASTERIZE_SHADING_SHADED)


class Canvas:
    """Three values a pixel and a depth; whatever is drawn nearer hides what lies behind it.

    Convention:
        - points are (n, 3): x right and y down in pixels with centres at integers, depth in pixels toward the viewer
        - `values`, float32 (height, width, 3), holds what was drawn, 0 where nothing was
    """

    def __init__(self, height: int, width: int) -> None:
        self.values: Floats = np.zeros((height, width, 3), np.float32)
        self._depth: Floats = np.full((height, width), FAR + HALF, np.float32)

    def draw(self, points: Doubles, triangles: Triangles, values: NDArray[np.floating]) -> None:
        """Draw triangles whose corners carry three values each, (n, 3) in 0..1, interpolated between them."""
        height, width = self._depth.shape
        away = FAR - points[:, 2] / height
        ray_x = ((points[:, 0] + 0.5) / width - 0.5) * (width / height)
        ray_y = 0.5 - (points[:, 1] + 0.5) / height
        corners = np.stack([ray_x * away, ray_y * away, -away], -1).astype(np.float32)
        world = np.eye(4, dtype=np.float32)
        colours = np.ascontiguousarray(values, np.float32)
        self.values, self._depth = cv2.triangleRasterize(  # type: ignore[call-overload]
            corners, triangles, colours, self.values, self._depth, world, FIELD, FAR - HALF, FAR + HALF, _SETTINGS
        )
