"""From a mask on a posed head to its premultiplied colours and coverage in a window of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
from maskgen.masks.camera import Camera
from maskgen.masks.colour import FULL, GAMMA, coloured, encoded
from maskgen.masks.creases import mixed
from maskgen.masks.garment import Garment
from maskgen.masks.head import Triangles
from maskgen.masks.kinds import LEVEL_GROUND, STEEPNESS, Kind
from maskgen.masks.light import Light
from maskgen.masks.plan import MaskPlan
from maskgen.masks.raster import painted
from maskgen.masks.tone import LUMA, Tone

BRIGHTEST = 1.5  # encoded light that a vertex value of 1 stands for
SHEEN = 160.0  # what a kind of gloss 1 adds where the light is by 1 brighter than in front
SMALL_FACE = 160.0  # pixels between the eyes up to which every pixel is drawn FINER ** 2 times
FINER = 1.5
# Loops and straps hide no face: below one half in the coverage, so that a threshold there gives the cloth.
RIBBON_COVER = 120 / 255
ROW = 512  # pixels of the mask that stand in a row while they are painted
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

    def canvas(self, scale: float) -> tuple[int, int]:
        """Rows and columns it is drawn in: more than the picture's where the face is small."""
        times = FINER if scale <= SMALL_FACE else 1.0
        return round((self.y1 - self.y0) * times), round((self.x1 - self.x0) * times)

    def on(self, rows: int, columns: int, points: Doubles) -> Doubles:
        """Picture pixels and depth (n, 3) as the canvas's."""
        times = np.array([columns / (self.x1 - self.x0), rows / (self.y1 - self.y0), 1.0])
        times[2] = times[1]
        return (points + [0.5 - self.x0, 0.5 - self.y0, 0.0]) * times - [0.5, 0.5, 0.0]


@dataclass(frozen=True, slots=True)
class Layer:
    """What a mask adds to a window: `colour` float32 (h, w, 3), premultiplied, 0..255, `alpha` float32 (h, w), and
    `cover` float32 (h, w): as alpha on cloth, RIBBON_COVER of it on loops and straps.
    """

    window: Window
    colour: Floats
    alpha: Floats
    cover: Floats

    def grown(self, margin: int, height: int, width: int) -> Layer:
        """The same with an empty margin about it, as far as a picture of this size reaches."""
        old = self.window
        new = Window(
            max(0, old.x0 - margin), max(0, old.y0 - margin), min(width, old.x1 + margin), min(height, old.y1 + margin)
        )
        sides = (old.y0 - new.y0, new.y1 - old.y1, old.x0 - new.x0, new.x1 - old.x1)
        parts = (self.colour, self.alpha, self.cover)
        return Layer(new, *(cv2.copyMakeBorder(part, *sides, cv2.BORDER_CONSTANT) for part in parts))


def window_of(points: Doubles, height: int, width: int) -> Window:
    """The part of a picture that holds projected points and a pixel about them."""
    (left, top), (right, bottom) = points[:, :2].min(0).tolist(), points[:, :2].max(0).tolist()
    x0, y0, x1, y1 = math.floor(left) - 1, math.floor(top) - 1, math.ceil(right) + 2, math.ceil(bottom) + 2
    return Window(max(0, x0), max(0, y0), min(width, x1), min(height, y1))


def render(
    kind: Kind,
    garment: Garment,
    plan: MaskPlan,
    points: Doubles,
    seen: Triangles,
    head: Doubles,
    before: Triangles,
    camera: Camera,
    light: Light,
    window: Window,
) -> Layer:
    """Draw the mask.

    Args:
        points: the garment's points in the picture, (n, 3).
        seen: its triangles on this side of the head; the window holds them.
        head, before: points in the picture, (m, 3), and triangles of what hides what lies behind it.
    """
    facing = (garment.normals + mixed(plan.modes, garment.modes.normals)) @ camera.rotation.T
    facing *= np.where(facing[:, 2:] < 0, -1.0, 1.0)  # cloth has two sides
    values = np.zeros((len(points) + len(head), 3), np.float32)
    values[: len(points), :2] = garment.uv
    values[: len(points), 1] += plan.askew @ garment.modes.v
    values[: len(points), 2] = np.clip(encoded(_shoulder(light.on(facing))) / BRIGHTEST, 1 / 255, 1)
    canvas = window.canvas(camera.scale)
    placed = window.on(*canvas, np.concatenate([points, head]))
    drawn = painted(*canvas, placed, np.concatenate([seen, before + len(points)]), values)
    return _painted(kind, plan, *_sampled(drawn, window), camera, light, window)


def _sampled(drawn: Floats, window: Window) -> tuple[Floats, Floats]:
    """What the canvas holds in the window's own pixels: u, v and light times the coverage (h, w, 3), and coverage."""
    alpha = cv2.threshold(cv2.extractChannel(drawn, 2), 0, 1, cv2.THRESH_BINARY)[1]
    size = (window.x1 - window.x0, window.y1 - window.y0)
    if drawn.shape[1::-1] != size:
        drawn, alpha = (cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in (drawn, alpha))
    return drawn, alpha


