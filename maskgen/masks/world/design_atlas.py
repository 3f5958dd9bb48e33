"""The texture atlas of a design, at the one level of detail that its mask needs."""

from __future__ import annotations

import sys
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats
from maskgen.core.seeding import rng_for
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
from maskgen.masks.lighting.colour import parse_hex_colour
from maskgen.masks.template import PARTS, Template
from maskgen.masks.world.design import CELLS, WRINKLES, Design
from maskgen.masks.world.flat_cloth import flat_bounds, flat_map, flat_size, printed
from maskgen.masks.world.pleats import LEVEL, PleatFields, pleat_fields
from maskgen.masks.world.repeating_prints import SIDE, Print

STAINS_FROM = 0.2  # wear, 0..1, above which stains are visible
STAINED = 0.2  # greatest share of the light that stains absorb
TRIM = 0.055  # width of a trim as a share of the cloth's height
BEND = 0.10  # eye distances by which a slope of 1 moves the print
MOVED = 0.5  # greatest distance, in eye distances, by which folds and pleats move a print
SEAM = 0.07  # half of the width, as a share of the cloth's, within which a seam's strength is changed
# Texture level of a valve's plastic, and levels that a reflection twice as light adds to its dye.
PLASTIC, GLINT = 200.0, 300.0
SEAM_HEIGHT, SEAM_WIDE = 0.024, 3.3  # depth of a sewn seam and width of the cloth, in eye distances
UPPER = 0.34  # height of the upper part as a share of the cloth's height


class DesignLevels(AtlasLevels):
    """The levels of detail of one mask's atlas."""

    def __init__(self, template: Template, look: int, design: Design) -> None:
        self._template, self._look, self._design = template, look, design

    def level(self, number: int) -> AtlasLevel:
        """One level, drawn anew at every call."""
        return design_level(self._template, undyed_levels(self._template)[self._look][number], number, self._design)


def design_level(template: Template, blank: AtlasLevel, number: int, design: Design) -> AtlasLevel:
    """The atlas of a design on a template's undyed cloth, at one level of detail."""
    blank = _mirrored(blank) if design.mirrored else blank
    blank = _sewn(blank, design.seam) if design.flat else _with_seam(blank, design.seam)
    band = STRAP_ROWS >> number
    rows = len(blank.slope_down) - band * len(template.straps)
    columns = blank.slope_down.shape[1]
    colours, down = np.empty_like(blank.colours), blank.slope_down.copy()
    folded = None if design.pleats is None else pleat_fields(design.pleats, rows, columns)
    across = _slopes(blank, down[:rows], design, folded)
    dyed = _dyed(template, design, (rows, columns), MovedCloth(across, down[:rows], folded))
    if blank.material_and_clear is not None:
        dyed[blank.material_and_clear[:rows, :, 1] > 0] = MEDIAN  # transparent parts take no dye
    _dye_valves(dyed, blank, design)
    cv2.multiply(blank.colours[:rows], dyed, dst=colours[:rows], scale=1 / MEDIAN)
    if folded is not None:
        level = np.full_like(folded.shade, LEVEL)
        shade = cv2.merge([folded.shade, folded.shade, folded.shade, level])
        cv2.multiply(colours[:rows], shade, dst=colours[:rows], scale=1 / LEVEL)
    cv2.insertChannel(across, colours[:rows], 3)
    own = design.ground if design.part != "trim" or design.second is None else design.second
    for at, strap in enumerate(template.straps):
        said = own if strap.colour == "mask" else parse_hex_colour(strap.colour)
        colour = said if design.loops is None else design.loops
        _fill(colours[rows + at * band : rows + (at + 1) * band], colour, LEVEL_GROUND)
    return AtlasLevel(colours, down, blank.material_and_clear, blank.parts)


def _mirrored(level: AtlasLevel) -> AtlasLevel:
    """An atlas whose cloth is mirrored, slopes included; its straps are the same all across."""
    colours = cv2.flip(level.colours, 1)
    across = cv2.subtract(2 * LEVEL_GROUND, cv2.extractChannel(colours, 3), dtype=cv2.CV_8U)
    cv2.insertChannel(across, colours, 3)
    through = None if level.material_and_clear is None else cv2.flip(level.material_and_clear, 1)
    return AtlasLevel(colours, cv2.flip(level.slope_down, 1), through, cv2.flip(level.parts, 1))


