"""Neck, second chin and collar below a drawn face."""

from __future__ import annotations

import cv2
import numpy as np

from .patch import Patch, axes, face_of, laid, polygon
from .store import Store, piece


def neck(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A neck as wide as the jaw or wider, as light as the jaw or darker; of faces that look at the camera."""
    if not patch.seen[2:15].all():
        return x
    _, right, up = axes(patch.points)
    chin, wide, more = patch.points[8], rng.uniform(0.6, 1.15, 2), rng.uniform(0, 0.5)
    top = [chin + right * side * one + up * rng.uniform(0.3, 0.9) for side, one in ((-1, wide[0]), (1, wide[1]))]
    low = [chin + right * side * (one + more) - up * 2.0 for side, one in ((1, wide[1]), (-1, wide[0]))]
    cover = np.clip(polygon(np.stack([*top, *low])) - face_of(patch), 0, 1)
    skin = float((x * patch.skin).sum() / max(float(patch.skin.sum()), 1.0))
    tone = np.float32(skin * rng.uniform(0.35, 1.1)) * (1 + np.float32(rng.uniform(0, 0.25)) * store.cloud(rng))
    return laid(x, cover, tone, rng.uniform(0.3, 1.5))


def second_chin(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A fold or a shadow's edge below the jaw, or above it across the chin."""
    _, right, up = axes(patch.points)
    low, bow = rng.uniform(0.1, 0.5), rng.uniform(0, 0.25)
    line = patch.points[4:13] - np.outer(low + bow * np.sin(np.linspace(0, np.pi, 9)), up)
    if rng.random() < 0.25:  # between the lips and the chin
        share = rng.uniform(0.3, 0.7)
        line = share * patch.points[[5, 6, 7, 8, 9, 10, 11]] + (1 - share) * patch.points[[48, 59, 58, 57, 56, 55, 54]]
    cover = np.zeros_like(x)
    cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], False, 1.0, int(rng.integers(1, 5)), cv2.LINE_AA, 3)
    cover = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 2.5)))
    return x * (1 - np.float32(rng.uniform(-0.3, 0.6)) * cover)


def collar(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A collar, a scarf or a jacket, open to a point or round, from right below the chin or lower."""
    _, right, up = axes(patch.points)
    t, wide = np.linspace(-1, 1, 9), rng.uniform(1.2, 2.5)
    deep, power = rng.uniform(0.03, 0.9), rng.choice([1.0, 2.0])
    rise = np.abs(t) ** power * rng.uniform(-0.1, 1.0)
    edge = patch.points[8] + np.outer(t * wide + rng.normal(0, 0.1), right) + np.outer(rise - deep, up)
    cover = polygon(np.concatenate([edge, edge[::-1] - 3 * up]))
    cover = np.clip(cover - face_of(patch), 0, 1)
    x = laid(x, cover, piece(store, rng), rng.uniform(0, 1.0))
    if rng.random() < 0.5:
        rim, level = np.round(edge * 8).astype(np.int32), float(rng.uniform(0, 1))
        drawn = x.copy()
        cv2.polylines(drawn, [rim], False, level, int(rng.integers(1, 5)), cv2.LINE_AA, 3)
        x = x + (1 - face_of(patch)) * (drawn - x)
    return x
