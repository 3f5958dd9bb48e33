"""Renders a mask on a posed head: premultiplied colours and coverage in a window of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Image, Mask
from maskgen.masks.deformations import weighted_sum
from maskgen.masks.kind import AtlasLevel, Kind
from maskgen.masks.lighting.cloth_colour import (
    BRIGHTEST,
    SHEEN_OF_RELIEF,
    dye_matrix,
    fold_gains,
    full_light,
    shade_tint,
    sheen,
    warm_shade,
)
from maskgen.masks.lighting.colour import srgb_factor
from maskgen.masks.lighting.exposure import compress_highlights
from maskgen.masks.lighting.light import Light
from maskgen.masks.mask_mesh import MaskMesh
from maskgen.masks.occluders.photograph_edge import PhotographEdge
from maskgen.masks.occluders.straps_under_hair import visible_strap_share
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import Triangles
from maskgen.masks.rasteriser import rasterise

SMALL_FACE = 160.0  # distance between the eyes, in pixels, up to which the canvas is finer than the picture
FINER = 1.5  # pixels of such a canvas per pixel of the picture, across and down
# Coverage of ear loops and head straps: below one half, so that a threshold at one half selects the cloth.
STRAP_COVER = 120 / 255
CACHE_LINE = 64  # bytes
ROW = 512  # pixels of the mask per row while they are coloured
HIDDEN = 0.2  # strength of the loss of light on cloth that faces down, where chest and throat block it
LEVEL = 0.18  # y of the normal (1 faces straight down) up to which cloth loses no light
LEAST_OVERHEAD = 0.4  # least factor of `MaskPlan.overhead`


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the picture: pixels x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def empty(self) -> bool:
        """Whether it has no pixel."""
        return self.x1 <= self.x0 or self.y1 <= self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing a picture."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def canvas(self, scale: float) -> tuple[int, int]:
        """Rows and columns of the canvas: more than the picture's if the face is small."""
        times = FINER if scale <= SMALL_FACE else 1.0
        return round((self.y1 - self.y0) * times), round((self.x1 - self.x0) * times)

    def grown(self, margin: int, height: int, width: int) -> Window:
        """The window with a margin around it, clipped to a picture of this size."""
        return Window(
            max(0, self.x0 - margin),
            max(0, self.y0 - margin),
            min(width, self.x1 + margin),
            min(height, self.y1 + margin),
        )

    def within(self, outer: Window) -> tuple[slice, slice]:
        """The slices of this window in an array of a window that contains it."""
        return slice(self.y0 - outer.y0, self.y1 - outer.y0), slice(self.x0 - outer.x0, self.x1 - outer.x0)

    def on(self, rows: int, columns: int, points: Doubles) -> Doubles:
        """Picture pixels and depth (n, 3) in the canvas's pixels."""
        across, down = columns / (self.x1 - self.x0), rows / (self.y1 - self.y0)
        return points * (across, down, down) + ((0.5 - self.x0) * across - 0.5, (0.5 - self.y0) * down - 0.5, 0.0)


@dataclass(frozen=True, slots=True)
class Layer:
    """A rendered mask in a window.

    Attributes:
        paint: float32 (h, w, 4), premultiplied colour, 0..255, and coverage, 0..1: the share of the pixel under the
            mask, however clear it is. On opaque cloth it equals alpha, on a clear window it is more, on straps it is
            STRAP_COVER of alpha.
        alpha: float32 (h, w), the share of the picture's light that the mask blocks.
        parts: uint8 (h, w), part labels where anything is drawn, values of `template.PARTS`; None if not requested.
        opaque: whether no part of the mask lets light through.
    """

    window: Window
    paint: Floats
    alpha: Floats
    parts: Mask | None = None
    opaque: bool = False


