"""From a design to the atlas of one mask, at the one level of detail that is read of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import overload

import cv2
import numpy as np

from maskgen.core.records import Floats
from maskgen.core.seeding import rng_for
from maskgen.masks.colour import rgb
from maskgen.masks.design import Design
from maskgen.masks.flat import flat_map, flat_size, printed
from maskgen.masks.kind import DARKEST, LEVELS, MEDIAN, RIBBON_ROWS, STEEPNESS, Bytes, Level, blank_levels
from maskgen.masks.prints import SIDE, Print
from maskgen.masks.template import Template

BANK, CELLS = 40, 48  # wrinkles that masks are made of, and their rows and columns
PER_MASK = 5
STAINS = 12  # cells of a worn mask's stains from side to side
STAINED = 0.35  # what much wear takes of the light at most
TRIM = 0.055  # of the cloth's height
UPPER = 0.34


class Woven(Sequence[Level]):
    """The levels of one mask's atlas, each made when it is asked for."""

    def __init__(self, template: Template, look: int, design: Design) -> None:
        self._template, self._look, self._design = template, look, design

    def __len__(self) -> int:
        return LEVELS

    @overload
    def __getitem__(self, at: int) -> Level: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Level]: ...
    def __getitem__(self, at: int | slice) -> Level | Sequence[Level]:
        if isinstance(at, slice):
            return [self[number] for number in range(LEVELS)[at]]
        number = range(LEVELS)[at]
        return woven(self._template, blank_levels(self._template)[self._look][number], number, self._design)


def woven(template: Template, blank: Level, number: int, design: Design) -> Level:
    """The atlas of a design on a template's undyed cloth, at one level of detail."""
    band = RIBBON_ROWS >> number
    rows = len(blank.down) - band * len(template.ribbons)
    columns = blank.down.shape[1]
    dyed = _dyed(template, design, columns, rows)
    if blank.through is not None:
        dyed[blank.through[:rows, :, 1] > 0] = MEDIAN  # what is clear takes no dye
    colours, down = np.empty_like(blank.colours), blank.down.copy()
    cv2.multiply(blank.colours[:rows], dyed, dst=colours[:rows], scale=1 / MEDIAN)
    _wrinkled(colours[:rows], down[:rows], design)
    own = design.ground if design.part != "trim" or design.second is None else design.second
    for at, ribbon in enumerate(template.ribbons):
        said = own if ribbon.colour == "mask" else rgb(ribbon.colour)
        colour = said if design.loops is None else design.loops
        colours[rows + at * band : rows + (at + 1) * band, :, :3] = np.rint(np.maximum(colour, DARKEST))
        colours[rows + at * band : rows + (at + 1) * band, :, 3] = blank.colours[-1, 0, 3]
    return Level(colours, down, blank.through, blank.parts)


def _dyed(template: Template, design: Design, columns: int, rows: int) -> Bytes:
    """The cloth's colours, (rows, columns, 4); the fourth is MEDIAN everywhere, so that slopes stay as they are."""
    dyed = np.empty((rows, columns, 4), np.uint8)
    dyed[:] = (*np.rint(design.ground), MEDIAN)
    if design.picture is not None:
        _print(template, design.picture, dyed)
    if design.second is not None:
        for part in _parts(design.part, columns, rows):
            dyed[part][..., :3] = np.rint(design.second)
    if design.worn > 0.2:
        _stain(dyed, design)
    return np.maximum(dyed, np.uint8(DARKEST), out=dyed)


