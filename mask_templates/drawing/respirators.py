"""Respirators: a moulded cup and three folded forms."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import ACROSS, Drawn, Field, U, V, bump, dashes, noise, step
from .folds import crumpled, tension, wrinkles
from .valves import valve
from .weaves import fleece


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


def n95_valve() -> Drawn:
    """The cup with a valve in its middle."""
    return valve(*n95(), 0.5, 0.53, 0.115)


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


def kn95_valve() -> Drawn:
    """The fold with a valve on one cheek."""
    return valve(*kn95(), 0.67, 0.50, 0.085)


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
