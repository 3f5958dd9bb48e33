"""Features of a drawn face stronger, weaker or lighter: eyes, brows, nose, lips, folds, the shade under the chin."""

from __future__ import annotations

import cv2
import numpy as np

from .patch import SIDE, Patch, axes, polygon

INNER = [60, 61, 62, 63, 64, 65, 66, 67]
# What `marked` does: points, whether they enclose an area, width of the line in eye distances, how often, and how much
# darker it gets, lighter below 0.
MARKS = (
    ([36, 37, 38, 39, 40, 41], True, 0.1, 0.5, 0.1, 0.7),
    ([42, 43, 44, 45, 46, 47], True, 0.1, 0.5, 0.1, 0.7),
    ([36, 37, 38, 39], False, 0.05, 0.4, 0.2, 0.9),
    ([42, 43, 44, 45], False, 0.05, 0.4, 0.2, 0.9),
    ([17, 18, 19, 20, 21], False, 0.12, 0.4, -0.3, 0.7),
    ([22, 23, 24, 25, 26], False, 0.12, 0.4, -0.3, 0.7),
    ([31, 32, 33, 34, 35], False, 0.07, 0.5, 0.1, 0.7),
    ([29, 30], False, 0.16, 0.3, -0.5, -0.05),
    ([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59], True, 0.0, 0.5, -0.35, 0.5),
    (INNER, True, 0.02, 0.3, 0.1, 0.9),
    (INNER, True, 0.0, 0.35, -0.95, -0.3),
    ([60, 61, 62, 63, 64], False, 0.03, 0.3, 0.2, 0.8),
)


def marked(x: np.ndarray, patch: Patch, rng: np.random.Generator) -> np.ndarray:
    """The face's features stronger, weaker or lighter than they were drawn, each by itself, where they are seen."""
    unit, p = float(np.linalg.norm(axes(patch.points)[2])), patch.points
    for points, closed, wide, share, low, high in MARKS:
        if rng.random() >= share or not patch.seen[points].all():
            continue
        strength = np.float32(rng.uniform(low, high))
        cover = np.zeros((SIDE, SIDE), np.float32)
        line = p[points] + rng.normal(0, 0.012 * unit, 2)
        if closed:
            cover = polygon(line)
        if wide > 0:
            thick = max(1, round(unit * wide * rng.uniform(0.5, 1.6)))
            cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], closed, 1.0, thick, cv2.LINE_AA, 3)
        cover = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.4, 0.06 * unit + 0.5)))
        x = x * (1 - strength * cover) if strength > 0 else x - strength * cover * (1 - x)
    return _under_chin(_folds(x, patch, unit, rng), patch, unit, rng)


def _folds(x: np.ndarray, patch: Patch, unit: float, rng: np.random.Generator) -> np.ndarray:
    """The folds from the nose's wings to beside the mouth, dark on one side and light on the other."""
    if rng.random() < 0.5:
        return x
    strength, p = float(rng.uniform(0.05, 0.5)), patch.points
    _, right, _ = axes(p)
    for wing, corner, side in ((31, 48, -1), (35, 54, 1)):
        if patch.seen[[wing, corner]].all():
            out = right * side * rng.uniform(0.08, 0.2)
            line = np.stack(
                [p[wing] + 0.3 * out, (p[wing] + p[corner]) / 2 + out, p[corner] + out * rng.uniform(0.6, 1.4)]
            )
            cover = np.zeros((SIDE, SIDE), np.float32)
            cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], False, 1.0, 2, cv2.LINE_AA, 3)
            cover = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 2.0)))
            x = x * (1 - strength * cover) + 0.5 * strength * np.roll(cover, 3 * side, 1) * (1 - x)
    return x


def _under_chin(x: np.ndarray, patch: Patch, unit: float, rng: np.random.Generator) -> np.ndarray:
    """The neck in the shade of the jaw, or as light as the jaw."""
    if rng.random() < 0.5:
        return x
    p = patch.points
    _, _, up = axes(p)
    low = p[3:14]
    neck = polygon(np.concatenate([low, low[::-1] - up * rng.uniform(0.3, 1.2)])) * patch.skin
    neck = cv2.GaussianBlur(neck, (0, 0), float(rng.uniform(0.5, 3)))
    return x * (1 - np.float32(rng.uniform(-0.3, 0.75)) * neck)