def _parts(part: str, columns: int, rows: int) -> list[tuple[slice, slice]]:
    """Which rows and columns of a cloth have the second colour."""
    every, edge = slice(None), max(1, round(TRIM * rows))
    if part == "halves":
        return [(every, slice(columns // 2, None))]
    if part == "sides":
        side = round(0.27 * columns)
        return [(every, slice(0, side)), (every, slice(columns - side, None))]
    if part == "upper":
        return [(slice(0, round(UPPER * rows)), every)]
    return [(slice(0, edge), every), (slice(rows - edge, None), every)]


def _print(template: Template, picture: Print, dyed: Bytes) -> None:
    """Lay a print on the cloth, without stretch."""
    rows, columns = dyed.shape[:2]
    tile, pixels = picture.picture, SIDE / picture.size  # a pixel of the print for an eye distance
    finest = columns / flat_size(template)[0]
    if pixels > finest:
        side = max(4, round(finest * picture.size))
        tile, pixels = cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA), side / picture.size
    c, s = np.cos(picture.angle) * pixels, np.sin(picture.angle) * pixels
    turn = np.array([[c, s], [-s, c]])
    shift = (len(tile) - 1) / 2 - turn @ np.array(picture.at)
    repeats = tile.shape[2] == 3
    way = cv2.BORDER_WRAP if repeats else cv2.BORDER_CONSTANT
    laid = printed(tile, flat_map(template), turn, shift, (columns, rows), way)
    if repeats:
        cv2.mixChannels([laid], [dyed], [0, 0, 1, 1, 2, 2])
        return
    x, y, wide, tall = cv2.boundingRect(cv2.extractChannel(laid, 3))
    part, on = dyed[y : y + tall, x : x + wide, :3], laid[y : y + tall, x : x + wide]
    opacity = on[..., 3:].astype(np.float32) / 255
    part[:] = np.rint(part + opacity * (on[..., :3].astype(np.float32) - part))


def _stain(dyed: Bytes, design: Design) -> None:
    """What wear leaves: soft stains that take light, more of the blue."""
    rng = rng_for(design.seed, "stains")
    noise = np.abs(rng.normal(size=(STAINS // 2, STAINS, 1))) ** 2 * 0.3
    left = 1 - STAINED * design.worn * np.minimum(noise, 1.0) * np.array([0.7, 0.85, 1.0, 0.0])
    coarse = (128 * left).astype(np.uint8)
    fine = cv2.resize(coarse, dyed.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    cv2.multiply(dyed, fine, dst=dyed, scale=1 / 128)


@cache
def _bank() -> Floats:
    """Slopes of single wrinkles, float32 (BANK, CELLS, CELLS, 2): right and down, of a height of about 1 hundredth of
    an eye distance; half run from the loops' ends to the middle, half anywhere."""
    u, v = np.meshgrid(*[(np.arange(CELLS) + 0.5) / CELLS] * 2)
    out = np.empty((BANK, CELLS, CELLS, 2), np.float32)
    for number in range(BANK):
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
        length, width = rng.uniform(0.3, 1.1), rng.uniform(0.035, 0.11)
        height = 0.01 * np.exp(-((off / width) ** 2) - ((along / length) ** 2)) * rng.choice([-1, 1])
        out[number, ..., 0] = np.gradient(height, axis=1) * CELLS / 3.3
        out[number, ..., 1] = np.gradient(height, axis=0) * CELLS / 1.7
    return out * STEEPNESS


def _wrinkled(colours: Bytes, down: Bytes, design: Design) -> None:
    """Add some wrinkles of the bank, half of them mirrored, to the slopes of a cloth; in place."""
    rng = rng_for(design.seed, "wrinkles")
    which = rng.integers(BANK, size=(2, PER_MASK))
    depth = rng.exponential(0.9, (2, PER_MASK)).astype(np.float32)
    sums = [np.tensordot(depth[side], _bank()[which[side]], 1) for side in range(2)]
    total = sums[0] + sums[1][:, ::-1] * np.array([-1, 1], np.float32)
    slopes = cv2.resize(total, down.shape[::-1], interpolation=cv2.INTER_LINEAR)
    across = cv2.add(cv2.extractChannel(colours, 3), cv2.extractChannel(slopes, 0), dtype=cv2.CV_8U)
    cv2.insertChannel(across, colours, 3)
    cv2.add(down, cv2.extractChannel(slopes, 1), dst=down, dtype=cv2.CV_8U)
