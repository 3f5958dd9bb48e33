"""The texture atlas of a design, at the one level of detail that its mask needs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from maskgen.core.kernels.arena import Arena, JobType, arena_of_thread
from maskgen.core.records import Doubles
from maskgen.masks.kind import (
    DARKEST,
    LEVEL_GROUND,
    MEDIAN,
    STEEPNESS,
    STRAP_ROWS,
    AtlasLevel,
    AtlasLevels,
    Bytes,
    undyed_levels,
)
from maskgen.masks.lighting.colour import lab_to_rgb, parse_hex_colour
from maskgen.masks.template import PARTS, Template
from maskgen.masks.world.design import DARK, STIFF, WOVEN, Design
from maskgen.masks.world.flat_cloth import flat_map, flat_size
from maskgen.masks.world.pleats import NO_PLEATS, PLEAT_JOB, pleat_fields
from maskgen.masks.world.repeating_prints import Print
from maskgen.masks.world.wrinkles import WRINKLE_JOB, wrinkle_fields

STAINS_FROM = 0.2  # wear, 0..1, above which stains are visible
STAINED = 0.2  # greatest share of the light that stains absorb
# Shares of the steps of the kernel `cloth`: of 1; of a seam's texels and levels; of a pleat's slope; of an ink.
WHOLE, OF_SEAM, OF_RISE, OF_INKS = 32767, np.array([[4096.0], [8.0]]), 4096, 16384
STAIN_COLOUR = tuple(round(WHOLE * share) for share in (0.7, 0.85, 1.0))  # stains darken blue more than red
OF_CLEAR, OF_VALVE = 255, 254  # in the fourth channel of texels with their own dye
STAIN_CELLS = 24, 16  # columns and rows up to which stains are interpolated by cubic polynomials, then by lines
TEXELS, ROOM = 8, 1024  # that the kernel does at once; bytes for each column that it takes as memory
NO_BOXES: tuple[int, ...] = (0,) * 8
NO_PRINT = (0,) * 15
MOST_STRAPS = 4  # of a mask
NO_STRAPS = (0,) * (2 + MOST_STRAPS)
FLAT_LOOK = "flat"  # the look of a template on which a design's pleats and seam are drawn
BLANKS = 32  # blank cloths in the cache, some 100 kB each on a face of 50 pixels between the eyes
RIM = 0.07  # width of the hem with its stitches as a share of the cloth's width and height
TRIM = 0.055  # width of a trim as a share of the cloth's height
BEND = 0.10  # eye distances by which a slope of 1 moves the print
# The level of RGB of `design.DARK`, and the factor on the slopes of dark cloth's pleats: they show by their gloss, not
# by their shade.
DARK_LEVEL, STEEPER = max(lab_to_rgb((DARK, 0.0, 0.0))), 1.5
SEAM = 0.07  # half of the width, as a share of the cloth's, within which a seam's strength is changed
# Texture level of a valve's plastic, and levels that a reflection twice as light adds to its dye.
PLASTIC, GLINT = 200.0, 300.0
SEAM_HEIGHT, SEAM_WIDE = 0.024, 3.3  # depth of a sewn seam and width of the cloth, in eye distances
BAND = 0.085  # height of the band along the upper edge, up to its seam
UPPER = 0.34  # height of the upper part as a share of the cloth's height


class DesignLevels(AtlasLevels):
    """The levels of detail of one mask's atlas, each drawn anew at every call."""

    def __init__(self, template: Template, look: int, design: Design) -> None:
        self._template, self._look, self._design = template, look, design

    def level(self, number: int) -> AtlasLevel:
        """One level."""
        return design_level(blank_cloth(self._template, self._look, number), self._design)

    def level_for_mask(self, number: int) -> AtlasLevel:
        """One level in the kernels' memory, where the kernel `render` draws it; if its columns are no multiple of
        TEXELS, one that is drawn."""
        blank = blank_cloth(self._template, self._look, number)
        ready = blank.level.slope_down.shape[1] % TEXELS != 0
        return (design_level if ready else level_to_draw)(blank, self._design)


