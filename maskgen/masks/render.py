"""Renders a mask on a posed head: premultiplied colours and coverage in a window of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskgen.core.kernels.arena import BLUR_ROW, FLOAT, SPAN, Arena, JobType, arena_of_thread
from maskgen.core.records import Doubles, Floats, Image, Mask
from maskgen.masks.kind import AtlasLevel, Kind
from maskgen.masks.lighting.blur_and_noise import BlurAndNoise, added_blur, blur_reach, gaussian_kernel
from maskgen.masks.lighting.cloth_colour import (
    BRIGHTEST,
    FIBRES,
    SHEEN,
    SHEEN_KNEE,
    SHEEN_OF_RELIEF,
    SHEEN_ROOM,
    SHINE,
    USUAL_LIGHT,
    dye_numbers,
    fold_gains,
    full_light,
    shade_tint,
)
from maskgen.masks.lighting.exposure import ROOM
from maskgen.masks.lighting.light import Light
from maskgen.masks.lighting.mesh_values import vertex_values
from maskgen.masks.mask_mesh import MaskMesh
from maskgen.masks.mesh_points import PlacedPoints
from maskgen.masks.occluders.photograph_edge import PhotographEdge
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import Triangles

SMALL_FACE = 160.0  # distance between the eyes, in pixels, up to which the canvas is finer than the picture
FINER = 1.5  # pixels of such a canvas per pixel of the picture, across and down
# Coverage of ear loops and head straps: below one half, so that a threshold at one half selects the cloth.
STRAP_COVER = 120 / 255
TAP = 12  # bytes of a `Tap` of `kernels/render.c`


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


def window_of(box: Sequence[int], height: int, width: int) -> Window:
    """The window of a box, see `mesh_points.PlacedPoints.box`, with a margin of one pixel."""
    left, top, right, bottom = box
    return Window(max(0, left - 1), max(0, top - 1), min(width, right + 3), min(height, bottom + 3))


@dataclass(frozen=True, slots=True)
class PlacedMask:
    """One mask in the place that it has on one face, before any pixel is rendered.

    Attributes:
        kind, plan: the mask's own, see `Kind.drawn`.
        points: where its mesh lies in the picture.
        before: triangles of the parts of the head that hide the mask.
        window: the part of the picture in which the triangles on this side of the head lie.
        outer: the window with room for blur and shadow; no pixel outside it changes.
    """

    kind: Kind
    plan: MaskPlan
    mesh: MaskMesh
    points: PlacedPoints
    before: Triangles
    window: Window
    outer: Window


def render(
    placed: PlacedMask,
    camera: Camera,
    light: Light,
    grain: BlurAndNoise,
    image: Image,
    parts: bool = False,
    edge: PhotographEdge | None = None,
) -> Layer:
    """Render a mask, blurred as the photograph; the layer is of the mask's outer window, and its arrays are valid until
    this thread's next mask.

    Args:
        image: the picture, uint8 RGB, in which hair hides ear loops.
        parts: whether the layer has part labels.
        edge: of the photograph in the picture; None if all of the picture is the photograph.
    """
    kind, plan, of = placed.kind, placed.plan, placed.points
    level = kind.colours_for_mask(plan.look, camera.scale)
    values = vertex_values(placed.mesh, plan, level, of.pixels, len(of.head), camera, light, image)
    return _rendered(placed, values, _Pixels(placed, level, camera, light, grain, edge), parts)


@dataclass(frozen=True, slots=True)
class _Pixels:
    """What the kernel `render` needs beside the mesh: how the mask's pixels are coloured and blurred."""

    mask: PlacedMask
    level: AtlasLevel
    camera: Camera
    light: Light
    grain: BlurAndNoise
    edge: PhotographEdge | None

    def atlas(self, arena: Arena, parts: bool) -> tuple[int, ...]:
        """The job that draws the atlas; its rows, columns and addresses."""
        level = self.level
        material = 0 if level.material_and_clear is None else arena.kept(level.material_and_clear)
        names = arena.put(level.parts) if parts else 0
        of_texels = arena.address(level.colours), arena.address(level.slope_down)
        return level.job, *level.slope_down.shape, *of_texels, material, names

    def straps(self) -> tuple[Any, ...]:
        """Where straps are in the atlas, whether they fade, and the photograph's edge."""
        fades, outer = self.mask.mesh.fades, self.mask.outer
        first_row = self.mask.kind.straps_from * len(self.level.slope_down) - 0.5
        if self.edge is None:
            return first_row, STRAP_COVER, fades, False, *(0.0,) * 8
        to = self.edge.matrix.copy()
        to[:, 2] += to[:, :2] @ (outer.x0, outer.y0)
        return first_row, STRAP_COVER, fades, True, *to.ravel().tolist(), *self.edge.size

    def colours(self) -> tuple[Any, ...]:
        """The numbers of the formulas for colours and for the photograph's range of levels."""
        light, plan = self.light, self.mask.plan
        folds = fold_gains(self.camera, light, plan)
        shine = SHINE + SHEEN * self.mask.kind.gloss, SHINE / 255, FIBRES, SHEEN_OF_RELIEF
        range_of_levels = light.top - ROOM, ROOM, 1 - light.lift / 255, light.lift
        of_shade = USUAL_LIGHT, shade_tint(plan, light), SHEEN_KNEE, SHEEN_ROOM, *dye_numbers(light, plan.fade)
        return plan.sheer, full_light(plan, light), *folds, BRIGHTEST, *shine, *of_shade, *range_of_levels