def window_of(points: Doubles, triangles: Triangles, height: int, width: int) -> Window:
    """The window that contains the projected corners of triangles, with a margin of one pixel."""
    corners = points[:, :2].astype(np.float32).take(triangles.ravel(), axis=0)
    x, y, columns, rows = cv2.boundingRect(corners)
    return Window(max(0, x - 1), max(0, y - 1), min(width, x + columns + 2), min(height, y + rows + 2))


def render(
    kind: Kind,
    mesh: MaskMesh,
    plan: MaskPlan,
    points: Doubles,
    seen: Triangles,
    head: Doubles,
    before: Triangles,
    camera: Camera,
    light: Light,
    window: Window,
    outer: Window,
    image: Image,
    parts: bool = False,
    edge: PhotographEdge | None = None,
) -> Layer:
    """Render the mask.

    Args:
        points: the mesh's points in the picture, (n, 3).
        seen: its triangles on this side of the head; the window contains them.
        head, before: points in the picture, (m, 3), and triangles of the parts of the head that hide the mask.
        outer: the window of the layer, larger than `window`.
        image: the picture, uint8 RGB, in which hair hides ear loops.
        parts: whether the layer has part labels.
        edge: of the photograph in the picture; None if all of the picture is the photograph.
    """
    level = kind.colours_at(plan.look, kind.mesh.width * camera.scale)
    values = vertex_values(mesh, plan, level, points, len(head), camera, light, image)
    canvas = window.canvas(camera.scale)
    placed = window.on(*canvas, np.concatenate([points, head]))
    drawn = rasterise(*canvas, placed, np.concatenate([seen, before + len(points)]), values)
    drawn, alpha = _sampled(drawn, window, outer)
    named = _named(level, drawn, alpha) if parts else None
    paint = _painted(kind, plan, level, drawn, alpha, camera, light, _Straps(mesh.fades, edge, outer))
    return Layer(outer, paint, alpha, named, level.material_and_clear is None and not plan.sheer)


def vertex_values(
    mesh: MaskMesh,
    plan: MaskPlan,
    level: AtlasLevel,
    points: Doubles,
    behind: int,
    camera: Camera,
    light: Light,
    image: Image,
) -> Floats:
    """What the mesh's points and then `behind` points of the head carry: x and y in the atlas, in texels with centres
    at integers, and the encoded light as a share of BRIGHTEST, all 0 on the head: (n + behind, 3).

    Across a strap x is its opacity, see `_texels`.
    """
    values = np.zeros((len(points) + behind, 3), np.float32)
    values[: len(points), 2] = lit = _lit(mesh, plan, camera, light)
    facing = mesh.facing_under_straps(camera.rotation[2])
    opacity = mesh.opacity(camera.rotation[2], facing)
    if len(opacity):
        straps = slice(mesh.straps_from, None)
        lit = lit[straps] * BRIGHTEST
        opacity *= visible_strap_share(
            image, points[straps], len(mesh.strap_widths), lit, facing, mesh.over_hair, light
        )
    values[: len(points), :2] = _texels(mesh, plan, level, opacity)
    return values


