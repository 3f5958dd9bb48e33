"""Valves of plastic, welded on cloth."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import ASPECT, SIDE, VALVE, Drawn, Field, U, V, bump, step

PLASTIC = 0.86


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


def valve(shade: Field, height: Field, u: float, v: float, size: float) -> Drawn:
    """The same cloth with a valve of plastic welded on at (u, v): a flange, a cap and the slots in its lower half."""
    x, y = (U - u) * ASPECT / size, (V - v) / size
    square = (np.abs(x) ** 4 + np.abs(y) ** 4) ** 0.25
    within = 1 - step(square, 0.52, 0.06)
    slots = within * step(y, -0.05, 0.1) * (np.sin(y * 20) > 0.1)
    slots = cv2.GaussianBlur(slots, (0, 0), 2.0)
    plastic = 1 - 0.16 * bump(square, 0.84, 0.05) - 0.45 * slots
    return set_on(shade, height, square, x, y, plastic, 0.2 + 0.75 * domed(square, 0.84, 0.55) - 0.15 * slots)


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