def _rendered(placed: PlacedMask, values: Floats, pixels: _Pixels, parts: bool) -> Layer:
    """The layer, by the kernel `render`; its arrays are views of the kernels' memory."""
    arena, window, outer = arena_of_thread(), placed.window, placed.outer
    canvas, (points, seen, _, head, _) = window.canvas(pixels.camera.scale), placed.points
    arena.begin_after(pixels.level.slope_down)  # the last array of an atlas that was drawn for this mask
    rows, columns = outer.y1 - outer.y0, outer.x1 - outer.x0
    (paint_at, paint), (alpha_at, alpha) = (arena.room((rows, columns, *of), np.float32) for of in ((4,), ()))
    parts_at, named = arena.room((rows, columns), np.uint8) if parts else (0, None)
    reach, numbers = blur_reach(pixels.grain), rows * columns * FLOAT
    job = (
        *(*canvas, arena.space(canvas[0] * canvas[1] * 4 * FLOAT), arena.space(canvas[0] * SPAN)),
        *(arena.put(points), arena.put(head), len(points), len(head)),
        *(arena.space(len(values) * 3 * FLOAT), arena.put(values)),
        *(arena.put(seen), len(seen), arena.kept(placed.before), len(placed.before)),
        *(window.x0, window.y0, window.x0 - outer.x0, window.y0 - outer.y0),
        *(window.x1 - window.x0, window.y1 - window.y0),
        *(columns, rows, paint_at, arena.space(4 * numbers), alpha_at, arena.space(numbers), parts_at),
        *(arena.space(canvas[1] * 4 * FLOAT), arena.space(columns * TAP), arena.space(rows * BLUR_ROW)),
        *(arena.put(gaussian_kernel(reach, added_blur(pixels.grain))), reach),
        *pixels.atlas(arena, parts),
        *pixels.straps(),
        *pixels.colours(),
    )
    arena.call("render", arena.job(_JOB, *job))
    return Layer(outer, paint, alpha, named, pixels.level.material_and_clear is None and not placed.plan.sheer)


# The structure `Render` of `kernels/render.c`, in its order.
_JOB = JobType(
    "rows columns canvas canvas_spans points head_points count head_count corners values",
    "seen seen_count before before_count from_x from_y left up wide tall layer_columns layer_rows",
    "paint paint_room alpha alpha_room parts mixed taps spans blur reach",
    "cloth atlas_rows atlas_columns colours slope material names",
    "straps_from:f strap_cover:f fades has_edge edge:6f edge_columns:f edge_rows:f",
    "sheer:f light:f across:f down:f level:f brightest:f shine:f shine_of_green:f fibres:f of_relief:f usual:f tint:f",
    "sheen_knee:f sheen_room:f dye:12f knee:f room:f kept:f lift:f",
)
