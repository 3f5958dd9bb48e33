"""Things before a drawn face: beard, hat, strands of hair, glasses, fingers, other objects."""

from __future__ import annotations

import cv2
import numpy as np

from .patch import PLACES, SIDE, Patch, axes, laid, polygon
from .store import Store, piece

DARK_JAW = (*range(3, 14),)  # the jaw's points that a beard follows


def beard(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A dark or light mat of hair from the jaw to the lips."""
    eyes, right, up = axes(patch.points)
    p = patch.points
    low = p[list(DARK_JAW)] - up * rng.uniform(-0.05, 0.35)
    cover = polygon(np.concatenate([low, p[[54, 53, 52, 51, 50, 49, 48]] + up * rng.uniform(0.02, 0.2)]))
    cover *= 1 - cv2.dilate(polygon(p[48:60]), np.ones((2, 2)))
    grain = 1 + store.cloud(rng) * np.float32(rng.uniform(0.05, 0.4))
    return laid(
        x, cover * np.float32(rng.uniform(0.4, 1)), grain * np.float32(rng.uniform(0.03, 0.6)), rng.uniform(0.3, 2)
    )


def hat(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A hat, a cap with a peak, a scarf or a hood: something from over the brows up, with its shadow below."""
    eyes, right, up = axes(patch.points)
    brow = float(((patch.points[17:27] - eyes) @ up).max() / (up @ up))
    low, wide, bow = brow + rng.uniform(0.05, 0.8), rng.uniform(0.9, 1.9), rng.uniform(-0.3, 0.45)
    t = np.linspace(-1, 1, 13)
    shift = rng.normal(0, 0.15)
    edge = eyes + np.outer(t * wide + shift, right) + np.outer(low - bow * t * t, up)
    top = edge[::-1] + np.outer(np.full(13, 3.0), up) + np.outer(t * rng.uniform(-0.5, 0.5), right)
    cover = polygon(np.concatenate([edge, top]))
    shadow = cv2.GaussianBlur(np.roll(cover, int(rng.integers(2, 9)), 0), (0, 0), 2.5)
    x = x * (1 - np.float32(rng.uniform(0, 0.6)) * shadow)
    x = laid(x, cover, piece(store, rng), rng.uniform(0, 0.8))
    if rng.random() < 0.4:
        rim = np.round(edge * 8).astype(np.int32)
        cv2.polylines(x, [rim], False, float(rng.uniform(0, 1)), int(rng.integers(1, 6)), cv2.LINE_AA, 3)
    return x


def strands(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Hair that falls over brow and cheeks."""
    eyes, right, up = axes(patch.points)
    cover, tone = np.zeros_like(x), rng.uniform(0, 0.9)
    root = eyes + right * rng.uniform(-1, 1) + up * rng.uniform(0.9, 1.5)
    to = right * rng.uniform(-0.9, 0.9) - up * rng.uniform(0.4, 2.6)
    for _ in range(int(rng.integers(2, 26))):
        start, end = root + right * rng.normal(0, 0.2), root + to + right * rng.normal(0, 0.3)
        bend = (start + end) / 2 + right * rng.normal(0, 0.2)
        line = np.stack([start, (start + bend) / 2 + 0.2 * (bend - end) / 4, bend, end])
        cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], False, 1.0, int(rng.integers(1, 3)), cv2.LINE_AA, 3)
    return laid(
        x, cover * np.float32(rng.uniform(0.5, 1)), np.float32(tone) + 0.1 * store.cloud(rng), rng.uniform(0, 0.7)
    )


def glasses(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Glasses of any form, dark ones among them, with a reflection."""
    _, right, up = axes(patch.points)
    size, unit, drop = rng.uniform(0.28, 0.46), float(np.linalg.norm(up)), rng.uniform(-0.05, 0.12)
    across = max(float(np.linalg.norm(patch.points[36:42].mean(0) - patch.points[42:48].mean(0))) / unit, 0.2)
    tall, power = size * rng.uniform(0.55, 1.0), rng.uniform(0.4, 1.0)
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    form = np.stack([np.sign(f(turn)) * np.abs(f(turn)) ** power for f in (np.cos, np.sin)], 1) * [size * across, tall]
    dark, ink, x = rng.random() < 0.4, float(rng.choice([rng.uniform(0, 0.2), rng.uniform(0, 1)])), x.copy()
    for eye in (slice(36, 42), slice(42, 48)):
        rim = patch.points[eye].mean(0) + np.outer(form[:, 0], right) - np.outer(form[:, 1] + drop, up)
        if dark:
            x = laid(
                x, polygon(rim) * np.float32(rng.uniform(0.6, 1)), np.full_like(x, ink) + 0.1 * piece(store, rng), 0
            )
        elif rng.random() < 0.3:
            x = laid(x, polygon(rim) * np.float32(rng.uniform(0.1, 0.5)), piece(store, rng), 0)
        cv2.polylines(x, [np.round(rim * 8).astype(np.int32)], True, ink, int(rng.integers(1, 3)), cv2.LINE_AA, 3)
    return x


def hand(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Fingers or an arm from beyond the patch, as light as the skin or not."""
    eyes, right, up = axes(patch.points)
    unit = float(np.linalg.norm(up))
    skin = float((x * patch.skin).sum() / max(float(patch.skin.sum()), 1.0))
    tip = eyes + right * rng.normal(0, 0.7) - up * rng.uniform(-0.8, 1.8)
    angle, y, z = rng.uniform(0, 2 * np.pi), *PLACES
    along, radius = np.array([np.cos(angle), np.sin(angle)]), unit * rng.uniform(0.09, 0.16)
    across, level = np.array([-along[1], along[0]]), skin * rng.uniform(0.7, 1.25)
    for finger in range(int(rng.integers(1, 5))):
        start = tip + across * 2.05 * radius * finger + along * rng.uniform(0, 0.25) * unit
        dx, dy = z - start[0], y - start[1]
        on = np.clip(dx * along[0] + dy * along[1], 0, unit * 2.5)
        away = np.hypot(dx - on * along[0], dy - on * along[1]) / radius
        paint = np.float32(level) * (0.5 + 0.5 * np.sqrt(np.clip(1 - away * away, 0, 1))).astype(np.float32)
        x = x + np.clip((1 - away) * radius + 0.5, 0, 1).astype(np.float32) * (paint - x)
    return x


def thing(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A rotated box or disc of any texture over a part."""
    cover = np.zeros_like(x)
    middle, size = rng.uniform(0, SIDE, 2), rng.uniform(0.08, 0.45, 2) * SIDE
    box = (tuple(map(float, middle)), tuple(map(float, size)), float(rng.uniform(0, 180)))
    if rng.random() < 0.5:
        cv2.ellipse(cover, box, 1.0, -1)
    else:
        cv2.fillConvexPoly(cover, np.int32(cv2.boxPoints(box)), 1.0)
    return laid(x, cover, piece(store, rng), rng.uniform(0, 1.0))
