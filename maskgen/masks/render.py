"""From a mask on a posed head to its premultiplied colours and coverage in a window of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats
from maskgen.masks.camera import Camera
from maskgen.masks.colour import encoded
from maskgen.masks.garment import skin
from maskgen.masks.kinds import Kind
from maskgen.masks.light import Light
from maskgen.masks.raster import Canvas

BRIGHTEST = 1.6  # linear light that a vertex value of 1 stands for
SMALL_FACE = 160.0  # pixels between the eyes up to which every pixel is drawn four times
FOLD_LIGHT = 1.0  # how strongly the relief catches the light


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the picture: pixels x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def empty(self) -> bool:
        """Whether no pixel is in it."""
        return self.x1 <= self.x0 or self.y1 <= self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing a picture."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(frozen=True, slots=True)
class Layer:
    """What a mask adds to a window: `colour` float32 (h, w, 3), premultiplied, 0..255, and `alpha` float32 (h, w)."""

    window: Window
    colour: Floats
    alpha: Floats


def window_of(points: Doubles, height: int, width: int, margin: int) -> Window:
    """The part of a picture that holds projected points and a margin about them."""
    low = np.floor(points[:, :2].min(0)).astype(int) - margin
    high = np.ceil(points[:, :2].max(0)).astype(int) + margin + 1
    return Window(max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0])), min(height, int(high[1])))


def _at(points: Doubles, window: Window, times: int) -> Doubles:
    """Picture pixels to the pixels of a window drawn `times` as large."""
    moved = points.copy()
    moved[:, 0] = (points[:, 0] - window.x0 + 0.5) * times - 0.5
    moved[:, 1] = (points[:, 1] - window.y0 + 0.5) * times - 0.5
    moved[:, 2] *= times
    return moved


def render(kind: Kind, points: Doubles, occluder: Doubles, camera: Camera, light: Light, window: Window) -> Layer:
    """Draw the mask.

    Args:
        points: the garment's points in the picture, (n, 3).
        occluder: the head's points in the picture, (m, 3); what lies behind it is hidden.
    """
    times = 2 if camera.scale <= SMALL_FACE else 1
    canvas = Canvas((window.y1 - window.y0) * times, (window.x1 - window.x0) * times)
    bare = skin()
    canvas.draw(_at(occluder, window, times), bare.triangles, np.zeros((len(occluder), 3)))
    garment = kind.garment
    facing = garment.normals @ camera.rotation.T
    facing *= np.where(facing[:, 2:] < 0, -1.0, 1.0)  # cloth has two sides
    lit = np.clip(light.on(facing) / BRIGHTEST, 0.01, 1.0)
    values = np.column_stack([garment.uv, lit])
    canvas.draw(_at(points, window, times), garment.triangles, np.clip(values, 0, 1))
    return _painted(kind, canvas.values, camera, light, window, times)


def _painted(kind: Kind, drawn: Floats, camera: Camera, light: Light, window: Window, times: int) -> Layer:
    """Texture, folds and light looked up for what the canvas holds, shrunk to the window's own pixels."""
    alpha = (drawn[..., 2] > 0).astype(np.float32)
    level = _level(kind, camera.scale * times)
    atlas, slopes = kind.atlas[level], kind.slopes[level]
    rows, columns = atlas.shape[:2]
    x = drawn[..., 0] * columns - 0.5
    y = drawn[..., 1] * rows - 0.5
    cloth = cv2.remap(atlas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    slope = cv2.remap(slopes, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shade = drawn[..., 2] * BRIGHTEST
    shade = shade - FOLD_LIGHT * slope @ _fold_light(camera, light).astype(np.float32)
    bright = encoded(_shoulder(shade) * light.level).astype(np.float32)
    sheen = 60.0 * kind.gloss * np.clip(shade - 0.6, 0, None) ** 2 * light.level if kind.gloss else 0.0
    cloth *= bright[..., None]
    cloth += np.asarray(sheen, np.float32)[..., None] if kind.gloss else 0.0
    cloth *= (alpha[..., None] * light.cast).astype(np.float32)
    np.minimum(cloth, 255, out=cloth)
    if times > 1:
        size = (window.x1 - window.x0, window.y1 - window.y0)
        cloth = cv2.resize(cloth, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    return Layer(window, cloth, alpha)


def _level(kind: Kind, pixels: float) -> int:
    """The level of detail whose texels are about as large as the pixels drawn."""
    texels = kind.atlas[0].shape[1] / (kind.garment.width * max(pixels, 1e-3))
    return int(np.clip(np.floor(np.log2(max(texels, 1.0)) + 0.35), 0, len(kind.atlas) - 1))


def _fold_light(camera: Camera, light: Light) -> Doubles:
    """How much brighter cloth gets where it slopes right or down: the light along the cloth's own axes, (2,)."""
    strong = light.direction + [0.0, -0.25, 0.0]  # folds show under the faintest light from above
    across, down = camera.rotation[:, 0], camera.rotation[:, 1]
    return np.array([strong @ across, strong @ down])


def _shoulder(shade: Floats) -> Floats:
    """Linear light with its highlights pressed together, so that white keeps its folds."""
    return np.where(shade > 1, 1 + 0.45 * (shade - 1), np.maximum(shade, 0.05))
