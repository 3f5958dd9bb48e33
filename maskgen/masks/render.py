"""From a mask on a posed head to its premultiplied colours and coverage in a window of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, floats
from maskgen.masks.camera import Camera
from maskgen.masks.colour import GAMMA, encoded
from maskgen.masks.garment import skin
from maskgen.masks.head import Triangles
from maskgen.masks.kinds import Kind
from maskgen.masks.light import LUMA, Light
from maskgen.masks.raster import Canvas

BRIGHTEST = 1.5  # encoded light that a vertex value of 1 stands for
SHEEN = 160.0  # what a kind of gloss 1 adds where the light is by 1 brighter than in front
SMALL_FACE = 160.0  # pixels between the eyes up to which every pixel is drawn four times
# Loops and straps hide no face: below one half in the coverage, so that a threshold there gives the cloth.
RIBBON_COVER = 120 / 255
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
    """What a mask adds to a window: `colour` float32 (h, w, 3), premultiplied, 0..255, `alpha` float32 (h, w), and
    `cover` float32 (h, w): as alpha on cloth, RIBBON_COVER of it on loops and straps."""

    window: Window
    colour: Floats
    alpha: Floats
    cover: Floats


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
    canvas.hide(_at(occluder, window, times), facing_us(occluder, bare.triangles))
    garment = kind.garment
    facing = garment.normals @ camera.rotation.T
    facing *= np.where(facing[:, 2:] < 0, -1.0, 1.0)  # cloth has two sides
    values = np.empty((len(points), 3), np.float32)
    values[:, :2] = garment.uv
    values[:, 2] = encoded(_shoulder(light.on(facing))) / BRIGHTEST
    canvas.draw(_at(points, window, times), garment.triangles, np.clip(values, 1 / 255, 1))
    return _painted(kind, _sampled(canvas.values, window), camera, light, window)


def facing_us(points: Doubles, triangles: Triangles) -> Triangles:
    """The triangles whose corners run clockwise in the picture: of a closed surface, those in front."""
    a, b, c = (points[triangles[:, k], :2] for k in range(3))
    return triangles[(b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) > (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])]


def _sampled(drawn: Floats, window: Window) -> tuple[Floats, Floats]:
    """What the canvas holds in the window's own pixels: mean u, v and light where drawn, and coverage 0..1."""
    alpha = (drawn[..., 2] > 0).astype(np.float32)
    size = (window.x1 - window.x0, window.y1 - window.y0)
    if drawn.shape[1::-1] != size:
        drawn = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    return floats(drawn / np.maximum(alpha, 1e-3)[..., None]), alpha


def _painted(kind: Kind, sampled: tuple[Floats, Floats], camera: Camera, light: Light, window: Window) -> Layer:
    """Texture, folds and light looked up, premultiplied by the coverage."""
    drawn, alpha = sampled
    level = _level(kind, camera.scale)
    atlas, slopes = kind.atlas[level], kind.slopes[level]
    rows, columns = atlas.shape[:2]
    x, y = drawn[..., 0] * columns - 0.5, drawn[..., 1] * rows - 0.5
    cloth = cv2.remap(atlas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    slope = cv2.remap(slopes, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    fold = slope @ (_fold_light(camera, light) * (-FOLD_LIGHT / GAMMA)).astype(np.float32)
    bright = np.clip(drawn[..., 2] * BRIGHTEST * (1 + fold), 0, BRIGHTEST) * np.float32(encoded(np.array(light.level)))
    if kind.gloss:
        cloth += (SHEEN * kind.gloss * np.clip(bright - 0.9, 0, None))[..., None]
    if light.grey:
        cloth = np.repeat((cloth @ LUMA.astype(np.float32))[..., None], 3, axis=2)
    cloth *= (bright * alpha)[..., None] * light.cast.astype(np.float32)
    cover = np.where(drawn[..., 1] < kind.ribbons_from, alpha, RIBBON_COVER * alpha).astype(np.float32)
    return Layer(window, np.minimum(cloth, 255 * alpha[..., None]), alpha, cover)


def _level(kind: Kind, pixels: float) -> int:
    """The level of detail whose texels are about as large as the pixels drawn."""
    texels = kind.atlas[0].shape[1] / (kind.garment.width * max(pixels, 1e-3))
    return int(np.clip(np.floor(np.log2(max(texels, 1.0)) + 0.35), 0, len(kind.atlas) - 1))


def _fold_light(camera: Camera, light: Light) -> Doubles:
    """How much brighter cloth gets where it slopes right or down: the light along the cloth's own axes, (2,)."""
    strong = light.direction + [0.0, -0.25, 0.0]  # folds show under the faintest light from above
    return np.array([strong @ camera.rotation[:, 0], strong @ camera.rotation[:, 1]])


def _shoulder(light: Doubles) -> Doubles:
    """Linear light with its highlights pressed together, so that white keeps its folds."""
    return np.where(light > 1, 1 + 0.45 * (light - 1), light)
