"""One mask made ready for the renderer, without PyTorch: its mesh in the picture, its atlas, and a few numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats, Image
from maskgen.masks.apply_mask import AnalysedFace, place_mask
from maskgen.masks.composite import SHADOW_WIDTH, scatter_box, shadow_ground, shadow_offset, shadow_radius
from maskgen.masks.kind import AtlasLevel, Kind
from maskgen.masks.lighting.blur_and_noise import added_blur, blur_reach, gaussian_kernel, noise_levels, place_in_tile
from maskgen.masks.lighting.cloth_colour import dye_numbers, fold_gains, full_light, shade_tint
from maskgen.masks.lighting.mesh_values import vertex_values
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.head import Triangles
from maskgen.masks.render import PlacedMask, Window

Whole = NDArray[np.int32]


class MaskNumbers(NamedTuple):
    """The numbers of one mask that the formulas for its pixels take.

    Attributes:
        light: encoded light of a vertex value of 1.
        across, down, level: the shading of the relief, see `cloth_colour.fold_gains`.
        tint: of the shade, see `cloth_colour.shade_tint`.
        gloss: of the kind.
        top, lift: the photograph's brightest and darkest level.
        sheer: share of light that the cloth lets through.
        straps_from: the atlas's row, in texels, from which on it holds straps.
        fades: 1 if the atlas's column encodes the opacity of straps, else 0.
        noise, colour_noise: standard deviations, in levels, 0 for none.
    """

    light: float
    across: float
    down: float
    level: float
    tint: float
    gloss: float
    top: float
    lift: float
    sheer: float
    straps_from: float
    fades: float
    noise: float
    colour_noise: float


@dataclass(frozen=True, slots=True)
class PreparedMask:
    """One mask on one face, ready to be rendered; it pickles.

    Attributes:
        corners: float32 (v, 3), the points of mask and head: x and y in the canvas's pixels with centres at integers,
            and depth toward the viewer.
        values: float32 (v, 3), what they carry, see `mesh_values.vertex_values`.
        triangles: int32 (t, 3).
        canvas: its rows and columns.
        window, outer: see `render.PlacedMask`.
        size: rows and columns of the picture.
        level: the atlas.
        dye: float32 (3, 4), see `cloth_colour.dye_numbers`.
        blur, shadow, scatter: float32 (odd,), kernels of Gaussian blurs: of the mask, of its shadow, and of skin seen
            through thin cloth, the last one of length 0 on opaque cloth.
        ground: int32 (outer rows, 2), for each row of the outer window the first column on which shadow may fall and
            the one after the last, in the picture.
        shadow_by: the shadow's offset in pixels, right and down.
        noise_at: row and column of the noise tile at the outer window's first pixel.
    """

    corners: Floats
    values: Floats
    triangles: Triangles
    canvas: tuple[int, int]
    window: Window
    outer: Window
    size: tuple[int, int]
    level: AtlasLevel
    numbers: MaskNumbers
    dye: Floats
    blur: Floats
    shadow: Floats
    scatter: Floats
    ground: Whole
    shadow_by: tuple[int, int]
    noise_at: tuple[int, int]


def prepare_mask(image: Image, analysed: AnalysedFace, plan: MaskPlan, kind: Kind) -> PreparedMask:
    """Prepare a mask on an analysed face of this picture, uint8 RGB (height, width, 3).

    Raises:
        SetAsideError: as `apply_mask.place_mask`.
    """
    placed = place_mask(image.shape[:2], analysed, plan, kind)
    camera, light, grain = analysed.camera, analysed.light, analysed.grain
    level = placed.kind.colours_at(placed.plan.look, camera.scale)
    canvas = placed.window.canvas(camera.scale)
    xyz, seen, _, head, at_straps = placed.points
    corners = placed.window.on(*canvas, np.concatenate([xyz, head]))
    return PreparedMask(
        corners=corners.astype(np.float32),
        values=vertex_values(placed.mesh, placed.plan, level, at_straps, len(head), camera, light, image),
        triangles=np.concatenate([seen, placed.before + np.int32(len(xyz))]),
        canvas=canvas,
        window=placed.window,
        outer=placed.outer,
        size=(image.shape[0], image.shape[1]),
        level=level,
        numbers=_numbers(placed, analysed, level),
        dye=np.array(dye_numbers(light, placed.plan.fade), np.float32).reshape(3, 4),
        blur=gaussian_kernel(blur_reach(grain), added_blur(grain)),
        shadow=gaussian_kernel(shadow_radius(camera.scale), SHADOW_WIDTH * camera.scale),
        scatter=_scatter(scatter_box(camera.scale)) if placed.plan.sheer else np.zeros(0, np.float32),
        ground=_spans(shadow_ground(analysed.outline, placed.outer), placed.outer),
        shadow_by=shadow_offset(light.direction, camera.scale),
        noise_at=place_in_tile(placed.plan.grain),
    )


def _numbers(placed: PlacedMask, analysed: AnalysedFace, level: AtlasLevel) -> MaskNumbers:
    light, plan, kind = analysed.light, placed.plan, placed.kind
    return MaskNumbers(
        full_light(plan, light),
        *fold_gains(analysed.camera, light, plan),
        shade_tint(plan, light),
        kind.gloss,
        light.top,
        light.lift,
        plan.sheer,
        kind.straps_from * len(level.slope_down) - 0.5,
        float(placed.mesh.fades),
        *noise_levels(analysed.grain),
    )


def _scatter(width: int) -> Floats:
    """The kernel of the mean over so many pixels, taken twice."""
    return np.convolve(box := np.full(width, 1 / width), box).astype(np.float32)


def _spans(corners: Floats, outer: Window) -> Whole:
    """`PreparedMask.ground` of a convex polygon (n, 2) in the outer window, as `kernels/composite.c` finds it."""
    rows = np.arange(outer.y1 - outer.y0)[:, None]
    x, y = corners.T
    next_x, next_y = np.roll(corners, -1, axis=0).T
    crosses = (y <= rows) != (next_y <= rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x + (next_x - x) * ((rows - y) / (next_y - y))
    first = np.floor(np.where(crosses, at, np.inf).min(1).clip(0, outer.x1 - outer.x0) + 0.5)
    last = np.floor(np.where(crosses, at, -np.inf).max(1).clip(-1, outer.x1 - outer.x0 - 1) + 0.5)
    return np.stack([first, last + 1], 1).astype(np.int32) + np.int32(outer.x0)
