"""The texture atlas of a design, at the one level of detail that its mask needs."""

from __future__ import annotations

import math
import sys
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
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
from maskgen.masks.world.flat_cloth import flat_bounds, flat_map, flat_size, printed
from maskgen.masks.world.pleats import LEVEL, PleatFields, pleat_fields
from maskgen.masks.world.repeating_prints import Print
from maskgen.masks.world.tile_shapes import SIDE
from maskgen.masks.world.wrinkles import wrinkle_slopes

STAINS_FROM = 0.2  # wear, 0..1, above which stains are visible
STAINED = 0.2  # greatest share of the light that stains absorb
STAIN_COLOUR, UNSTAINED = np.array([0.7, 0.85, 1.0]), np.full(3, 128.0)
FLAT_LOOK = "flat"  # the look of a template on which a design's pleats and seam are drawn
SHARPER = 0.9  # strength of `_sharpened`
BLANKS = 32  # blank cloths in the cache, some 100 kB each on a face of 50 pixels between the eyes
RIM = 0.07  # width of the hem with its stitches as a share of the cloth's width and height
TRIM = 0.055  # width of a trim as a share of the cloth's height
BEND = 0.10  # eye distances by which a slope of 1 moves the print
MOVED = 0.5  # greatest distance, in eye distances, by which folds and pleats move a print
# The level of RGB of `design.DARK`, and the factor on the slopes of dark cloth's pleats: they show by their gloss, not
# by their shade.
DARK_LEVEL, STEEPER = float(lab_to_rgb((DARK, 0.0, 0.0)).max()), 1.5
SEAM = 0.07  # half of the width, as a share of the cloth's, within which a seam's strength is changed
# Texture level of a valve's plastic, and levels that a reflection twice as light adds to its dye.
PLASTIC, GLINT = 200.0, 300.0
SEAM_HEIGHT, SEAM_WIDE = 0.024, 3.3  # depth of a sewn seam and width of the cloth, in eye distances
BAND = 0.085  # height of the band along the upper edge, up to its seam
UPPER = 0.34  # height of the upper part as a share of the cloth's height


class DesignLevels(AtlasLevels):
    """The levels of detail of one mask's atlas."""

    def __init__(self, template: Template, look: int, design: Design) -> None:
        self._template, self._look, self._design = template, look, design

    def level(self, number: int) -> AtlasLevel:
        """One level, drawn anew at every call."""
        return design_level(blank_cloth(self._template, self._look, number), self._design)


class BlankCloth(NamedTuple):
    """The undyed cloth of one look at one level of detail, with what designs need of it; rows of straps lie below.

    Attributes:
        level: its atlas, straps included.
        colours: uint8 (rows, columns, 4), of the cloth.
        slopes: uint8 (rows, columns, 2), across and down.
        middle: the columns of a seam.
        seam: what a seam of strength 1 adds to colours and slopes of `middle`, int16 (rows, n, 4) and (rows, n, 2).
        plain: strength at which the seam is that of the template, and nothing is added.
        clear: where it is transparent and takes no dye, bool (rows, columns); None if nowhere.
        valve: where it is a valve, bool (rows, columns), and how much lighter than plastic it is there, (n, 1); None
            without one.
    """

    template: Template
    level: AtlasLevel
    colours: Bytes
    slopes: Bytes
    middle: slice
    seam: tuple[NDArray[np.int16], NDArray[np.int16]]
    plain: float
    clear: NDArray[np.bool_] | None
    valve: tuple[NDArray[np.bool_], Floats] | None


@lru_cache(BLANKS)
def blank_cloth(template: Template, look: int, number: int) -> BlankCloth:
    """The cloth of a look at one level of detail."""
    level = undyed_levels(template)[look][number]
    rows = len(level.slope_down) - (STRAP_ROWS >> number) * len(template.straps)
    colours = level.colours[:rows]
    slopes = cv2.merge([cv2.extractChannel(colours, 3), level.slope_down[:rows]])
    flat = template.looks[look].name == FLAT_LOOK
    middle, seam = (_sewn if flat else _own_seam)(colours)
    through = level.material_and_clear
    clear = None if through is None or not through[:rows, :, 1].any() else through[:rows, :, 1] > 0
    valve = level.parts[:rows] == PARTS["valve"]
    shine = np.maximum(colours[..., :1][valve] / np.float32(PLASTIC) - 1, 0)
    return BlankCloth(
        template=template,
        level=level,
        colours=colours,
        slopes=slopes,
        middle=middle,
        seam=(seam, np.ascontiguousarray(np.dstack([seam[..., 3], np.zeros_like(seam[..., 3])]))),
        plain=0.0 if flat else 1.0,
        clear=clear,
        valve=(valve, shine) if valve.any() else None,
    )


