"""Pleats of a cloth, drawn for each mask: tucks that run across and face down, as shade, slope and hidden cloth.

Between two folds lies a panel: the shadow of the fold above it, a rise to the fold below it, a bright rim there. Panels
are drawn once, in a bank; a mask selects some of them and lays them between its own lines.

Convention: u across and v down the cloth, 0..1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from maskgen.core.cache.kept_files import kept_array
from maskgen.core.kernels.arena import Arena
from maskgen.core.records import Doubles, Floats
from maskgen.core.seeding import rng_for
from maskgen.masks.kind import LEVEL_GROUND, STEEPNESS, Bytes
from maskgen.masks.world.chances import Chances
from maskgen.masks.world.tile_shapes import Rng

PANEL, COLUMNS = 32, 16  # rows and columns of a panel in the bank
MOST = 4  # pleats of a mask
PLEAT_JOB = f"panels shades panel:{MOST + 1}i lines hides:{MOST}f"  # in the structure `Cloth` of `kernels/cloth.h`
NO_PLEATS = (0,) * (2 * MOST + 4)
LEVEL = 128  # byte of the shade that changes nothing
SHADOW = 0.48  # greatest share of light that the shadow below a fold takes
SHARP = 0.010  # width of the shadow's sharp part, as a share of the cloth's height; the soft part is wider, by SOFT
SOFT = 0.07
LIP = (0.05, 0.025)  # gain of light at a fold's rim, and its width
# How strong the shadow is along its fold, at 9 points: mean, spread, least and most. An even line looks drawn.
EDGE = 9, 0.75, 0.45, 0.1, 1.5
TUCK, TUCK_TONE = (0.02, 0.08), 0.035  # height of the threefold cloth above a fold, and how its light differs
PANEL_TONE = 0.03  # how the light of panels differs
RISE = (0.03, 0.16)  # slope of a panel below a fold that lies flat, and what an open one has more
HIDDEN = 0.09  # cloth hidden in a closed tuck, in eye distances for each 0.1 of the cloth's height
LEAST_GAP = 0.03  # between the middles of two folds, as a share of the cloth's height
# Share of the folds that are pulled flat somewhere along their length, by how much, the widths of that part, how far
# from the middle it lies: stretched over a face, most folds only show toward the sides.
PULLED_FLAT, FLATTENED, FLAT_WIDE, FLAT_OFF = 0.75, (0.4, 1.0), (0.14, 0.4), 0.12
# How much more folds show at the side edges, where the cloth is gathered, and the exponent of the distance to there.
GATHERED = 2.2, 0.9
GROUPS, EACH = 10, 24  # groups of panels in the bank, by how far the folds stand open, and panels in each
OPEN_SHAPE = (1.4, 1.6)  # of the beta distribution of how far a mask's folds stand open


@dataclass(frozen=True, slots=True)
class Pleats:
    """The pleats of one mask, from the uppermost one.

    Attributes:
        lines: float32 (n + 2, 3), the upper edge, each fold and the lower edge: v in the middle, and what it has more
            at the right edge, proportional to the distance from the middle and to its square.
        opens: how far each fold stands open in the middle, 0..1, (n,).
        panels: the numbers of the panels in the bank, (n + 1,).
    """

    lines: Floats
    opens: tuple[float, ...]
    panels: tuple[int, ...]


def draw_pleats(chances: Chances, count: int, pulled: bool = False) -> Pleats:
    """Draw `count` pleats, 1..4; if they are `pulled`, the lowest panel reaches over mouth and chin."""
    low, high, bent, tilted, opened = (chances.uniform() for _ in range(5))
    first = 0.17 + 0.12 * low if count > 1 else 0.35 + 0.25 * low
    gap = (0.60 + 0.14 * high - first) / max(count - 1, 1)
    open_mean, least = _openness(opened) + (0.35 if pulled else 0.0), 0.5 if pulled else 0.05
    lines, opens = [(0.0, 0.0, 0.0)], []
    for number in range(count):
        opens.append(min(max(open_mean + 0.2 * chances.normal(), least), 1.0))
        at = first + gap * number
        bow = 0.07 * (bent - 0.5) + (0.010 + 0.035 * opens[-1]) * at + 0.015 * chances.normal()
        at = max(at + 0.16 * gap * chances.normal() + 0.35 * bow, lines[-1][0] + LEAST_GAP)
        lines.append((at, 0.07 * (tilted - 0.5) + 0.015 * chances.normal(), -bow))
    lines.append((1.0, 0.0, 0.0))
    panels = (_panel(at, count, opens[max(at - 1, 0)], chances.uniform()) for at in range(count + 1))
    return Pleats(np.array(lines, np.float32), tuple(opens), tuple(panels))


def _panel(at: int, count: int, opened: float, drawn: float) -> int:
    """The number of a panel in the bank: the first, a middle or the last one, below a fold that is open so far."""
    which = 0 if at == 0 else 2 if at == count else 1
    return (which * GROUPS + min(int(opened * GROUPS), GROUPS - 1)) * EACH + int(drawn * EACH)


def pleat_fields(arena: Arena, pleats: Pleats) -> tuple[Any, ...]:
    """What the kernel `cloth` needs of pleats, in the order of PLEAT_JOB."""
    count = len(pleats.opens)
    rest = (0,) * (MOST - count)
    hides = (*[HIDDEN * (1 - 0.6 * opened) for opened in pleats.opens], *rest)
    return count + 1, arena.kept(_bank(count)), *pleats.panels, *rest, arena.put(pleats.lines), *hides


@cache
def _bank(count: int) -> Bytes:
    """The panels of masks with `count` pleats, shade and slope as bytes, (3 * GROUPS * EACH, PANEL, COLUMNS, 2): first,
    middle and last ones, and of these from closed folds to open ones."""
    return kept_array(f"pleats {count}", "maskgen.masks", lambda: _drawn_bank(count))


def _drawn_bank(count: int) -> Bytes:
    """`_bank`, drawn anew."""
    rng = rng_for(0, "pleats", count)
    lengths = (0.23, 0.44 / (count - 1), 0.33) if count > 1 else (0.475, 0.3, 0.525)
    drawn = [
        _drawn_panels(rng, which, length) for which, length in zip(("first", "middle", "last"), lengths, strict=True)
    ]
    return np.concatenate(drawn)


def _drawn_panels(rng: Rng, which: str, length: float) -> Bytes:
    """GROUPS * EACH panels of a length, as a share of the cloth's height; a first one has no fold above it, a last one
    none below."""
    count, phase = GROUPS * EACH, (np.arange(PANEL) / PANEL)[:, None]
    above, below = (_opened_along(rng)[:, None] for _ in range(2))
    shown_above, shown = (_shown_along(rng)[:, None] for _ in range(2))
    shade = np.ones((count, PANEL, COLUMNS))
    if which != "first":
        shade -= shown_above * _along(rng, *EDGE)[:, None] * _shadow(phase * length, above)
    shade *= 1 + PANEL_TONE * rng.normal(size=(count, 1, 1))
    slope = 0.30 * rng.random((count, 1, 1)) * np.abs(rng.normal(size=(count, 1, 1))) * (0.5 - phase)
    if which != "last":
        tuck = phase > 1 - rng.uniform(*TUCK, size=(count, 1, 1)) / length
        shade = shade * (1 + shown * TUCK_TONE * rng.normal(size=(count, 1, 1)) * tuck)
        shade = shade + shown * LIP[0] * np.exp((phase - 1) * length / LIP[1])
        wired = np.clip(2 * phase - 0.6, 0, 1) if which == "first" else 1.0  # the wire keeps the upper edge flat
        slope = slope + wired * shown * (RISE[0] + RISE[1] * below)
    slope = np.broadcast_to(slope, shade.shape)
    steps = np.rint(np.stack([LEVEL * shade, LEVEL_GROUND + STEEPNESS * slope], -1))
    return np.clip(steps, 0, 255).astype(np.uint8)


def _opened_along(rng: Rng) -> Doubles:
    """How far folds stand open along their length, less to the sides, (GROUPS * EACH, COLUMNS)."""
    u = (np.arange(COLUMNS) + 0.5) / COLUMNS
    arch = 0.35 + 0.65 * np.sqrt(np.cos(math.pi * (u - 0.5)))
    middle = (np.repeat(np.arange(GROUPS), EACH) + rng.random(GROUPS * EACH)) / GROUPS
    return np.asarray(np.minimum(middle[:, None] * _along(rng, 5, 1.0, 0.3, 0.2, 1.7) * arch, 1.2))


def _shown_along(rng: Rng) -> Doubles:
    """How much of each fold shows along its length, 0..1, (GROUPS * EACH, COLUMNS)."""
    u, size = (np.arange(COLUMNS) + 0.5) / COLUMNS, (GROUPS * EACH, 1)
    flat = rng.uniform(*FLATTENED, size) * (rng.random(size) < PULLED_FLAT)
    off = (u - 0.5 - FLAT_OFF * rng.normal(size=size)) / rng.uniform(*FLAT_WIDE, size)
    gathered = 1 + GATHERED[0] * np.abs(2 * u - 1) ** GATHERED[1]
    return np.asarray((1 - flat * np.exp(-off * off)) * gathered)


def _along(rng: Rng, points: int, mean: float, spread: float, least: float, most: float) -> Doubles:
    """A normal number, clipped, at so many points along each fold and between them, (GROUPS * EACH, COLUMNS)."""
    u, drawn = (np.arange(COLUMNS) + 0.5) / COLUMNS, rng.normal(mean, spread, (GROUPS * EACH, points))
    return np.stack([np.interp(u, np.linspace(0, 1, points), one) for one in np.clip(drawn, least, most)])


def _shadow(below: Doubles, opened: Doubles) -> Doubles:
    """The share of light that a fold takes from the cloth at distances `below` it, where it stands open by `opened`."""
    soft = np.exp(-below / (SHARP + SOFT * opened))
    return np.asarray(SHADOW * (0.45 + 0.55 * opened) * (0.5 * np.exp(-((below / SHARP) ** 2)) + 0.5 * soft))


def _openness(drawn: float) -> float:
    """The quantile of OPEN_SHAPE's beta distribution."""
    quantiles = _beta_quantiles()
    return quantiles[int(drawn * len(quantiles))]


@cache
def _beta_quantiles() -> tuple[float, ...]:
    """The middle quantiles of 256 equal shares of OPEN_SHAPE's beta distribution."""
    at = (np.arange(4096) + 0.5) / 4096
    density = at ** (OPEN_SHAPE[0] - 1) * (1 - at) ** (OPEN_SHAPE[1] - 1)
    share = np.cumsum(density) / density.sum()
    return tuple(np.interp((np.arange(256) + 0.5) / 256, share, at).tolist())
