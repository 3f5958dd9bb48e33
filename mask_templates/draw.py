"""Draw the textures of the built-in masks: what is white, what is creased, what is welded or stitched.

    python draw.py            # writes the texture and relief of every look into its template's folder beside this file

Each look of a template has two pictures of 1024 x 1024 over its cloth, u across and v down by length along the cloth:
`texture.png`, the cloth's own light and shade, which the mask's colour is multiplied with, and `relief.png`, its
height, 128 the level of the sheet. A texture's alpha channel says where cloth is cut out; `clear.png` is how much light
a material lets through, `parts.png` what it is (`maskgen.masks.template.PARTS`). Needs NumPy and OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 1024
Field = NDArray[np.float64]
V, U = np.meshgrid((np.arange(SIDE) + 0.5) / SIDE, (np.arange(SIDE) + 0.5) / SIDE, indexing="ij")
ASPECT = 1.25  # how much longer the cloth is across than down
ACROSS = np.abs(2 * U - 1)  # 0 in the middle, 1 at the sides
# Threads, or embossed points, across the cloth. A power of two: the coarser levels of a texture are means over 2, 4, 8
# pixels, in which other periods beat with the pixels and leave rings.
THREADS = 256


VALVE, WINDOW, SHIELD, GLASSES = 3, 4, 5, 6


@dataclass(frozen=True)
class Drawn:
    """One look, every field (SIDE, SIDE).

    `shade` is about 1, `height` -1..1, `material` and `clear` 0..1; `own` (SIDE, SIDE, 3), 0..1 RGB, is the colour of
    what is clear, which no dye changes.
    """

    shade: Field
    height: Field
    material: Field | None = None
    clear: Field | None = None
    own: Field | None = None
    parts: NDArray[np.uint8] | None = None


def bump(x: Field, at: float, width: float) -> Field:
    """A soft ridge of height 1 along x = at."""
    return np.asarray(np.exp(-(((x - at) / width) ** 2)))


def step(x: Field, at: float, width: float) -> Field:
    """0 before `at`, 1 after it."""
    return np.asarray(1 / (1 + np.exp(np.clip(-(x - at) / width * 4, -50, 50))))


def noise(seed: int, coarse: float, fine: float = 0.0) -> Field:
    """Smooth noise of unit deviation; `coarse` and `fine` are blurs in pixels."""
    field = np.random.default_rng(seed).normal(size=(SIDE, SIDE))
    field = cv2.GaussianBlur(field, (0, 0), coarse)
    if fine:
        field -= cv2.GaussianBlur(field, (0, 0), fine)
    return np.asarray((field - field.mean()) / field.std())


def dashes(along: Field, across: Field, at: float, pitch: float, length: float, width: float) -> Field:
    """Stitches or welds in a row: 1 on each, along one coordinate and at one place of the other."""
    phase = (along / pitch) % 1.0
    on = step(phase, (1 - length) / 2, 0.2) * (1 - step(phase, (1 + length) / 2, 0.2))
    return np.asarray(on * bump(across, at, width))


def dots(pitch: float, size: float) -> Field:
    """The embossed points of bonded fleece, in a staggered grid."""
    row = np.floor(V / pitch)
    x, y = (U / pitch + 0.5 * (row % 2)) % 1 - 0.5, (V / pitch) % 1 - 0.5
    return np.asarray(np.exp(-(x**2 + y**2) / size**2))


def fleece(seed: int) -> tuple[Field, Field]:
    """Bonded fleece: fine fibres and embossed points, as shade (about 1) and height (about 0)."""
    fibres = noise(seed, 0.8, 4.0)
    points = dots(1 / THREADS, 0.3)
    return 1 + 0.012 * fibres - 0.02 * points, 0.02 * fibres - 0.02 * points


def tension(seed: int, strength: float, count: int = 9, parted: bool = False) -> Field:
    """Folds that cloth throws where it is pulled: from the loops' ends inward, some from the nose's sides down: toward
    the middle, or if they are `parted` away from it, softly, so that none crosses a seam or another one there."""
    rng = np.random.default_rng(seed)
    height = np.zeros((SIDE, SIDE))
    x, y = 2.2 * U, V
    for number in range(count):
        side, lower = number % 2, (number // 2) % 3
        if lower < 2:
            begin = np.array([2.15 if side else 0.05, 0.92 if lower else 0.10])
            toward = (-1 if lower else 1) * rng.uniform(0.05, 0.75)
        else:
            begin = np.array([1.1 + (0.3 if side else -0.3) * rng.uniform(0.5, 1.3), 0.12])
            toward = rng.uniform(0.9, 1.5)
        apart = parted and lower == 2
        c, s = (-1 if bool(side) != apart else 1) * np.cos(toward), np.sin(toward)
        along, off = (x - begin[0]) * c + (y - begin[1]) * s, -(x - begin[0]) * s + (y - begin[1]) * c
        off = off + rng.normal() * 0.25 * along**2 + 0.012 * noise(seed + number, 60)
        width, length = rng.uniform(0.03, 0.07) * (1.8 if apart else 1.0), rng.uniform(0.3, 0.8)
        fold = np.tanh(2.5 * off / width) * np.exp(-((off / (2.2 * width)) ** 2))
        if number % 3 == 0:
            fold = np.exp(-((off / width) ** 2))
        fold *= (0.5 if apart else 1.0) * np.exp(-((along / length) ** 2))
        height += fold * step(along, 0.12, 0.25)
    return np.asarray(strength * height)


def wrinkles(seed: int, strength: float) -> Field:
    """Soft creases that run mostly across."""
    field = np.random.default_rng(seed).normal(size=(SIDE, SIDE))
    field = cv2.GaussianBlur(field, (0, 0), sigmaX=90, sigmaY=22)
    return np.asarray(strength * field / field.std())


def crumpled(seed: int, strength: float) -> Field:
    """Flat facets between sharp creases, as in paper that was folded and smoothed out; they run mostly across."""
    field = np.random.default_rng(seed).normal(size=(SIDE, SIDE))
    field = cv2.GaussianBlur(field, (0, 0), sigmaX=85, sigmaY=42)
    return np.asarray(-strength * np.abs(field / field.std()) * (1 - step(ACROSS, 0.93, 0.03)))


def uneven(seed: int) -> Field:
    """0.25..1.15, different from place to place along a fold: here it stands open, there it lies flat."""
    return np.asarray(np.clip(0.7 + 0.35 * noise(seed, 110), 0.25, 1.15))


def domed(away: Field, rim: float, top: float) -> Field:
    """Height 0..1 of a moulded cap: a slope between `rim` and `top`, wide enough to be seen from afar, then a low
    dome; `away` is the distance from its middle."""
    slope = np.clip((rim - away) / (rim - top), 0, 1)
    return np.asarray(0.8 * slope * slope * (3 - 2 * slope) + 0.2 * np.clip(1 - (away / rim) ** 2, 0, 1))


def set_on(shade: Field, height: Field, away: Field, x: Field, y: Field, plastic: Field, raised: Field) -> Drawn:
    """The cloth with a piece of plastic on it where `away` is below 1: its shadow on the cloth, most below it, its
    welded edge, a highlight on its upper shoulder. `x` and `y` are places relative to its size."""
    on = 1 - step(away, 1.0, 0.04)
    shadow = 0.30 * np.exp(-(np.maximum(np.hypot(x, y - 0.12) - 0.98, 0) / 0.10)) + 0.16 * bump(away, 1.02, 0.07)
    shine = bump(np.hypot((x + 0.25) / 1.5, y + 0.52), 0.0, 0.16)
    # The plastic's own grey is PLASTIC, so that the highlight is lighter than the colour it is dyed in.
    plastic = PLASTIC * (plastic - 0.22 * bump(away, 1.0, 0.05)) + 0.22 * shine
    shade = shade * (1 - on) * (1 - np.clip(shadow, 0, 0.45)) + plastic * on
    return Drawn(shade, height * (1 - on) + raised * on, parts=np.where(on > 0.5, VALVE, 1).astype(np.uint8))


PLASTIC = 0.86


def valve(shade: Field, height: Field, u: float, v: float, size: float) -> Drawn:
    """The same cloth with a valve of plastic welded on at (u, v): a flange, a cap and the slots in its lower half."""
    x, y = (U - u) * ASPECT / size, (V - v) / size
    square = (np.abs(x) ** 4 + np.abs(y) ** 4) ** 0.25
    within = 1 - step(square, 0.52, 0.06)
    slots = within * step(y, -0.05, 0.1) * (np.sin(y * 20) > 0.1)
    slots = cv2.GaussianBlur(slots, (0, 0), 2.0)
    plastic = 1 - 0.16 * bump(square, 0.84, 0.05) - 0.45 * slots
    return set_on(shade, height, square, x, y, plastic, 0.2 + 0.75 * domed(square, 0.84, 0.55) - 0.15 * slots)


# Where a tuck is, how far it bows down in the middle, how far it hangs to one side.
Tuck = tuple[float, float, float]
THREE = ((0.25, 0.004, 0.006), (0.43, 0.010, -0.008), (0.62, 0.018, 0.006))
FOUR = ((0.23, 0.002, -0.004), (0.36, 0.006, 0.005), (0.50, 0.010, 0.002), (0.65, 0.014, -0.007))
PULLED = ((0.20, -0.015, 0.020), (0.66, 0.045, -0.025))


def surgical() -> tuple[Field, Field]:
    """Three tucks that open toward the middle."""
    return tucked(THREE, 1, 1.0, 1.0)


def surgical_four() -> tuple[Field, Field]:
    """Four narrow tucks, pressed flat as from the box."""
    return tucked(FOUR, 201, 0.55, 0.8)


def surgical_pulled() -> tuple[Field, Field]:
    """Two tucks pulled open to the chin, the cloth between them creased and swollen."""
    shade, height = tucked(PULLED, 221, 0.6, 1.7)
    return shade, height + 0.18 * noise(230, 85) * (1 - step(ACROSS, 0.9, 0.05))


def tucked(tucks: tuple[Tuck, ...], seed: int, deep: float, creased: float) -> tuple[Field, Field]:
    """Fleece in tucks that face down, with bound edges, a wire in the top edge and welded sides; `deep` and `creased`
    say how far the tucks open and how strongly the cloth is creased, 1 for what is usual."""
    shade, height = fleece(seed)
    inner = 1 - step(ACROSS, 0.925, 0.015)
    for at, bow, tilt in tucks:
        line = V - at - bow * np.cos(np.pi * ACROSS / 2) - tilt * (2 * U - 1) - 0.0012 * noise(int(at * 100), 70)
        opened = 0.45 + 0.55 * np.cos(np.pi * ACROSS / 2) ** 0.5
        # The panel above a fold is flat and rises to it; at the fold it ends abruptly.
        height += 0.42 * deep * opened * np.clip((line + 0.15) / 0.15, 0, 1) * (1 - step(line, 0.002, 0.008))
        # Below the fold's edge lies its own shadow, hard at the edge and soft below.
        below = np.maximum(line, 0)
        under = 0.5 * np.exp(-((below / 0.009) ** 2)) + 0.5 * np.exp(-below / (0.010 + 0.035 * deep * opened))
        shade -= 0.30 * deep**0.5 * step(line, 0.0, 0.004) * under * (0.5 + 0.5 * inner) * uneven(seed + int(at * 100))
        shade += 0.05 * np.clip((line + 0.03) / 0.03, 0, 1) * (1 - step(line, 0.0, 0.004))
    height += (
        0.7 * creased * (wrinkles(seed + 2, 0.05) + tension(seed + 3, 0.16, 10) + crumpled(seed + 4, 0.25)) * inner
    )
    return _bound(shade, height)


def surgical_flat() -> tuple[Field, Field]:
    """The same without tucks, for masks whose tucks are drawn one by one (`maskgen.masks.world.pleats`)."""
    return tucked((), 241, 1.0, 0.35)


def _bound(shade: Field, height: Field) -> tuple[Field, Field]:
    """The edges of a surgical mask: bound and stitched, a wire over the nose, welded sides; in place."""
    for edge, inward in ((0.0, 1), (1.0, -1)):
        band = 1 - step((V - edge) * inward, 0.075, 0.004)
        shade += 0.01 * band - 0.12 * bump(V, edge, 0.012)
        shade -= 0.10 * bump(V, edge + inward * 0.077, 0.0035)
        for row in (0.018, 0.052):
            shade -= 0.07 * dashes(U, V, edge + inward * row, 0.010, 0.45, 0.0035)
    wire = bump(V, 0.036, 0.016) * (1 - step(ACROSS, 0.46, 0.02))
    height += 0.15 * wire
    shade -= 0.06 * bump(V, 0.058, 0.006) * (1 - step(ACROSS, 0.46, 0.02))
    for weld in (0.945, 0.975):
        shade -= 0.10 * dashes(V, ACROSS, weld, 0.016, 0.5, 0.006)
    shade += 0.01 * step(ACROSS, 0.93, 0.004)
    shade -= 0.09 * bump(ACROSS, 0.927, 0.005)
    return shade, height


def n95() -> tuple[Field, Field]:
    """A moulded cup: a pressed rim, a ring about the bowl, faint ribs, a metal clip over the nose."""
    fibres = noise(11, 1.2, 6.0)
    shade, height = 1 + 0.014 * fibres, 0.02 * fibres + 0.03 * noise(12, 26)
    rim = np.maximum(ACROSS, np.abs(2 * V - 1))
    round_rim = ((ACROSS**6 + np.abs(2 * V - 1) ** 6) ** (1 / 6)).clip(0, 1.2)
    height -= 0.40 * step(round_rim, 0.90, 0.02)
    shade -= 0.05 * bump(round_rim, 0.905, 0.012)
    shade -= 0.05 * step(rim, 0.97, 0.01)
    weld = (((U * 74) % 1 - 0.5) ** 2 + ((V * 74) % 1 - 0.5) ** 2) < 0.09
    shade -= 0.035 * cv2.GaussianBlur(weld.astype(float), (0, 0), 1.2) * step(round_rim, 0.925, 0.01)
    for at in (0.44, 0.60):
        line = V - at + 0.05 * (1 - ACROSS**2) * np.sign(at - 0.52)
        height += 0.22 * bump(line, 0.0, 0.016) * (1 - step(ACROSS, 0.72, 0.05))
        shade -= 0.03 * bump(line, 0.024, 0.010) * (1 - step(ACROSS, 0.72, 0.05))
    # The foam under the nose shows as a grey line over the top edge.
    shade -= 0.30 * (1 - step(V, 0.010, 0.006)) * (1 - step(ACROSS, 0.42, 0.02))
    clip = bump(V, 0.085, 0.020) ** 2 * (1 - step(ACROSS, 0.36, 0.015))
    height += 0.30 * clip
    shade -= 0.20 * clip
    return shade, height


def kn95() -> tuple[Field, Field]:
    """A ridge down the middle, welded seams beside the nose and under the chin, a folded rim."""
    shade, height = fleece(21)
    height += wrinkles(22, 0.03) + tension(23, 0.08, 8) + crumpled(24, 0.10)
    shade -= 0.04 * bump(ACROSS, 0.0, 0.006) * step(V, 0.03, 0.01)
    shade += 0.03 * bump(ACROSS, 0.020, 0.012)
    height += 0.30 * bump(ACROSS, 0.0, 0.03)
    seam = V - 0.16 - 0.10 * ACROSS
    for offset in (0.0, 0.012):
        shade -= 0.07 * dashes(U, seam, offset, 0.010, 0.55, 0.0035)
    low = V - 0.86 + 0.12 * ACROSS
    for offset in (0.0, 0.012):
        shade -= 0.07 * dashes(U, low, offset, 0.010, 0.55, 0.0035)
    height -= 0.18 * (bump(seam, 0.006, 0.012) + bump(low, 0.006, 0.012))
    for weld in (0.915, 0.94, 0.965):
        shade -= 0.06 * dashes(V, ACROSS, weld, 0.013, 0.5, 0.006)
    for edge in (0.02, 0.98):
        shade -= 0.06 * dashes(U, V, edge, 0.010, 0.5, 0.004)
    return shade, height


def cloth() -> tuple[Field, Field]:
    """Plain weave of two panels joined down the middle, a turned and stitched edge."""
    warp, weft = np.sin(2 * np.pi * U * THREADS), np.sin(2 * np.pi * V * THREADS)
    over = np.sign(np.sin(np.pi * U * THREADS) * np.sin(np.pi * V * THREADS))
    weave = np.where(over > 0, warp, weft)
    shade, height = 1 + 0.03 * weave + 0.02 * noise(31, 1.0, 5.0), 0.02 * weave + 0.02 * noise(32, 10)
    height += wrinkles(33, 0.07) + 0.05 * noise(34, 55) + tension(35, 0.24, 14, parted=True) + crumpled(36, 0.14)
    seam = bump(ACROSS, 0.0, 0.008)
    shade -= 0.14 * seam
    height += 0.25 * bump(ACROSS, 0.03, 0.02) - 0.30 * seam
    for at in (0.035, 0.965):
        shade += 0.12 * dashes(U, V, at, 0.013, 0.6, 0.0022)
        height -= 0.20 * bump(V, at, 0.006)
    shade += 0.12 * dashes(V, ACROSS, 0.94, 0.016, 0.6, 0.004)
    height -= 0.20 * bump(ACROSS, 0.94, 0.012)
    return shade, height


def n95_valve() -> Drawn:
    """The cup with a valve in its middle."""
    return valve(*n95(), 0.5, 0.53, 0.115)


def kn95_valve() -> Drawn:
    """The fold with a valve on one cheek."""
    return valve(*kn95(), 0.67, 0.50, 0.085)


def cloth_pleated() -> tuple[Field, Field]:
    """One panel of the same cloth in two pleats, without a seam."""
    shade, height = tabby(41)
    for at, bow in ((0.34, 0.02), (0.58, 0.03)):
        line = V - at - bow * np.cos(np.pi * ACROSS / 2) - 0.004 * noise(int(at * 100), 70)
        opened = 0.5 + 0.5 * np.cos(np.pi * ACROSS / 2)
        height += 0.55 * opened * np.clip((line + 0.2) / 0.2, 0, 1) * (1 - step(line, 0.008, 0.025))
        under = step(line, 0.0, 0.010) * np.exp(-np.maximum(line, 0) / (0.010 + 0.035 * opened))
        shade -= 0.24 * under * uneven(int(at * 1000))
    height += wrinkles(43, 0.06) + tension(44, 0.22, 12, parted=True) + crumpled(45, 0.16)
    return hem(shade, height)


def cloth_flat() -> tuple[Field, Field]:
    """The panel of `cloth_pleated` without pleats, for masks whose pleats are drawn one by one."""
    shade, height = tabby(45)
    height += wrinkles(46, 0.03) + tension(47, 0.06, 12) + crumpled(48, 0.04)
    return hem(shade, height)


def tabby(seed: int) -> tuple[Field, Field]:
    """Plain weave of thick threads, as shade and height."""
    warp, weft = np.sin(2 * np.pi * U * THREADS), np.sin(2 * np.pi * V * THREADS)
    weave = np.where(np.sin(np.pi * U * THREADS) * np.sin(np.pi * V * THREADS) > 0, warp, weft)
    return 1 + 0.03 * weave + 0.02 * noise(seed, 1.0, 5.0), 0.02 * weave + 0.02 * noise(seed + 1, 10)


def hem(shade: Field, height: Field) -> tuple[Field, Field]:
    """The turned and stitched edges of a panel; in place."""
    for at in (0.035, 0.965):
        shade += 0.10 * dashes(U, V, at, 0.013, 0.6, 0.0022)
        height -= 0.20 * bump(V, at, 0.006)
    shade += 0.10 * dashes(V, ACROSS, 0.93, 0.016, 0.6, 0.004)
    return shade, height


def round_hole(u: float, v: float, wide: float, high: float) -> Field:
    """1 in an opening with rounded corners about (u, v) and its mirror image, 0 outside, half these sizes each way."""
    x, y = (ACROSS - u) / wide, (V - v) / high
    return np.asarray(1 - step((np.abs(x) ** 2.6 + np.abs(y) ** 2.6) ** (1 / 2.6), 1.0, 0.02))


def round_valve(drawn: tuple[Field, ...], places: tuple[float, ...], v: float, size: float, aspect: float) -> Drawn:
    """The same mask with round valves at these u: a ring, a cap and slots that run out from its middle; `aspect` is how
    much longer this mask's cloth is across than down.
    """
    shade, height, *rest = drawn
    parts = np.ones((SIDE, SIDE), np.uint8)
    for u in places:
        x, y = (U - u) * aspect / size, (V - v) / size
        away, turn = np.hypot(x, y), np.arctan2(y, x)
        slots = bump(away, 0.42, 0.17) * cv2.GaussianBlur((np.cos(9 * turn) > 0.1).astype(float), (0, 0), 2.0)
        plastic = 1 - 0.22 * bump(away, 0.80, 0.05) + 0.06 * bump(away, 0.90, 0.04) - 0.55 * slots
        one = set_on(shade, height, away, x, y, plastic, 0.25 + 0.7 * domed(away, 0.80, 0.56) - 0.25 * slots)
        shade, height, valve_at = one.shade, one.height, one.parts
        parts = np.maximum(parts, valve_at)
    return Drawn(shade, height, *rest, parts=parts)


def pitta() -> tuple[Field, ...]:
    """Foam without hem or stitches, welded down the middle, its sides cut out about the ears."""
    shade = 1 + 0.006 * noise(51, 0.9, 3.0) + 0.010 * noise(52, 40)
    height = 0.006 * noise(53, 1.1, 5.0) + 0.10 * noise(54, 90)
    shade -= 0.13 * bump(ACROSS, 0.0, 0.006)
    shade += 0.03 * bump(ACROSS, 0.02, 0.012)
    height -= 0.20 * bump(ACROSS, 0.0, 0.012)
    material = 1 - round_hole(1.0, 0.47, 0.42, 0.34)
    rim = cv2.GaussianBlur(material, (0, 0), 6)
    shade -= 0.05 * (1 - rim)
    return shade, height, material


def kf94() -> tuple[Field, ...]:
    """Three panels folded like a boat: one over the nose, one before the mouth, one under the chin."""
    shade, height = fleece(61)
    height += wrinkles(62, 0.03) + tension(63, 0.10, 8) + crumpled(64, 0.08)
    for at in (0.31, 0.71):
        line = V - at - 0.006 * np.cos(np.pi * ACROSS)
        shade -= 0.06 * bump(line, 0.008, 0.008) + 0.02 * bump(line, -0.02, 0.02)
        shade += 0.04 * bump(line, -0.006, 0.005)
        height += 0.2 * bump(line, 0.0, 0.018)
        height -= 0.12 * bump(line, 0.03, 0.015)
    wire = bump(V, 0.06, 0.014) * (1 - step(ACROSS, 0.40, 0.02))
    height += 0.3 * wire
    shade -= 0.05 * bump(V, 0.082, 0.005) * (1 - step(ACROSS, 0.40, 0.02))
    for edge in (0.018, 0.982):
        shade -= 0.08 * dashes(U, V, edge, 0.010, 0.5, 0.004)
    for weld in (0.90, 0.93, 0.96):
        shade -= 0.07 * dashes(V, ACROSS, weld, 0.05, 0.5, 0.006)
    return shade, height


def duckbill() -> tuple[Field, ...]:
    """A pouch of two panels that meet in a welded fold before the mouth."""
    shade, height = fleece(71)
    height += wrinkles(72, 0.10) + 0.3 * wrinkles(73, 0.2).T
    line = V - 0.50
    shade -= 0.16 * bump(line, 0.010, 0.008)
    shade += 0.05 * bump(line, -0.006, 0.006)
    height += 0.6 * bump(line, 0.0, 0.014)
    shade -= 0.06 * dashes(U, line, -0.022, 0.010, 0.55, 0.004)
    for edge in (0.025, 0.975):
        shade -= 0.08 * bump(V, edge, 0.004)
        height += 0.25 * bump(V, edge, 0.012)
    height += 0.35 * bump(V, 0.06, 0.014) * (1 - step(ACROSS, 0.45, 0.02))
    for weld in (0.94, 0.965):
        shade -= 0.09 * dashes(V, ACROSS, weld, 0.014, 0.5, 0.006)
    return shade, height


def draped(seed: int, steep: float) -> Field:
    """Folds of a cloth that hangs from both cheeks: they run down and inward, deeper toward the lower edge."""
    slant = U + steep * np.sign(0.5 - U) * (V - 0.5) * ACROSS
    across = np.random.default_rng(seed).normal(size=SIDE)
    across = cv2.GaussianBlur(across[None], (0, 0), 22)[0]
    fold = np.interp(slant.ravel() * SIDE, np.arange(SIDE), across / across.std()).reshape(SIDE, SIDE)
    return np.asarray(fold * (0.25 + 0.75 * step(V, 0.45, 0.35)))


def woven(seed: int) -> tuple[Field, Field]:
    """Thin plain weave as shade and height."""
    weave = np.sin(2 * np.pi * U * THREADS) * np.sin(2 * np.pi * V * THREADS)
    return 1 + 0.03 * weave + 0.02 * noise(seed, 1.0, 5.0), 0.02 * weave + 0.02 * noise(seed + 1, 12)


def bandana() -> tuple[Field, ...]:
    """A square folded to a triangle: a doubled upper edge, folds down to the point, a narrow stitched hem."""
    shade, height = woven(81)
    height += 0.34 * draped(82, 0.35) + wrinkles(83, 0.16) * (1 - step(V, 0.4, 0.2))
    for at in (0.05, 0.10):
        line = V - at - 0.01 * noise(84, 70)
        height += 0.35 * np.clip((line + 0.04) / 0.04, 0, 1) * (1 - step(line, 0.0, 0.006))
        shade -= 0.10 * bump(line, 0.004, 0.005)
    shade += 0.08 * dashes(U, V, 0.975, 0.010, 0.6, 0.0022)
    height -= 0.2 * bump(V, 0.968, 0.006)
    return shade, height


def gaiter() -> tuple[Field, ...]:
    """A knitted tube: smooth on the face, gathered in rings on the neck."""
    knit = np.abs(np.sin(np.pi * U * THREADS))
    shade, height = 1 + 0.025 * (knit - knit.mean()) + 0.012 * noise(91, 1.0, 5.0), 0.02 * knit
    gathered = 0.15 + 0.85 * step(V, 0.52, 0.15)
    height += (wrinkles(92, 0.24) + 0.8 * wrinkles(93, 0.2)[:, ::-1]) * gathered
    for at in (0.018, 0.03):
        shade -= 0.06 * dashes(U, V, at, 0.012, 0.6, 0.0025)
    height += 0.2 * bump(V, 0.01, 0.012)
    return shade, height


def glare(seed: int, slant: float) -> Field:
    """Soft bright streaks of windows and lamps in something smooth, 0..1."""
    rng = np.random.default_rng(seed)
    place = U + slant * (V - 0.5)
    streaks = sum(rng.uniform(0.3, 1.0) * bump(place, rng.uniform(0.1, 0.9), rng.uniform(0.01, 0.06)) for _ in range(5))
    return np.asarray(np.clip(streaks * (0.5 + 0.25 * noise(seed + 1, 160)), 0, 1))


def window() -> Drawn:
    """A cloth mask with a clear window before the mouth, its edge sewn in."""
    shade, height = hemmed_weave(101)
    height += wrinkles(103, 0.14)
    x, y = ACROSS / 0.54, (V - 0.56) / 0.25
    away = (np.abs(x) ** 4 + np.abs(y) ** 4) ** 0.25
    pane = 1 - step(away, 1.0, 0.012)
    shade -= 0.10 * bump(away, 1.015, 0.012)
    shade += 0.10 * dashes(np.arctan2(y, x) / (2 * np.pi) + 0.5, away, 1.09, 0.010, 0.6, 0.012)
    height += 0.3 * bump(away, 1.07, 0.05)
    shine = glare(104, 0.5)
    clear = pane * np.clip(0.95 - 0.45 * shine - 0.30 * bump(away, 1.0, 0.05), 0, 1)
    height *= 1 - pane
    parts = np.where(pane > 0.5, WINDOW, 1).astype(np.uint8)
    return Drawn(shade, height, None, clear, np.full((SIDE, SIDE, 3), 0.96), parts)


def hemmed_weave(seed: int) -> tuple[Field, Field]:
    """Plain weave with a stitched edge, as shade and height."""
    shade, height = woven(seed)
    for at in (0.035, 0.965):
        shade += 0.10 * dashes(U, V, at, 0.013, 0.6, 0.0022)
        height -= 0.20 * bump(V, at, 0.006)
    return shade, height


def shield() -> Drawn:
    """A bent sheet of clear plastic below a band of foam."""
    band = 1 - step(V, 0.075, 0.004)
    edge = np.maximum(bump(V, 1.0, 0.006), bump(ACROSS, 1.0, 0.008))
    shine = np.clip(glare(111, 0.06) + 0.9 * bump(ACROSS, 0.80, 0.05) * step(V, 0.1, 0.2), 0, 1)
    clear = (1 - band) * np.clip(0.95 - 0.42 * shine - 0.5 * edge, 0, 1)
    shade = 1 - 0.12 * bump(V, 0.07, 0.01) + 0.02 * noise(112, 1.5, 6.0)
    # Rounded lower corners.
    x, y = np.clip((ACROSS - 0.80) / 0.20, 0, 1), np.clip((V - 0.85) / 0.15, 0, 1)
    material = 1 - step(np.hypot(x, y), 1.0, 0.01)
    return Drawn(shade, 0.05 * noise(113, 2.0, 8.0) * band, material, clear, np.full((SIDE, SIDE, 3), 0.97))


def spectacles(lens: Field, rim: float, bridge: Field, tint: tuple[float, float, float], fade: float) -> Drawn:
    """Sunglasses: `lens` is below 1 inside their outline, `rim` of that is frame; `bridge` and the outer ends are frame
    too. The glass has a colour, 0..1 RGB, and lets more light through toward the lower edge by `fade`.
    """
    ends = step(ACROSS, 0.74, 0.01) * bump(V, 0.17, 0.09) ** 2
    frame = np.maximum(np.maximum(1 - step(lens, 1.0, 0.015), step(bridge, 0.5, 0.1)), step(ends, 0.4, 0.1))
    glass = 1 - step(lens, 1 - rim, 0.015)
    shine = 0.40 * glare(121, 0.9) + 0.18 * (1 - step(V + 0.4 * (ACROSS - 0.45), 0.34, 0.06))
    clear = glass * np.clip(0.10 + fade * (V - 0.15), 0.04, 0.9) * (1 - shine)
    own = np.array(tint) + shine[..., None] * (0.55 - 0.5 * np.array(tint))
    shade = 1 + 0.25 * bump(lens, 1 - rim / 2, rim / 4) - 0.1 * bump(lens, 1 - rim, 0.02)
    return Drawn(shade, 0.4 * bump(lens, 1 - rim / 2, rim / 2), frame, np.maximum(clear, glass * 0.02), own)


def lens_of(centre: float, wide: float, high: float, power: float, drop: float = 0.0) -> Field:
    """A rounded outline, 1 on its rim; `drop` draws its lower inner corner in, as a tear's."""
    x, y = (ACROSS - centre) / wide, (V - 0.5) / high
    x = x - drop * np.clip(y, -1, 1)
    return np.asarray((np.abs(x) ** power + np.abs(y) ** power) ** (1 / power))


