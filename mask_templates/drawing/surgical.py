"""Surgical masks: fleece in tucks, with bound edges."""

from __future__ import annotations

import numpy as np

from .fields import ACROSS, Field, U, V, bump, dashes, noise, step
from .folds import crumpled, tension, uneven, wrinkles
from .weaves import fleece

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


def surgical_flat() -> tuple[Field, Field]:
    """The same without tucks, for masks whose tucks are drawn one by one (`maskgen.masks.world.pleats`)."""
    return tucked((), 241, 1.0, 0.08, rough=0.5, bound=3.5)


def tucked(
    tucks: tuple[Tuck, ...], seed: int, deep: float, creased: float, rough: float = 1.0, bound: float = 1.0
) -> tuple[Field, Field]:
    """Fleece in tucks that face down, with bound edges, a wire in the top edge and welded sides; `deep` and `creased`
    say how far the tucks open and how strongly the cloth is creased, 1 for what is usual, `rough` as for `fleece`,
    `bound` as for `_bound`."""
    shade, height = fleece(seed, rough)
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
    return _bound(shade, height, bound)


def _bound(shade: Field, height: Field, strong: float) -> tuple[Field, Field]:
    """The edges of a surgical mask: bound and stitched, a wire over the nose, welded sides; in place. Seams and
    stitches are so many times as `strong` as those of the reference, along the lower edge at most 1.2 times."""
    for edge, inward, shown in ((0.0, 1, strong), (1.0, -1, min(strong, 1.2))):
        band = 1 - step((V - edge) * inward, 0.075, 0.004)
        shade += 0.01 * band - 0.12 * bump(V, edge, 0.012)
        shade -= shown * 0.10 * bump(V, edge + inward * 0.077, 0.0035)
        for row in (0.018, 0.052):
            shade -= shown * 0.07 * dashes(U, V, edge + inward * row, 0.010, 0.45, 0.0035)
    wire = bump(V, 0.036, 0.016) * (1 - step(ACROSS, 0.46, 0.02))
    height += 0.15 * wire
    shade -= 0.06 * bump(V, 0.058, 0.006) * (1 - step(ACROSS, 0.46, 0.02))
    for weld in (0.945, 0.975):
        shade -= strong * 0.10 * dashes(V, ACROSS, weld, 0.016, 0.5, 0.006)
    shade += 0.01 * step(ACROSS, 0.93, 0.004)
    shade -= strong * 0.09 * bump(ACROSS, 0.927, 0.005)
    return shade, height
