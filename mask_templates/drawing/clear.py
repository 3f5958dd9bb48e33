"""Masks with clear parts, and sunglasses."""

from __future__ import annotations

import numpy as np

from .fields import ACROSS, SIDE, WINDOW, Drawn, Field, U, V, bump, dashes, noise, step
from .folds import wrinkles
from .weaves import hemmed_weave


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
    ends = step(ACROSS, 0.62, 0.01) * bump(V, 0.17, 0.09) ** 2  # from within the narrowest lens
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