def _painted(
    kind: Kind, plan: MaskPlan, drawn: Floats, whole: Floats, camera: Camera, light: Light, window: Window
) -> Layer:
    """Texture, folds and light looked up where the mask is, premultiplied by the coverage."""
    where = _in_rows(np.flatnonzero(whole > 0))
    alpha = np.take(whole.ravel(), where)
    some = np.maximum(alpha, np.float32(1e-3))
    u, v, lit = (part / some for part in cv2.split(np.take(drawn.reshape(-1, 3), where, axis=0)))
    planes = cv2.split(_coloured(kind, plan, u, v, lit, alpha, camera, light))
    colour = cv2.merge([_scattered(plane, where, whole.shape) for plane in planes])
    cover = _scattered(np.where(v < kind.ribbons_from, alpha, np.float32(RIBBON_COVER) * alpha), where, whole.shape)
    return Layer(window, colour, whole, cover)


def _scattered(values: Floats, where: NDArray[np.intp], shape: tuple[int, ...]) -> Floats:
    """A picture (h, w) of values at places in it, 0 elsewhere."""
    plane = np.zeros(shape, np.float32)
    plane.ravel()[where] = values
    return plane


def _in_rows(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Places as a picture, (n, ROW), the last one repeated: OpenCV's pictures may be no longer a side than 32,767."""
    full = np.full((-(-max(len(places), 1) // ROW), ROW), places[-1] if len(places) else 0, np.intp)
    full.ravel()[: len(places)] = places
    return full


def _coloured(
    kind: Kind, plan: MaskPlan, u: Floats, v: Floats, lit: Floats, alpha: Floats, camera: Camera, light: Light
) -> Floats:
    """The colours, premultiplied by alpha, of pixels with these texture coordinates and this light on them."""
    atlas, slopes_down = kind.dyed_at(plan.look, kind.garment.width * camera.scale)
    rows, columns = slopes_down.shape
    x, y = u * np.float32(columns) - np.float32(0.5), v * np.float32(rows) - np.float32(0.5)
    cloth = cv2.remap(atlas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    down = cv2.remap(slopes_down, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    bright = lit * (_folds(cloth, down, _fold_light(camera, light)) * np.float32(BRIGHTEST))
    bright = np.clip(bright, 0, np.float32(BRIGHTEST), out=bright)
    bright *= np.float32(plan.bright * encoded(np.array(light.level)))
    dye = _dye(light, plan.fade)
    colour = (cloth.reshape(-1, 4).astype(np.float32) @ dye).reshape(*cloth.shape[:2], 3)
    strength = bright * alpha
    colour = cv2.multiply(colour, cv2.merge([strength, strength, strength]))
    if kind.gloss:
        sheen = np.maximum(bright - np.float32(0.9), 0) * strength
        colour = cv2.add(colour, coloured(sheen, SHEEN * kind.gloss * light.cast))
    return np.asarray(cv2.min(colour, coloured(alpha, FULL)))


def _dye(light: Light, fade: float) -> Floats:
    """The matrix (4, 3) that takes a row of the atlas to its colour in this light, faded; the slope has no part."""
    colours = light.cast[:, None] * (_toned(light.tone) @ _faded(fade))
    return np.vstack([colours.T, np.zeros(3)]).astype(np.float32)


def _folds(cloth: NDArray[np.uint8], down: NDArray[np.uint8], along: Doubles) -> Floats:
    """The factor that the relief puts on light which has these parts along the cloth: `along` (2,), right and down."""
    across = cv2.extractChannel(cloth, 3)
    right, lower = along * (-FOLD_LIGHT / GAMMA / STEEPNESS)
    return cv2.addWeighted(across, right, down, lower, 1 - LEVEL_GROUND * (right + lower), dtype=cv2.CV_32F)


def _toned(tone: Tone) -> Doubles:
    """The matrix (3, 3) that takes colours to what is left of them in a photograph of this tone."""
    return tone.colour * np.eye(3) + (1 - tone.colour) * np.outer(tone.tint, LUMA)


def _faded(fade: float) -> Doubles:
    """The matrix (3, 3) that greys a dye by a share; white and black do not fade."""
    return (1 - fade) * np.eye(3) + fade * np.outer(np.ones(3), LUMA)


def _fold_light(camera: Camera, light: Light) -> Doubles:
    """How much brighter cloth gets where it slopes right or down: the light along the cloth's own axes, (2,)."""
    strong = light.direction + [0.0, -0.25, 0.0]  # folds show under the faintest light from above
    return np.array([strong @ camera.rotation[:, 0], strong @ camera.rotation[:, 1]])


def _shoulder(light: Doubles) -> Doubles:
    """Linear light with its highlights pressed together, so that white keeps its folds."""
    return np.where(light > 1, 1 + 0.45 * (light - 1), light)