def _with_seam(level: AtlasLevel, strength: float) -> AtlasLevel:
    """An atlas whose middle columns have `strength` times the shade and slope across."""
    if strength == 1:
        return level
    colours, columns = level.colours.copy(), level.colours.shape[1]
    half = max(1, round(SEAM * columns))
    part = colours[:, columns // 2 - half : columns // 2 + half]
    window = 0.5 + 0.5 * np.cos(np.pi * (np.arange(2 * half, dtype=np.float32) + 0.5 - half) / half)
    level_of = np.array([MEDIAN, MEDIAN, MEDIAN, LEVEL_GROUND], np.float32)
    gain = (1 + np.float32(strength - 1) * window)[:, None]
    part[:] = np.clip(np.rint(level_of + gain * (part - level_of)), 0, 255)
    return AtlasLevel(colours, level.slope_down, level.material_and_clear, level.parts)


def _sewn(level: AtlasLevel, strength: float) -> AtlasLevel:
    """An atlas of cloth without a seam, with a seam down the middle: a furrow between two rounded edges."""
    if not strength:
        return level
    colours, columns = level.colours.copy(), level.colours.shape[1]
    half = max(2, round(SEAM * columns))
    part = colours[:, columns // 2 - half : columns // 2 + half]
    away = np.abs((np.arange(2 * half) + 0.5 - half) / columns * 2)
    furrow = np.exp(-((away / 0.010) ** 2))
    height = SEAM_HEIGHT * (0.8 * np.exp(-(((away - 0.03) / 0.02) ** 2)) - furrow)
    slope = np.gradient(height) * columns / SEAM_WIDE * STEEPNESS * strength
    dark = 1 - 0.14 * strength * furrow
    gain, more = np.stack([dark, dark, dark, np.ones_like(dark)], 1), np.zeros((2 * half, 4))
    more[:, 3] = slope
    part[:] = np.clip(np.rint(part * gain.astype(np.float32) + more.astype(np.float32)), 0, 255)
    return AtlasLevel(colours, level.slope_down, level.material_and_clear, level.parts)


def _dyed(template: Template, design: Design, shape: tuple[int, int], moved: MovedCloth) -> Bytes:
    """The cloth's colours, (rows, columns, 4); the fourth is MEDIAN everywhere, so that slopes stay as they are."""
    rows, columns = shape
    dyed = np.empty((rows, columns, 4), np.uint8)
    _fill(dyed, design.ground, round(MEDIAN))
    if design.picture is not None:
        _print(template, design.picture, dyed, moved)
    if design.second is not None:
        for part in _parts(design.part, columns, rows):
            _fill(dyed[part], design.second, round(MEDIAN))
    if design.worn > STAINS_FROM:
        _stain(dyed, design)
    return dyed


def _fill(part: Bytes, colour: Doubles, fourth: int) -> None:
    """Write one colour and a fourth value to all pixels (h, w, 4), one 32-bit number per pixel; rows are contiguous."""
    four = bytes([*(round(max(value, DARKEST)) for value in colour.tolist()), fourth])
    part.view(np.uint32)[..., 0] = int.from_bytes(four, sys.byteorder)


def _parts(part: str, columns: int, rows: int) -> list[tuple[slice, slice]]:
    """The regions (rows and columns) of a cloth that have the second colour."""
    every, edge = slice(None), max(1, round(TRIM * rows))
    if part == "halves":
        return [(every, slice(columns // 2, None))]
    if part == "sides":
        side = round(0.27 * columns)
        return [(every, slice(0, side)), (every, slice(columns - side, None))]
    if part == "upper":
        return [(slice(0, round(UPPER * rows)), every)]
    return [(slice(0, edge), every), (slice(rows - edge, None), every)]


class MovedCloth(NamedTuple):
    """The slopes of a cloth, bytes (rows, columns), and its pleats: where its flat places come to lie."""

    across: Bytes
    down: Bytes
    folded: PleatFields | None

    def flat(self, template: Template) -> Floats:
        """`flat_map` of the cloth with its folds: a fold gathers cloth, so that a print runs closer together there."""
        place = flat_map(template)
        size = place.shape[1::-1]
        small = cv2.merge([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (self.across, self.down)])
        bend = BEND / STEEPNESS
        bent = cv2.addWeighted(place, 1.0, small.astype(np.float32), bend, -bend * LEVEL_GROUND)
        return np.asarray(bent)

    def hidden(self) -> Floats | None:
        """Flat y that the texels are moved by through the cloth hidden in pleats, 0 in the middle; None without."""
        if self.folded is None:
            return None
        rows, columns = self.folded.hidden.shape
        return self.folded.hidden - self.folded.hidden[rows // 2, columns // 2]


def _print(template: Template, picture: Print, dyed: Bytes, moved: MovedCloth) -> None:
    """Draw a print on the cloth without stretching it; it follows folds and pleats."""
    rows, columns = dyed.shape[:2]
    tile, pixels = picture.picture, SIDE / picture.size  # pixels of the print per eye distance
    finest = columns / flat_size(template)[0]
    while pixels > 1.5 * finest and len(tile) > 8:
        tile, pixels = cv2.resize(tile, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), pixels / 2
    c, s = np.cos(picture.angle) * pixels, np.sin(picture.angle) * pixels
    turn = np.array([[c, s], [-s, c]])
    shift = (len(tile) - 1) / 2 - turn @ np.array(picture.at)
    way = cv2.BORDER_REPLICATE if tile.shape[2] == 3 else cv2.BORDER_CONSTANT
    if tile.shape[2] == 3:
        tile, shift = _repeated(tile, template, turn, shift)
    laid = printed(tile, moved.flat(template), turn, shift, (columns, rows), way, moved.hidden())
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
    bounds = flat_bounds(template) + [[-MOVED], [MOVED]]
    corners = np.stack(np.meshgrid(*bounds.T), -1).reshape(4, 2) @ turn.T + shift
    first = np.floor((corners.min(0) - 2) / len(tile))
    times = np.ceil((corners.max(0) + 2) / len(tile)) - first
    return np.tile(tile, (int(times[1]), int(times[0]), 1)), shift - first * len(tile)


def _stain(dyed: Bytes, design: Design) -> None:
    """Darken the cloth with soft stains, in blue more than in red."""
    left = 1 - STAINED * design.worn * design.stains[..., None] * np.array([0.7, 0.85, 1.0, 0.0])
    coarse = (128 * left).astype(np.uint8)
    rows, columns = dyed.shape[:2]
    soft = cv2.resize(coarse, (max(columns // 4, 12), max(rows // 4, 6)), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(soft, (columns, rows), interpolation=cv2.INTER_LINEAR)  # cubic at once takes three times as long
    cv2.multiply(dyed, fine, dst=dyed, scale=1 / 128)


def _dye_valves(dyed: Bytes, blank: AtlasLevel, design: Design) -> None:
    """Give valves their own colour, in place. A reflection, lighter than the plastic, takes no dye."""
    on = blank.parts[: len(dyed)] == PARTS["valve"]
    if on.any():
        shine = np.maximum(blank.colours[: len(dyed), :, :1][on] / np.float32(PLASTIC) - 1, 0)
        dyed[on, :3] = np.clip(np.rint(np.maximum(design.valve, DARKEST) + GLINT * shine), 0, 255)


@cache
def _bank() -> Floats:
    """Slopes of single wrinkles to the right and down, float32 (WRINKLES, CELLS * CELLS * 2).

    A wrinkle is about a hundredth of an eye distance high, with a sharp crest between two slopes. Half of the wrinkles
    run inward from the ends of the loops, half lie anywhere. The second half of the bank mirrors the first.
    """
    u, v = np.meshgrid(*[(np.arange(CELLS) + 0.5) / CELLS] * 2)
    out = np.empty((WRINKLES, CELLS, CELLS, 2), np.float32)
    for number in range(WRINKLES // 2):
        rng = rng_for(0, "wrinkle", number)
        x, y = 3.3 * u, 1.7 * v
        if number % 2:
            from_, toward = rng.uniform([0, 0], [3.3, 1.7]), rng.normal() * 0.8
        else:
            from_ = np.array([0.1, 0.15 if number % 4 else 1.55])
            toward = rng.uniform(0.1, 0.8) * (1 if number % 4 else -1)
        along = (x - from_[0]) * np.cos(toward) + (y - from_[1]) * np.sin(toward)
        off = -(x - from_[0]) * np.sin(toward) + (y - from_[1]) * np.cos(toward)
        off = off + rng.normal() * 0.25 * along * along
        length, width = rng.uniform(0.3, 1.1), rng.uniform(0.035, 0.16)
        height = 0.014 * np.exp(-np.abs(off) / width - (along / length) ** 2) * rng.choice([-1, 1])
        out[number, ..., 0] = np.gradient(height, axis=1) * CELLS / 3.3
        out[number, ..., 1] = np.gradient(height, axis=0) * CELLS / 1.7
    half = WRINKLES // 2
    out[half:] = out[:half, :, ::-1] * [-1, 1]
    return np.asarray(out.reshape(WRINKLES, -1) * STEEPNESS)


def _slopes(blank: AtlasLevel, down: Bytes, design: Design, folded: PleatFields | None) -> Bytes:
    """Slopes across, (rows, columns), of the blank cloth with the design's wrinkles, bent as it says, and its pleats;
    adds those down to `down`, in place."""
    which, depth = design.wrinkles
    total = (depth @ _bank()[which]).reshape(CELLS, CELLS, 2)
    total = cv2.warpAffine(total, design.bent, (CELLS, CELLS), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    slopes = cv2.resize(total.astype(np.int16), down.shape[::-1], interpolation=cv2.INTER_LINEAR)
    right, lower = cv2.split(slopes)
    if folded is not None:
        lower = cv2.addWeighted(lower, 1.0, folded.slope, STEEPNESS, 0.0, dtype=cv2.CV_16S)
    across = cv2.add(cv2.extractChannel(blank.colours[: len(down)], 3), right, dtype=cv2.CV_8U)
    cv2.add(down, lower, dst=down, dtype=cv2.CV_8U)
    return np.asarray(across)