class BlankCloth(NamedTuple):
    """The undyed cloth of one look at one level of detail, with what designs need of it.

    Attributes:
        level: its atlas, rows of straps below it included.
        rows: of the cloth.
        rim: rows and columns of the hem.
        middle: the first column of a seam.
        seam: a seam of strength 1: for each of its columns the share of the texel, and levels, that are added to it,
            (n, 2, 4).
        plain: strength at which the seam is that of the template, and nothing is added.
        own: uint8 (rows, columns, 4), the dye of clear parts, with OF_CLEAR in the fourth channel, and what a valve's
            dye is lighter than its colour, with OF_VALVE; None without either.
    """

    template: Template
    level: AtlasLevel
    rows: int
    rim: tuple[int, int]
    middle: int
    seam: Doubles
    plain: float
    own: Bytes | None


@lru_cache(BLANKS)
def blank_cloth(template: Template, look: int, number: int) -> BlankCloth:
    """The cloth of a look at one level of detail."""
    level = undyed_levels(template)[look][number]
    rows = len(level.slope_down) - (STRAP_ROWS >> number) * len(template.straps)
    columns = level.slope_down.shape[1]
    flat = template.looks[look].name == FLAT_LOOK
    seam = (_sewn if flat else _own_seam)(columns)
    return BlankCloth(
        template=template,
        level=level,
        rows=rows,
        rim=(max(1, round(RIM * rows)), max(1, round(RIM * columns))),
        middle=columns // 2 - len(seam) // 2,
        seam=seam,
        plain=0.0 if flat else 1.0,
        own=_own_dye(level, rows),
    )


def _own_dye(level: AtlasLevel, rows: int) -> Bytes | None:
    """`BlankCloth.own`."""
    through, valve = level.material_and_clear, level.parts[:rows] == PARTS["valve"]
    own = np.zeros((rows, *level.colours.shape[1:]), np.uint8)
    if through is not None:
        own[through[:rows, :, 1] > 0] = *[round(MEDIAN)] * 3, OF_CLEAR  # transparent parts take no dye
    # A reflection, lighter than the plastic, takes no dye.
    shine = np.maximum(level.colours[:rows, :, :1][valve] / np.float32(PLASTIC) - 1, 0)
    own[valve, :3], own[valve, 3] = np.rint(np.minimum(GLINT * shine, 255)), OF_VALVE
    return own if own.any() else None


def _own_seam(columns: int) -> Doubles:
    """`BlankCloth.seam` of a template's own seam: how its shade and slope differ from plain cloth."""
    half = max(1, round(SEAM * columns))
    window = 0.5 + 0.5 * np.cos(np.pi * (np.arange(2 * half) + 0.5 - half) / half)
    seam = np.ones((2 * half, 2, 4))
    seam[:, 1] = -MEDIAN, -MEDIAN, -MEDIAN, -LEVEL_GROUND
    return np.asarray(window[:, None, None] * seam)


def _sewn(columns: int) -> Doubles:
    """`BlankCloth.seam` of a seam on cloth without one: a furrow between two rounded edges."""
    half = max(2, round(SEAM * columns))
    away = np.abs((np.arange(2 * half) + 0.5 - half) / columns * 2)
    furrow = np.exp(-((away / 0.010) ** 2))
    height = SEAM_HEIGHT * (0.8 * np.exp(-(((away - 0.03) / 0.02) ** 2)) - furrow)
    seam = np.zeros((2 * half, 2, 4))
    seam[:, 0, :3] = -0.14 * furrow[:, None]
    seam[:, 1, 3] = np.gradient(height) * columns / SEAM_WIDE * STEEPNESS
    return seam


