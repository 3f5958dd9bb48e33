"""From a mask on a posed head to its premultiplied colours and coverage in a window of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats
from maskgen.masks.camera import Camera
from maskgen.masks.colour import FULL, GAMMA, coloured, encoded
from maskgen.masks.garment import Garment, skin
from maskgen.masks.kinds import Kind
from maskgen.masks.light import Light
from maskgen.masks.occlusion import hiding, in_sight
from maskgen.masks.plan import MaskPlan
from maskgen.masks.raster import Canvas
from maskgen.masks.tone import LUMA, Tone

BRIGHTEST = 1.5  # encoded light that a vertex value of 1 stands for
SHEEN = 160.0  # what a kind of gloss 1 adds where the light is by 1 brighter than in front
SMALL_FACE = 160.0  # pixels between the eyes up to which every pixel is drawn FINER ** 2 times
FINER = 1.5
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

    def canvas(self, scale: float) -> Canvas:
        """A canvas for it, finer than the picture where the face is small."""
        times = FINER if scale <= SMALL_FACE else 1.0
        return Canvas(round((self.y1 - self.y0) * times), round((self.x1 - self.x0) * times))

    def on(self, canvas: Canvas, points: Doubles) -> Doubles:
        """Picture pixels and depth (n, 3) as the canvas's."""
        rows, columns = canvas.values.shape[:2]
        times = np.array([columns / (self.x1 - self.x0), rows / (self.y1 - self.y0), 1.0])
        times[2] = times[1]
        return (points + [0.5 - self.x0, 0.5 - self.y0, 0.0]) * times - [0.5, 0.5, 0.0]


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


def render(
    kind: Kind,
    garment: Garment,
    plan: MaskPlan,
    points: Doubles,
    head: Doubles,
    camera: Camera,
    light: Light,
    window: Window,
) -> Layer:
    """Draw the mask.

    Args:
        points: the garment's points in the picture, (n, 3).
        head: the bare head's points in the picture, (m, 3); what lies behind it is hidden.
    """
    facing = (garment.normals + np.tensordot(plan.modes, garment.modes.normals, 1)) @ camera.rotation.T
    cloth = in_sight(garment.rays @ camera.rotation[2], garment.triangles)
    toward = skin().normals @ camera.rotation[2]
    low, high = (window.x0, window.y0), (window.x1, window.y1)
    before = hiding(head, toward, camera.rotation[2, 2], garment.occluder, low, high) + len(points)
    facing *= np.where(facing[:, 2:] < 0, -1.0, 1.0)  # cloth has two sides
    values = np.zeros((len(points) + len(head), 3), np.float32)
    values[: len(points), :2] = garment.uv
    values[: len(points), 1] += plan.askew @ garment.modes.v
    values[: len(points), 2] = np.clip(encoded(_shoulder(light.on(facing))) / BRIGHTEST, 1 / 255, 1)
    canvas = window.canvas(camera.scale)
    canvas.draw(window.on(canvas, np.concatenate([points, head])), np.concatenate([cloth, before]), values)
    return _painted(kind, plan, _sampled(canvas.values, window), camera, light, window)


def _sampled(drawn: Floats, window: Window) -> tuple[Floats, Floats, Floats, Floats]:
    """What the canvas holds in the window's own pixels, each float32 (h, w): mean u, v and light where drawn, and
    coverage 0..1."""
    alpha = (drawn[..., 2] > 0).astype(np.float32)
    size = (window.x1 - window.x0, window.y1 - window.y0)
    if drawn.shape[1::-1] != size:
        drawn, alpha = (cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in (drawn, alpha))
    u, v, light = cv2.split(drawn)
    some = np.maximum(alpha, np.float32(1e-3))
    return u / some, v / some, light / some, alpha


def _painted(
    kind: Kind,
    plan: MaskPlan,
    sampled: tuple[Floats, Floats, Floats, Floats],
    camera: Camera,
    light: Light,
    window: Window,
) -> Layer:
    """Texture, folds and light looked up, premultiplied by the coverage."""
    u, v, lit, alpha = sampled
    atlas, slopes = kind.dyed_at(plan.look, kind.garment.width * camera.scale)
    rows, columns = atlas.shape[:2]
    x, y = u * np.float32(columns) - np.float32(0.5), v * np.float32(rows) - np.float32(0.5)
    cloth = cv2.remap(atlas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    slope = cv2.remap(slopes, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    fold = cv2.transform(slope, _fold_light(camera, light)[None] * (-FOLD_LIGHT / GAMMA))
    bright = lit * np.float32(BRIGHTEST) * (fold + np.float32(1))
    exposed = plan.bright * encoded(np.array(light.level))
    bright = np.clip(bright, 0, np.float32(BRIGHTEST), out=bright) * np.float32(exposed)
    colours = _toned(light.tone) @ _faded(plan.fade)
    if not np.array_equal(colours, np.eye(3)):
        cloth = cv2.transform(cloth, colours)
    colour = cv2.multiply(cloth, coloured(bright * alpha, light.cast), dtype=cv2.CV_32F)
    if kind.gloss:
        sheen = np.maximum(bright - np.float32(0.9), 0) * bright * alpha
        colour = cv2.add(colour, coloured(sheen, SHEEN * kind.gloss * light.cast))
    cover = np.where(v < kind.ribbons_from, alpha, np.float32(RIBBON_COVER) * alpha)
    return Layer(window, cv2.min(colour, coloured(alpha, FULL)), alpha, cover)


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