def sunglasses() -> Drawn:
    """Broad frames of plastic."""
    bridge = bump(V, 0.26, 0.07) * (1 - step(ACROSS, 0.16, 0.01))
    return spectacles(lens_of(0.46, 0.37, 0.44, 3.2), 0.12, bridge, (0.10, 0.10, 0.11), 0.10)


def sunglasses_aviator() -> Drawn:
    """Drops of glass in wire, a second bar above the nose; paler toward the lower rim."""
    bars = np.maximum(bump(V, 0.14, 0.022), bump(V, 0.34, 0.022)) * (1 - step(ACROSS, 0.2, 0.01))
    return spectacles(lens_of(0.47, 0.36, 0.48, 2.5, 0.16), 0.05, bars, (0.20, 0.15, 0.10), 0.35)


def sunglasses_round() -> Drawn:
    """Two round glasses in wire."""
    bridge = bump(V, 0.34, 0.03) * (1 - step(ACROSS, 0.25, 0.01))
    return spectacles(lens_of(0.46, 0.29, 0.47, 2.0), 0.06, bridge, (0.11, 0.12, 0.12), 0.05)


def levels(field: Field) -> NDArray[np.uint8]:
    """0..1 as bytes."""
    return np.asarray(np.clip(np.round(255 * field), 0, 255).astype(np.uint8))