def _named(level: AtlasLevel, drawn: Floats, whole: Floats) -> Mask:
    """The part label of each pixel, 0 for none."""
    some = 1 / np.maximum(whole, np.float32(1e-3))
    x, y = (cv2.extractChannel(drawn, at) * some for at in (0, 1))
    part = cv2.remap(level.parts, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(part * (whole > 0), np.uint8)


def _texels(mesh: MaskMesh, plan: MaskPlan, level: AtlasLevel, opacity: Doubles) -> Doubles:
    """The mesh's points in the atlas, in texels with centres at integers: (n, 2).

    Across a strap the atlas is constant, so there the column encodes the opacity.
    """
    rows, columns = level.slope_down.shape
    at = mesh.uv * (columns, rows) - 0.5
    at[:, 1] += (rows * np.array(plan.print_skew)) @ mesh.deformations.v
    if plan.turned:
        at[: mesh.straps_from, 0] = columns - 1 - at[: mesh.straps_from, 0]
    at[mesh.straps_from :, 0] = columns * opacity - 0.5
    return np.asarray(at)


def _lit(mesh: MaskMesh, plan: MaskPlan, camera: Camera, light: Light) -> Doubles:
    """The encoded light on the mesh's points as a share of BRIGHTEST, above 0: (n,)."""
    normals = weighted_sum(plan.deformation_weights, mesh.deformations.normals)
    facing = normals @ camera.rotation.T
    facing *= np.copysign(1.0, facing[:, 2:])  # cloth has two sides
    strength = light.on(facing) * (1 - HIDDEN * np.maximum(normals[:, 1] - LEVEL, 0))
    if plan.overhead:
        down = facing[:, 1] - _median(facing[: mesh.straps_from, 1])  # so that the cloth is not darker as a whole
        strength *= np.maximum(1 - plan.overhead * down, LEAST_OVERHEAD)
    if light.unexplained is not None:
        strength *= mesh.shade(light.unexplained)
    share = srgb_factor(_shoulder(strength)) / BRIGHTEST
    return np.minimum(np.maximum(share, 1 / 255), 1)


def _median(values: Doubles) -> float:
    """The median of finite numbers; `np.median` takes three times as long for so few."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    ranked = np.partition(values, (low, high))
    return float((ranked[low] + ranked[high]) / 2)


def _sampled(drawn: Floats, window: Window, outer: Window) -> tuple[Floats, Floats]:
    """The canvas in the outer window's pixels: x and y in the atlas and light, times the coverage (h, w, 3), and the
    coverage."""
    alpha = cv2.threshold(cv2.extractChannel(drawn, 2), 0, 1, cv2.THRESH_BINARY)[1]
    return _sized(drawn, window, outer), _sized(alpha, window, outer)


def _sized(canvas: Floats, window: Window, outer: Window) -> Floats:
    """The canvas reduced to the window's pixels, 0 in the rest of the outer window."""
    whole = np.zeros((outer.y1 - outer.y0, outer.x1 - outer.x0, *canvas.shape[2:]), np.float32)
    part = whole[window.within(outer)]
    cv2.resize(canvas, part.shape[1::-1], dst=part, interpolation=cv2.INTER_LINEAR)
    return whole


@dataclass(frozen=True, slots=True)
class _Straps:
    """What hides straps pixel by pixel: whether they fade, the photograph's edge, and the window of the layer."""

    fade: bool
    edge: PhotographEdge | None
    outer: Window

    def shown(self, places: NDArray[np.intp]) -> NDArray[np.bool_] | bool:
        """Whether each pixel, a place in the window, lies in the photograph."""
        if self.edge is None:
            return True
        down, right = np.divmod(places, self.outer.x1 - self.outer.x0)
        return self.edge.shows(np.stack([right + self.outer.x0, down + self.outer.y0], axis=1))


def _painted(
    kind: Kind,
    plan: MaskPlan,
    level: AtlasLevel,
    drawn: Floats,
    whole: Floats,
    camera: Camera,
    light: Light,
    straps_of: _Straps,
) -> Floats:
    """`Layer.paint`: texture, folds and light at the mask's pixels; `whole` is reduced where straps fade or end."""
    where = _in_rows((whole > 0).ravel().nonzero()[0])
    alpha = whole.ravel().take(where)
    some = 1 / np.maximum(alpha, np.float32(1e-3))
    x, y, lit = (part * some for part in cv2.split(drawn.reshape(-1, 3).take(where, axis=0)))
    straps = y >= np.float32(kind.straps_from * len(level.slope_down) - 0.5)
    if straps_of.fade:
        on = straps.ravel().nonzero()[0]
        opacity = np.minimum((x.ravel()[on] + np.float32(0.5)) / np.float32(level.slope_down.shape[1]), 1)
        opacity *= straps_of.shown(where.ravel()[on])
        whole.ravel()[where.ravel()[on]] = alpha.ravel()[on] = alpha.ravel()[on] * opacity
    cover = alpha - alpha * (straps * np.float32(1 - STRAP_COVER))
    if level.material_and_clear is not None or plan.sheer:
        shape, opaque = _let_through(level, plan.sheer, x, y, straps)
        cover *= shape
        alpha *= opaque
        whole.ravel()[where] = alpha
    colours = _coloured(kind, plan, level, x, y, lit, alpha, camera, light)
    return _scattered(cv2.merge([*colours, cover]), where, whole.shape)


def _let_through(
    level: AtlasLevel, sheer: float, x: Floats, y: Floats, straps: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """The share of material at places of the atlas, and the share of light that it blocks, 0..1 each; `sheer` is the
    share of light that cloth lets through."""
    opaque = 1 - np.float32(sheer) * ~straps
    if level.material_and_clear is None:
        return np.ones_like(opaque), opaque
    read = cv2.remap(level.material_and_clear, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shape, clear = (part.astype(np.float32) / 255 for part in cv2.split(read))
    opaque *= shape
    opaque *= 1 - clear
    return shape, opaque


def _scattered(pixels: Floats, where: NDArray[np.intp], shape: tuple[int, ...]) -> Floats:
    """A picture (h, w, 4) of pixels (..., 4) at places in it, 0 elsewhere; each pixel is copied as one number."""
    picture = np.zeros((*shape, 4), np.float32)
    picture.view(np.complex128).ravel()[where] = pixels.view(np.complex128)[..., 0]
    return picture


def _in_rows(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Places as a picture, (n, ROW), the last one repeated: OpenCV allows at most 32,767 pixels per side."""
    full = np.empty(-(-max(len(places), 1) // ROW) * ROW, np.intp)
    full[: len(places)], full[len(places) :] = places, places[-1] if len(places) else 0
    return full.reshape(-1, ROW)


def _fetched(level: AtlasLevel) -> AtlasLevel:
    """The atlas, read once sequentially, so that later random accesses hit the processor's cache."""
    for picture in (level.colours, level.slope_down):
        np.maximum.reduce(picture.ravel()[::CACHE_LINE])
    return level


def _coloured(
    kind: Kind,
    plan: MaskPlan,
    level: AtlasLevel,
    x: Floats,
    y: Floats,
    lit: Floats,
    alpha: Floats,
    camera: Camera,
    light: Light,
) -> Floats:
    """The colours (3, ...), premultiplied by alpha, of pixels at these places of the atlas with this light on them."""
    read = _fetched(level)
    cloth, down = (
        cv2.remap(each, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for each in (read.colours, read.slope_down)
    )
    lit = lit * np.float32(full_light(plan, light))
    right, lower, ground = fold_gains(camera, light, plan)
    across = cv2.extractChannel(cloth, 3)
    bright = lit * cv2.addWeighted(across, right, down, lower, ground, dtype=cv2.CV_32F)
    np.minimum(np.maximum(bright, 0, out=bright), np.float32(BRIGHTEST), out=bright)
    four = cloth.reshape(-1, 4).astype(np.float32)
    with_relief = cv2.addWeighted(lit, 1 - SHEEN_OF_RELIEF, bright, SHEEN_OF_RELIEF, 0)
    four[:, 3] = sheen(kind.gloss, four, with_relief.ravel())
    colours = (dye_matrix(light, plan.fade) @ four.T).reshape(3, *alpha.shape)
    colours *= bright
    warm_shade(colours, bright, shade_tint(plan, light))
    colours = compress_highlights(colours, light.top, light.lift)
    if light.top > 255:
        np.minimum(colours, 255, out=colours)
    colours *= alpha
    return colours


def _shoulder(light: Doubles) -> Doubles:
    """Linear light with compressed highlights, so that folds stay visible in white cloth."""
    return np.minimum(light, 0.45 + 0.55 * light)
