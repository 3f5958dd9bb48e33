"""A face at a fixed scale, with head coordinates and the distance from this person's skin colour for each pixel.

Convention:
    - the view has at most FINENESS pixels between the eyes; colours are CIELAB, lightness 0..100
    - `x`, `y` are head coordinates (see `pose.head`), float32 (h, w), meaningless where `inside` is False
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Image
from maskgen.masks.lighting.colour import srgb_factor
from maskgen.masks.lighting.light import Light
from maskgen.masks.mask_mesh import bare_head_model
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import bare_head
from maskgen.masks.rasteriser import rasterise
from maskgen.masks.render import Window

FINENESS = 36.0  # largest distance between the eyes in the view, in pixels
ROOM = 0.6  # margin around the head, in eye distances
LOW, HIGH = np.array([-1.6, -3.0]), np.array([1.6, 3.0])  # head x and y that the values 0 and 1 encode
BRIGHTEST = 1.5  # encoded light that the value 1 encodes
FEWEST = 40  # least number of pixels for a colour model
LIGHT_UP, LIGHT_DOWN, CHROMA = 8.0, 12.0, 3.0  # least standard deviations of skin, in units of CIELAB

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FaceView:
    """Attributes:
    window: the part of the picture.
    lab: float32 (h, w, 3).
    x, y: head coordinates of each pixel.
    inside: whether the pixel shows the head.
    scale: pixels between the eyes.
    from_skin: float32 (h, w), squared distance from the skin's colour in this light, in standard deviations.
    darker: float32 (h, w), units of lightness by which a pixel is darker than skin would be there.
    """

    window: Window
    lab: Floats
    x: Floats
    y: Floats
    inside: Flags
    scale: float
    from_skin: Floats
    darker: Floats

    def within(self, x: tuple[float, float], y: tuple[float, float]) -> Flags:
        """Where |x| and y of the head lie in these ranges."""
        wide = np.abs(self.x)
        return np.asarray(self.inside & (wide >= x[0]) & (wide <= x[1]) & (self.y >= y[0]) & (self.y <= y[1]), np.bool_)


def face_view(image: Image, camera: Camera, shift: Doubles, light: Light, outline: Floats) -> FaceView | None:
    """The view of a face, or None if too little skin is visible.

    Args:
        image: uint8 RGB (height, width, 3).
        shift, outline: see `apply_mask.AnalysedFace`.
    """
    window = _window(outline, camera.scale, image)
    if window.empty:
        return None
    rows, columns, scale = _size(window, camera.scale)
    part = cv2.resize(image[window.slices], (columns, rows), interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    x, y, shade, inside = _places(window, rows, columns, camera, shift, light)
    seeds = inside & _seeds(x, y)
    if np.count_nonzero(seeds) < FEWEST:
        return None
    expected, from_skin = _skin_model(lab, shade, seeds)
    return FaceView(window, lab, x, y, inside, scale, from_skin, expected - lab[..., 0])


def _window(outline: Floats, scale: float, image: Image) -> Window:
    low, high = outline.min(0) - ROOM * scale, outline.max(0) + ROOM * scale
    x0, y0 = np.maximum(np.floor(low), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(high) + 1, image.shape[1::-1]).astype(int).tolist()
    return Window(x0, y0, x1, y1)


def _size(window: Window, scale: float) -> tuple[int, int, float]:
    """Rows, columns and pixels between the eyes of the view."""
    times = min(1.0, FINENESS / scale)
    rows, columns = (max(8, round(side * times)) for side in (window.y1 - window.y0, window.x1 - window.x0))
    return rows, columns, scale * times


def _places(
    window: Window, rows: int, columns: int, camera: Camera, shift: Doubles, light: Light
) -> tuple[Floats, Floats, Floats, Flags]:
    """For each pixel head x, head y, the encoded light on it, and whether it shows the head."""
    bare = bare_head_model()
    points = bare.warp.points
    values = np.empty((len(points), 3), np.float32)
    values[:, :2] = np.clip((points[:, :2] - LOW) / (HIGH - LOW), 1 / 255, 1)
    shade = srgb_factor(light.on(bare_head().normals @ camera.rotation.T)) / BRIGHTEST
    values[:, 2] = np.clip(shade, 1 / 255, 1)
    placed = window.on(rows, columns, bare.warp.project(camera, shift))
    drawn = rasterise(rows, columns, placed, bare.triangles, values)
    x, y = (drawn[..., at] * np.float32(HIGH[at] - LOW[at]) + np.float32(LOW[at]) for at in (0, 1))
    return x, y, drawn[..., 2] * np.float32(BRIGHTEST), drawn[..., 2] > 0


def _seeds(x: Floats, y: Floats) -> Flags:
    """The cheeks beside the nose, the bridge of the nose and the middle of the brow."""
    wide = np.abs(x)
    cheeks = (wide > 0.3) & (wide < 0.75) & (y > -0.35) & (y < 0.2)
    bridge = (wide < 0.12) & (y > -0.6) & (y < -0.1)
    brow = (wide < 0.5) & (y > -1.25) & (y < -1.05)
    return np.asarray(cheeks | bridge | brow)


def _skin_model(lab: Floats, shade: Floats, seeds: Flags) -> tuple[Floats, Floats]:
    """The lightness that skin would have at each pixel, and each pixel's squared distance from skin."""
    lights = lab[..., 0][seeds] / np.maximum(shade[seeds], 0.05)
    middle = float(np.median(lights))
    expected = np.minimum(middle * shade, 100).astype(np.float32)
    off = lab[..., 0] - expected
    spread = 1.48 * float(np.median(np.abs(off[seeds])))
    up, down = max(LIGHT_UP, spread), max(LIGHT_DOWN, 1.5 * spread)
    distance = np.where(off > 0, off / np.float32(up), off / np.float32(down)) ** 2
    near = seeds & (np.abs(off) < 2.5 * max(spread, 4.0))
    for channel in (1, 2):
        rest = _chroma_off(lab[..., 0], lab[..., channel], near)
        deviation = max(CHROMA, 1.48 * float(np.median(np.abs(rest[near]))))
        distance += (rest / np.float32(deviation)) ** 2
    return expected, np.asarray(distance, np.float32)


def _chroma_off(lightness: Floats, channel: Floats, near: Flags) -> Floats:
    """Distance of a channel from skin's line over the lightness; the line is fitted to lightnesses that differ."""
    level, values = lightness[near], channel[near]
    centre, middle = float(level.mean()), float(np.median(values))
    spread = float(((level - centre) ** 2).sum()) + 25.0 * len(level)  # pulled toward a constant
    slope = float(((level - centre) * (values - middle)).sum()) / spread
    # Chroma decreases with the light.
    return np.asarray(channel - (middle + slope * np.clip(lightness - centre, -25, 25)), np.float32)
