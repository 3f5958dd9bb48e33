"""Masks of woven or knitted cloth and of foam."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import ACROSS, THREADS, Drawn, Field, U, V, bump, dashes, noise, step
from .folds import crumpled, draped, tension, uneven, wrinkles
from .valves import round_valve
from .weaves import hem, tabby, woven


def cloth() -> tuple[Field, Field]:
    """Plain weave of two panels joined down the middle, a turned and stitched edge."""
    warp, weft = np.sin(2 * np.pi * U * THREADS), np.sin(2 * np.pi * V * THREADS)
    over = np.sign(np.sin(np.pi * U * THREADS) * np.sin(np.pi * V * THREADS))
    weave = np.where(over > 0, warp, weft)
    shade, height = 1 + 0.03 * weave + 0.02 * noise(31, 1.0, 5.0), 0.02 * weave + 0.02 * noise(32, 10)
    height += wrinkles(33, 0.02) + 0.05 * noise(34, 55) + tension(35, 0.24, 14, nose=-1) + crumpled(36, 0.12)
    seam = bump(ACROSS, 0.0, 0.008)
    shade -= 0.14 * seam
    height += 0.25 * bump(ACROSS, 0.03, 0.02) - 0.30 * seam
    for at in (0.035, 0.965):
        shade += 0.12 * dashes(U, V, at, 0.013, 0.6, 0.0022)
        height -= 0.20 * bump(V, at, 0.006)
    shade += 0.12 * dashes(V, ACROSS, 0.94, 0.016, 0.6, 0.004)
    height -= 0.20 * bump(ACROSS, 0.94, 0.012)
    return shade, height


def cloth_pleated() -> tuple[Field, Field]:
    """One panel of the same cloth in two pleats, without a seam."""
    shade, height = tabby(41)
    for at, bow in ((0.34, 0.02), (0.58, 0.03)):
        line = V - at - bow * np.cos(np.pi * ACROSS / 2) - 0.004 * noise(int(at * 100), 70)
        opened = 0.5 + 0.5 * np.cos(np.pi * ACROSS / 2)
        height += 0.55 * opened * np.clip((line + 0.2) / 0.2, 0, 1) * (1 - step(line, 0.008, 0.025))
        under = step(line, 0.0, 0.010) * np.exp(-np.maximum(line, 0) / (0.010 + 0.035 * opened))
        shade -= 0.24 * under * uneven(int(at * 1000))
    height += wrinkles(43, 0.02) + tension(44, 0.22, 12, nose=-1) + crumpled(45, 0.14)
    return hem(shade, height)


def cloth_flat() -> tuple[Field, Field]:
    """The panel of `cloth_pleated` without pleats, for masks whose pleats are drawn one by one."""
    shade, height = tabby(45, rough=0.3)
    height += 0.03 * noise(46, 80)
    for at in (0.055, 0.945):
        shade -= 0.10 * bump(V, at, 0.005)
    return hem(shade, height, stitches=0.03, furrow=0.08)


def round_hole(u: float, v: float, wide: float, high: float) -> Field:
    """1 in an opening with rounded corners about (u, v) and its mirror image, 0 outside, half these sizes each way."""
    x, y = (ACROSS - u) / wide, (V - v) / high
    return np.asarray(1 - step((np.abs(x) ** 2.6 + np.abs(y) ** 2.6) ** (1 / 2.6), 1.0, 0.02))


def pitta() -> tuple[Field, ...]:
    """Foam without hem or stitches, welded down the middle, its sides cut out about the ears."""
    shade = 1 + 0.006 * noise(51, 0.9, 3.0) + 0.010 * noise(52, 40)
    height = 0.006 * noise(53, 1.1, 5.0) + 0.10 * noise(54, 90)
    shade -= 0.13 * bump(ACROSS, 0.0, 0.006)
    shade += 0.03 * bump(ACROSS, 0.02, 0.012)
    height -= 0.20 * bump(ACROSS, 0.0, 0.012)
    material = 1 - round_hole(1.0, 0.47, 0.50, 0.32)
    rim = cv2.GaussianBlur(material, (0, 0), 6)
    shade -= 0.05 * (1 - rim)
    return shade, height, material


def pitta_valve() -> Drawn:
    """The foam mask with a valve on one cheek."""
    return round_valve(pitta(), (0.66,), 0.56, 0.21, 4.8)


def pitta_valves() -> Drawn:
    """The foam mask with a valve on either cheek, as runners wear it."""
    return round_valve(pitta(), (0.32, 0.68), 0.58, 0.19, 4.8)


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
    height += (wrinkles(92, 0.14) + 0.8 * wrinkles(93, 0.12)[:, ::-1]) * gathered
    for at in (0.018, 0.03):
        shade -= 0.06 * dashes(U, V, at, 0.012, 0.6, 0.0025)
    height += 0.2 * bump(V, 0.01, 0.012)
    return shade, height
