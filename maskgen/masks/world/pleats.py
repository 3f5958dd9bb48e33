"""Pleats of a cloth, drawn for each mask: tucks that run across and face down, as shade, slope and hidden cloth.

A tuck is one profile down the cloth (a panel that rises to the fold, the fold, the shadow below it) that is the same
for all tucks but for a few numbers, so it is drawn in a small table and laid along the tucks' lines.

Convention: u across and v down the cloth, 0..1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
from maskgen.masks.world.repeating_prints import Rng

PANEL, COLUMNS = 32, 16  # rows of the table per panel between two folds, and its columns from left to right
APART = 4  # texels between the columns of a cloth at which pleats are computed: their lines are nearly level
LEVEL = 128  # byte of the shade that changes nothing
SHADOW = 0.62  # greatest share of light that the shadow below a fold takes
SHARP = 0.010  # width of the shadow's sharp part, as a share of the cloth's height; the soft part is wider, by SOFT
SOFT = 0.045
LIP = (0.05, 0.012)  # gain of light at a fold's rim, and its width
RISE = (0.05, 0.45)  # slope of a panel below a fold that lies flat, and what an open one has more
HIDDEN = 0.09  # cloth hidden in a closed tuck, in eye distances for each 0.1 of the cloth's height


@dataclass(frozen=True, slots=True)
class Pleats:
    """The pleats of one mask, from the uppermost one.

    Attributes:
        at: (n,), v of each in the middle.
        bow: (n,), how far its ends are above its middle.
        tilt: (n,), how far its right end is below the middle.
        opens: (n,), how far it stands open in the middle, 0..1.
        uneven: (n, 5), factors on `opens` from left to right, about 1.
        billow: (n + 1,), slope that a panel has at its upper end more than at its lower end.
    """

    at: Doubles
    bow: Doubles
    tilt: Doubles
    opens: Doubles
    uneven: Doubles
    billow: Doubles


def draw_pleats(rng: Rng, count: int, pulled: bool = False) -> Pleats:
    """Draw `count` pleats; if they are `pulled`, the lowest panel reaches over mouth and chin."""
    low, high, common, tilt, swell = rng.random(5).tolist()
    each = np.minimum(np.maximum(rng.normal(size=(4, count)), -2), 2)
    first, last = 0.17 + 0.12 * low, 0.60 + 0.14 * high
    gap = (last - first) / max(count - 1, 1)
    at = first + gap * np.arange(count) if count > 1 else np.array([0.35 + 0.25 * low])
    opens = rng.beta(1.4, 1.6) + 0.2 * each[0] + (0.35 if pulled else 0.0)
    opens = np.minimum(np.maximum(opens, 0.5 if pulled else 0.05), 1.0)
    return Pleats(
        at=at + 0.10 * gap * each[1],
        bow=0.035 * (common - 0.5) + (0.010 + 0.035 * opens) * at + 0.004 * each[2],
        tilt=0.042 * (tilt - 0.5) + 0.006 * each[3],
        opens=opens,
        uneven=np.minimum(np.maximum(1 + 0.3 * rng.normal(size=(count, 5)), 0.2), 1.7),
        billow=0.30 * swell * np.abs(rng.normal(size=count + 1)),
    )


@dataclass(frozen=True, slots=True)
class PleatFields:
    """Pleats at the texels of a cloth, (rows, columns) each.

    Attributes:
        shade: uint8, the factor on the cloth's light, LEVEL for 1.
        slope: float32, slope down of the relief.
        hidden: float32, the cloth hidden in the pleats above, in eye distances.
    """

    shade: NDArray[np.uint8]
    slope: Floats
    hidden: Floats


def pleat_fields(pleats: Pleats, rows: int, columns: int) -> PleatFields:
    """The pleats at the texels of a cloth."""
    table = _table(pleats)
    coarse = max(columns // APART, 1)
    across = (np.arange(coarse, dtype=np.float32) + np.float32(0.5)) / np.float32(coarse)
    panel = _panels(pleats, rows, across)
    panel *= np.float32(PANEL)
    panel -= np.float32(0.5)
    column = np.broadcast_to(across * np.float32(COLUMNS) - np.float32(0.5), panel.shape)
    laid = cv2.remap(table, np.ascontiguousarray(column), panel, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shade, slope, hidden = cv2.split(cv2.resize(laid, (columns, rows), interpolation=cv2.INTER_LINEAR))
    return PleatFields(cv2.convertScaleAbs(shade, alpha=LEVEL), slope, hidden)


def _lines(pleats: Pleats, across: Floats) -> Floats:
    """v of each pleat at places across the cloth, (n, places)."""
    u = 2 * across - 1
    side = pleats.tilt[:, None] * u - pleats.bow[:, None] * (u * u)
    return np.asarray(pleats.at[:, None] + 0.35 * pleats.bow[:, None] + side, np.float32)


def _panels(pleats: Pleats, rows: int, across: Floats) -> Floats:
    """The number of the panel at each texel and how far down it, n.0 just below a fold to n.999 above the next one."""
    down = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None]
    lines = _lines(pleats, across)
    ends = [np.zeros_like(lines[0]), *lines, np.ones_like(lines[0])]
    total = np.zeros((rows, len(across)), np.float32)
    for upper, lower in zip(ends, ends[1:], strict=False):
        scale = 1 / np.maximum(lower - upper, np.float32(0.02))
        part = down * scale
        part -= upper * scale
        total += np.minimum(np.maximum(part, 0, out=part), 1, out=part)
    return total


def _table(pleats: Pleats) -> Floats:
    """Shade, slope and hidden cloth, float32 ((n + 1) * PANEL, COLUMNS, 3)."""
    count = len(pleats.at)
    opened = np.minimum(pleats.opens[:, None] * (pleats.uneven @ _RAGGED), 1.2)[:, None]  # (n, 1, COLUMNS)
    length = np.diff(np.concatenate([_START, pleats.at, _END]))[:, None, None]
    out = np.empty((count + 1, PANEL, COLUMNS, 3), np.float32)
    shade, slope, hidden = (out[..., at] for at in range(3))
    shade[0] = 1.0
    shade[1:] = 1 - _shadow(_PHASE * length[1:], opened)
    shade[:-1] += LIP[0] * np.exp((_PHASE - 1) * length[:-1] / LIP[1])
    slope[:] = pleats.billow[:, None, None] * (0.5 - _PHASE)
    rise = RISE[0] + RISE[1] * opened
    slope[0] += np.minimum(np.maximum(2 * _PHASE - 0.6, 0), 1) * rise[0]  # the wire keeps the upper edge flat
    slope[1:-1] += rise[1:]
    hidden[0] = 0.0
    hidden[1:] = np.cumsum(HIDDEN * (1 - 0.6 * np.minimum(opened, 1)), axis=0)
    return out.reshape(-1, COLUMNS, 3)


def _shadow(below: Doubles, opened: Doubles) -> Doubles:
    """The share of light that a fold takes from the cloth at distances `below` it, where it stands open by `opened`."""
    soft = np.exp(-below / (SHARP + SOFT * opened))
    return np.asarray(SHADOW * (0.45 + 0.55 * opened) * (0.55 * np.exp(-((below / SHARP) ** 2)) + 0.45 * soft))


def _ragged() -> Doubles:
    """Weights (5, COLUMNS) from `Pleats.uneven` to the openness along a pleat, which is less to the sides."""
    u = (np.arange(COLUMNS) + 0.5) / COLUMNS
    arch = 0.35 + 0.65 * np.sqrt(np.cos(math.pi * (u - 0.5)))
    return np.stack([np.interp(u, np.linspace(0, 1, 5), one) for one in np.eye(5)]) * arch


_RAGGED, _START, _END = _ragged(), np.zeros(1), np.ones(1)
_PHASE = ((np.arange(PANEL) + 0.5) / PANEL)[:, None]