def _sharpened(picture: Bytes) -> Bytes:
    """A print with the contrast of its finest details that it loses when a mask's pixels are interpolated from it.

    Only prints: sharpened weave and fleece look like felt.
    """
    soft = cv2.GaussianBlur(picture, (3, 3), 0.8)
    return np.asarray(cv2.addWeighted(picture, 1 + SHARPER, soft, -SHARPER, 0))


def _own_seam(colours: Bytes) -> tuple[slice, NDArray[np.int16]]:
    """The columns of a template's own seam, and its shade and slope across there."""
    columns = colours.shape[1]
    half = max(1, round(SEAM * columns))
    middle = slice(columns // 2 - half, columns // 2 + half)
    window = 0.5 + 0.5 * np.cos(np.pi * (np.arange(2 * half, dtype=np.float32) + 0.5 - half) / half)
    own = colours[:, middle] - np.array([MEDIAN, MEDIAN, MEDIAN, LEVEL_GROUND], np.float32)
    return middle, np.rint(window[:, None] * own).astype(np.int16)


def _sewn(colours: Bytes) -> tuple[slice, NDArray[np.int16]]:
    """The columns of a seam on cloth without one, its shade and slope across: a furrow between two rounded edges."""
    columns = colours.shape[1]
    half = max(2, round(SEAM * columns))
    middle = slice(columns // 2 - half, columns // 2 + half)
    away = np.abs((np.arange(2 * half) + 0.5 - half) / columns * 2)
    furrow = np.exp(-((away / 0.010) ** 2))
    height = SEAM_HEIGHT * (0.8 * np.exp(-(((away - 0.03) / 0.02) ** 2)) - furrow)
    seam = -0.14 * furrow[:, None] * colours[:, middle]
    seam[..., 3] = np.gradient(height) * columns / SEAM_WIDE * STEEPNESS
    return middle, np.rint(seam).astype(np.int16)


def design_level(blank: BlankCloth, design: Design) -> AtlasLevel:
    """The atlas of a design on a template's undyed cloth, at one level of detail."""
    rows, columns = blank.slopes.shape[:2]
    colours, down = np.empty_like(blank.level.colours), np.empty_like(blank.level.slope_down)
    down[rows:] = LEVEL_GROUND
    cloth, slope_down = colours[:rows], down[:rows]
    folded = None if design.pleats is None else pleat_fields(design.pleats, rows, columns)
    slopes = _slopes(blank, design)
    dyed = _dyed(blank, design, slopes, folded)
    undyed = _with_rim(blank.colours, design.rim)
    undyed = _with_seam(undyed, blank.middle, blank.seam[0], design.seam - blank.plain)
    cv2.multiply(undyed, dyed, dst=cloth, scale=1 / MEDIAN)
    rise = None if folded is None else _shaded(cloth, folded)
    cv2.mixChannels([slopes], [cloth, slope_down], [0, 3, 1, 4])
    if rise is not None:
        steep = STEEPER if max(design.ground) < DARK_LEVEL else 1.0
        cv2.addWeighted(slope_down, 1.0, rise, steep, -LEVEL_GROUND * steep, dst=slope_down)
    _dye_straps(colours[rows:], blank.template, design)
    return AtlasLevel(colours, down, blank.level.material_and_clear, blank.level.parts)


def _with_rim(picture: Bytes, strength: float) -> Bytes:
    """The picture of a cloth with so much of its rim, 0..1, and for the rest what lies inside of it, mirrored."""
    if strength == 1:
        return picture
    down, across = (max(1, round(RIM * side)) for side in picture.shape[:2])
    inner = picture[down:-down, across:-across]
    rimless = cv2.copyMakeBorder(inner, down, down, across, across, cv2.BORDER_REFLECT)
    return np.asarray(cv2.addWeighted(picture, strength, rimless, 1 - strength, 0.0))


def _with_seam(picture: Bytes, middle: slice, seam: NDArray[np.int16], strength: float) -> Bytes:
    """The picture with so much of a seam; the picture itself for none."""
    if not strength:
        return picture
    sewn = picture.copy()
    part = sewn[:, middle]
    cv2.addWeighted(part, 1.0, seam, strength, 0.0, dst=part, dtype=cv2.CV_8U)
    return sewn


def _shaded(cloth: Bytes, folded: PleatFields) -> Bytes:
    """Shade a cloth's colours by pleats, in place; returns the pleats' slope down as in an atlas, (rows, columns)."""
    shade, slope = cv2.split(cv2.resize(folded.shade_and_slope, cloth.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    cv2.multiply(cloth, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGBA), dst=cloth, scale=1 / LEVEL)
    return np.asarray(slope, np.uint8)


def _dye_straps(bands: Bytes, template: Template, design: Design) -> None:
    """Write the straps' colours to the rows below the cloth."""
    if design.loops is not None:
        _fill(bands, design.loops, LEVEL_GROUND)
        return
    own = design.ground if design.part != "trim" or design.second is None else design.second
    count = len(template.straps)
    for part, strap in zip(bands.reshape(max(count, 1), -1, *bands.shape[1:]), template.straps, strict=False):
        _fill(part, own if strap.colour == "mask" else parse_hex_colour(strap.colour), LEVEL_GROUND)


def _dyed(blank: BlankCloth, design: Design, slopes: Bytes, folded: PleatFields | None) -> Bytes:
    """The cloth's colours, uint8 (rows, columns, 4); the fourth says nothing."""
    rows, columns = slopes.shape[:2]
    stained = design.worn > STAINS_FROM
    if stained and design.picture is None and design.second is None:
        dyed = _soft(design, np.maximum(design.ground, DARKEST), (columns, rows))
    else:
        dyed = _full((rows, columns), design.ground)
        if design.picture is not None:
            _print(blank.template, design, design.picture, dyed, slopes, folded)
            dyed = _sharpened(dyed)
        if design.second is not None:
            for part in _parts(design.part, columns, rows):
                _fill(dyed[part], design.second)
        if stained:
            cv2.multiply(dyed, _soft(design, UNSTAINED, (columns, rows)), dst=dyed, scale=1 / UNSTAINED[0])
    if blank.clear is not None:
        dyed[blank.clear] = MEDIAN  # transparent parts take no dye
    if blank.valve is not None:
        on, shine = blank.valve  # a reflection, lighter than the plastic, takes no dye
        dyed[on, :3] = np.clip(np.rint(np.maximum(design.valve, DARKEST) + GLINT * shine), 0, 255)
    return dyed


def _full(shape: tuple[int, int], colour: Doubles) -> Bytes:
    """A picture (*shape, 4) of one colour."""
    return np.full(shape, _pixel(colour, 0), np.uint32).view(np.uint8).reshape(*shape, 4)


def _fill(part: Bytes, colour: Doubles, fourth: int = 0) -> None:
    """Write one colour and a fourth value to all pixels (h, w, 4), one 32-bit number per pixel; rows are contiguous."""
    part.view(np.uint32)[..., 0] = _pixel(colour, fourth)


def _pixel(colour: Doubles, fourth: int) -> int:
    """The four bytes of a pixel as one number; no colour is darker than DARKEST."""
    red, green, blue = colour.tolist()
    four = bytes((round(max(red, DARKEST)), round(max(green, DARKEST)), round(max(blue, DARKEST)), fourth))
    return int.from_bytes(four, sys.byteorder)


def _parts(part: str, columns: int, rows: int) -> list[tuple[slice, slice]]:
    """The regions (rows and columns) of a cloth that have the second colour."""
    every, edge = slice(None), max(1, round(TRIM * rows))
    if part == "halves":
        return [(every, slice(columns // 2, None))]
    if part == "sides":
        side = round(0.27 * columns)
        return [(every, slice(0, side)), (every, slice(columns - side, None))]
    if part == "band":
        return [(slice(0, max(1, round(BAND * rows))), every)]
    if part == "upper":
        return [(slice(0, round(UPPER * rows)), every)]
    return [(slice(0, edge), every), (slice(rows - edge, None), every)]


def _moved(template: Template, slopes: Bytes) -> Floats:
    """`flat_map` of the cloth with its folds: a fold gathers cloth, so that a print runs closer together there."""
    place = flat_map(template)
    small = cv2.resize(slopes, place.shape[1::-1], interpolation=cv2.INTER_AREA)
    bend = BEND / STEEPNESS
    return np.asarray(cv2.addWeighted(place, 1.0, small, bend, -bend * LEVEL_GROUND, dtype=cv2.CV_32F))


def _print(
    template: Template, design: Design, picture: Print, dyed: Bytes, slopes: Bytes, folded: PleatFields | None
) -> None:
    """Draw a print on the cloth without stretching it; it follows folds and pleats. On mirrored cloth it is mirrored,
    so that it is not on the mask."""
    rows, columns = dyed.shape[:2]
    pixels = SIDE / picture.size  # of the print per eye distance
    finest = 1.5 * columns / flat_size(template)[0]
    times = min(math.ceil(math.log2(max(pixels / finest, 1.0))), len(picture.sizes) - 1)
    tile, pixels = picture.halved(times), pixels / 2**times
    c, s = math.cos(picture.angle) * pixels, math.sin(picture.angle) * pixels
    turn = np.array([[c, s], [-s, c]])
    shift = (len(tile) - 1) / 2 - turn @ picture.at
    if design.mirrored:
        turn[:, 0] *= -1
    hidden = None if folded is None or design.pleats is None else folded.hidden(design.pleats, columns)
    lower = None if hidden is None else hidden - hidden[rows // 2, columns // 2]  # 0 in the middle
    way = cv2.BORDER_REPLICATE if tile.shape[2] == 3 else cv2.BORDER_CONSTANT
    if tile.shape[2] == 3:
        tile, shift = _repeated(tile, template, turn, shift)
    laid = printed(tile, _moved(template, slopes), turn, shift, (columns, rows), way, lower)
    if tile.shape[2] == 3:
        cv2.mixChannels([laid], [dyed], [0, 0, 1, 1, 2, 2])
        return
    x, y, wide, tall = cv2.boundingRect(cv2.extractChannel(laid, 3))
    part, on = dyed[y : y + tall, x : x + wide, :3], laid[y : y + tall, x : x + wide]
    opacity = on[..., 3:].astype(np.float32) / 255
    part[:] = np.rint(part + opacity * (on[..., :3].astype(np.float32) - part))


def _repeated(tile: Bytes, template: Template, turn: Doubles, shift: Doubles) -> tuple[Bytes, Doubles]:
    """The tile repeated to cover the flat cloth, and the shift from flat coordinates into that picture.

    Sampling one tile with wrap-around would take six times as long.
    """
    side = len(tile)
    (left, top), (right, bottom) = (flat_bounds(template) + [[-MOVED], [MOVED]]).tolist()
    firsts, times = [], []
    for (of_x, of_y), move in zip(turn.tolist(), shift.tolist(), strict=True):
        middle = move + of_x * (left + right) / 2 + of_y * (top + bottom) / 2
        reach = abs(of_x) * (right - left) / 2 + abs(of_y) * (bottom - top) / 2 + 2
        firsts.append(math.floor((middle - reach) / side))
        times.append(math.ceil((middle + reach) / side) - firsts[-1])
    return cv2.repeat(tile, times[1], times[0]), shift - np.array(firsts) * side


def _soft(design: Design, colour: Doubles, size: tuple[int, int]) -> Bytes:
    """A picture of `size` (columns, rows) and four channels in a colour with soft stains, which darken blue more than
    red."""
    dark = STAINED * design.worn * design.stains[..., None] ** 4
    coarse = np.zeros((*design.stains.shape, 4), np.uint8)
    coarse[..., :3] = colour - dark * (colour * STAIN_COLOUR)
    soft = cv2.resize(coarse, (24, 16), interpolation=cv2.INTER_CUBIC)
    return cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)  # cubic at once takes several times as long


def _slopes(blank: BlankCloth, design: Design) -> Bytes:
    """Slopes across and down, uint8 (rows, columns, 2), of the blank cloth with the design's seam and wrinkles."""
    stiff, woven, size = design.form in STIFF, design.form in WOVEN, blank.slopes.shape[1::-1]
    wrinkled = wrinkle_slopes(design.wrinkles, design.crest, stiff, woven, size)
    rimmed = _with_rim(blank.slopes, design.rim)
    sewn = _with_seam(rimmed, blank.middle, blank.seam[1], design.seam - blank.plain)
    return np.asarray(cv2.addWeighted(sewn, 1.0, wrinkled, 1.0, -LEVEL_GROUND))