def design_level(blank: BlankCloth, design: Design) -> AtlasLevel:
    """The atlas of a design on a template's undyed cloth, at one level of detail."""
    level, columns = level_to_draw(blank, design), blank.level.slope_down.shape[1]
    arena_of_thread().call("draw_cloth", level.job)
    colours, down = level.colours[:, :columns].copy(), level.slope_down[:, :columns].copy()
    return level._replace(colours=colours, slope_down=down, job=0)


def level_to_draw(blank: BlankCloth, design: Design) -> AtlasLevel:
    """`design_level` before the kernel `cloth` draws it, with columns up to a multiple of TEXELS; valid until
    `Arena.begin` of this thread's arena."""
    arena = arena_of_thread()
    arena.begin()
    whole, columns = blank.level.slope_down.shape
    stride = -(-columns // TEXELS) * TEXELS
    job = arena.space(_JOB.packed.size)
    made = (
        *_relief(arena, blank, design),
        *_dye(arena, blank, design),
        *(NO_PLEATS if design.pleats is None else pleat_fields(arena, design.pleats)),
        round(OF_RISE * (STEEPER if max(design.ground) < DARK_LEVEL else 1.0)),
        *_print(arena, blank, design, design.picture),
        *_straps(blank, design),
        arena.space(ROOM * stride),
    )
    of_blank = arena.kept(blank.level.colours), arena.kept(blank.level.slope_down)
    at, drawn = arena.room((whole, stride, 4), _BYTE)
    down_at, down = arena.room((whole, stride), _BYTE)  # the last array
    arena.fill(job, _JOB, blank.rows, columns, stride, *of_blank, at, down_at, *made)
    return AtlasLevel(drawn, down, blank.level.material_and_clear, blank.level.parts, job)


_BYTE = np.dtype(np.uint8)
# The structure `Cloth` of `kernels/cloth.h`, in its order.
_JOB = JobType(
    "rows columns stride blank blank_down drawn drawn_down",
    "rim_rows rim_columns rimless seam_from seam_columns seam",
    WRINKLE_JOB,
    "ground second boxes:8i dark_rows dark_columns dark stain:3i own valve",
    *(PLEAT_JOB, "steep"),
    "side channels pixels inks paper flat bend:f turn:4f shift:2f tile printed",
    f"straps strap_rows strap_colours:{MOST_STRAPS}u room",
)


def _relief(arena: Arena, blank: BlankCloth, design: Design) -> tuple[Any, ...]:
    """What the kernel needs of rim, seam and wrinkles."""
    rows, columns = blank.rows, blank.level.slope_down.shape[1]
    strength, count, seam = design.seam - blank.plain, 0, 0
    if strength:
        steps = np.rint(strength * blank.seam * OF_SEAM)
        count, seam = len(steps), arena.put(steps.astype(np.int16))
    stiff, woven = design.form in STIFF, design.form in WOVEN
    wrinkles = wrinkle_fields(arena, design.wrinkles, design.crest, stiff, woven, (columns, rows))
    return *blank.rim, round((1 - design.rim) * WHOLE), blank.middle, count, seam, *wrinkles


def _dye(arena: Arena, blank: BlankCloth, design: Design) -> tuple[Any, ...]:
    """What the kernel needs of colours, stains and parts with their own dye."""
    rows, columns = blank.rows, blank.level.slope_down.shape[1]
    second, boxes = 0, NO_BOXES
    if design.second is not None:
        second, boxes = _pixel(design.second), _boxes(design.part, rows, columns)
    stains = 0, 0, 0
    if design.worn > STAINS_FROM:
        twice = design.stains * design.stains
        dark = np.asarray(STAINED * design.worn * WHOLE * (twice * twice), np.float32)
        fine = cv2.resize(dark, STAIN_CELLS, interpolation=cv2.INTER_CUBIC)
        stains = *fine.shape, arena.put(fine)
    ground = _pixel(design.ground)
    if blank.own is None:  # no texel has the valve's dye
        return ground, second, *boxes, *stains, *STAIN_COLOUR, 0, 0
    return ground, second, *boxes, *stains, *STAIN_COLOUR, arena.kept(blank.own), _pixel(design.valve)


def _pixel(colour: Iterable[float], fourth: int = 0) -> int:
    """The four bytes of a pixel as the kernel's number; no colour is darker than DARKEST."""
    red, green, blue = [round(max(each, DARKEST)) for each in colour]
    return red | green << 8 | blue << 16 | fourth << 24


def _boxes(part: str, rows: int, columns: int) -> tuple[int, ...]:
    """The regions of a cloth that have the second colour, two times the first row and column and those beyond it."""
    if part == "halves":
        return 0, columns // 2, rows, columns, *NO_BOXES[4:]
    if part == "sides":
        side = round(0.27 * columns)
        return 0, 0, rows, side, 0, columns - side, rows, columns
    if part == "band":
        return 0, 0, max(1, round(BAND * rows)), columns, *NO_BOXES[4:]
    if part == "upper":
        return 0, 0, round(UPPER * rows), columns, *NO_BOXES[4:]
    edge = max(1, round(TRIM * rows))
    return 0, 0, edge, columns, rows - edge, 0, rows, columns


def _print(arena: Arena, blank: BlankCloth, design: Design, picture: Print | None) -> tuple[Any, ...]:
    """What the kernel needs of a print. On mirrored cloth it is mirrored, so that it is not on the mask."""
    if picture is None:
        return NO_PRINT
    rows, columns = blank.level.slope_down.shape
    pixels = len(picture.drawing) / picture.size  # of the drawing per eye distance
    finest = 1.5 * columns / flat_size(blank.template)[0]
    drawn = picture.halved(math.ceil(math.log2(max(pixels / finest, 1.0))))
    side, _, channels = drawn.shape
    pixels *= side / len(picture.drawing)
    c, s = math.cos(picture.angle) * pixels, math.sin(picture.angle) * pixels
    x, y = picture.at
    middle = (side - 1) / 2
    shift = middle - (c * x + s * y), middle - (c * y - s * x)
    way = -1 if design.mirrored else 1
    return (
        *(side, channels, arena.put(drawn), *((0, 0) if picture.mix is None else _inks(arena, picture.mix))),
        *(arena.kept(flat_map(blank.template)), BEND / STEEPNESS, way * c, s, -way * s, c, *shift),
        *(arena.space(4 * (side + 3) ** 2), arena.space(4 * rows * (columns + TEXELS))),
    )


def _inks(arena: Arena, mix: Doubles) -> tuple[int, int]:
    """Addresses of `Print.mix` by the numbers of a pixel, in pairs, and of the colour itself."""
    steps = np.zeros((4, 4), np.int32)
    steps[:3] = np.rint(OF_INKS * mix)
    pairs = np.zeros((2, 4, 2), np.int16)
    pairs[0], pairs[1, :, 0] = steps[:, :2], steps[:, 2]
    return arena.put(pairs), arena.put(steps[:, 3])


def _straps(blank: BlankCloth, design: Design) -> tuple[Any, ...]:
    """What the kernel needs of the rows below the cloth."""
    colours = _strap_colours(blank.template)
    if not colours:
        return NO_STRAPS
    if design.loops is not None:
        colours = (_pixel(design.loops, LEVEL_GROUND),) * len(colours)
    elif None in colours:
        own = design.ground if design.part != "trim" or design.second is None else design.second
        of_mask = _pixel(own, LEVEL_GROUND)
        colours = tuple([of_mask if of is None else of for of in colours])
    count = len(colours)
    return count, (len(blank.level.parts) - blank.rows) // count, *colours, *NO_STRAPS[count + 2 :]


@cache
def _strap_colours(template: Template) -> tuple[int | None, ...]:
    """The straps' own colours as pixels; None for the mask's."""
    colours = (strap.colour for strap in template.straps)
    return tuple(None if of == "mask" else _pixel(parse_hex_colour(of), LEVEL_GROUND) for of in colours)