def pitta_valve() -> Drawn:
    """The foam mask with a valve on one cheek."""
    return round_valve(pitta(), (0.66,), 0.56, 0.21, 4.8)


def pitta_valves() -> Drawn:
    """The foam mask with a valve on either cheek, as runners wear it."""
    return round_valve(pitta(), (0.32, 0.68), 0.58, 0.19, 4.8)


def save(folder: str, look: str, drawn: Drawn) -> None:
    """Write one look's pictures; a mask's brightest cloth is white, so that its colour comes out as asked."""
    grey = levels(drawn.shade / np.median(drawn.shade) * (232 / 255))
    pictures = {"texture": grey, "relief": np.clip(np.round(128 + 127 * np.clip(drawn.height, -1, 1)), 0, 255)}
    if drawn.clear is not None and drawn.own is not None:
        pictures["clear"] = levels(drawn.clear)
        own = levels(np.broadcast_to(drawn.own, (SIDE, SIDE, 3)))[..., ::-1]
        pictures["texture"] = np.where(pictures["clear"][..., None] > 0, own, grey[..., None])
    if drawn.material is not None:
        colour = pictures["texture"] if pictures["texture"].ndim == 3 else np.dstack([grey] * 3)
        pictures["texture"] = np.dstack([colour, levels(drawn.material)])
    if drawn.parts is not None:
        pictures["parts"] = drawn.parts
    for name, picture in pictures.items():
        file = f"{name}_{look}.png" if look else f"{name}.png"
        cv2.imwrite(str(Path(__file__).parent / folder / file), picture.astype(np.uint8))


if __name__ == "__main__":
    drawings = (
        surgical, surgical_four, surgical_pulled, surgical_flat, n95, kn95, cloth, n95_valve, kn95_valve, cloth_pleated,
        cloth_flat, pitta, pitta_valve, pitta_valves,
        kf94, duckbill, bandana, gaiter, window, shield, sunglasses, sunglasses_aviator, sunglasses_round,
    )  # fmt: skip
    for drawing in drawings:
        look = drawing()
        save(*drawing.__name__.partition("_")[::2], look if isinstance(look, Drawn) else Drawn(*look))
