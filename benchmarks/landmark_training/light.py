"""Another light on a drawn face: darker hollows, a further light, the edge of a shadow."""

from __future__ import annotations

import cv2
import numpy as np

from .patch import PLACES, SIDE, Patch
from .store import Store


def relit(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Darker hollows, one more light from a side, and one broad uneven one."""
    if rng.random() < 0.6:
        x = x * _hollows(patch, rng)
    if rng.random() < 0.5:
        angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.8)
        toward = patch.normals @ np.float32([np.cos(angle), np.sin(angle)])
        x = x * np.maximum(1 + np.float32(strength) * toward, 0.1)
    if rng.random() < 0.3:
        x = x * (1 + np.float32(rng.uniform(0.05, 0.3)) * np.tanh(store.cloud(rng)))
    if rng.random() < 0.3:
        x = x * _slope(rng)
    return x


def _hollows(patch: Patch, rng: np.random.Generator) -> np.ndarray:
    """Less light from around where the surface is hollow, a little more where it stands out."""
    nx, ny = patch.normals[..., 0], patch.normals[..., 1]
    bend = np.gradient(nx, axis=1) + np.gradient(ny, axis=0)
    bend = cv2.GaussianBlur(bend * patch.skin, (0, 0), float(rng.uniform(0.8, 3.0)))
    return np.clip(1 + np.float32(rng.uniform(0.5, 5.0)) * np.minimum(bend, 0.06), 0.15, 1.3)


def _slope(rng: np.random.Generator) -> np.ndarray:
    """The edge of a shadow, hard or soft."""
    x, y = (PLACES[axis] / np.float32(SIDE / 2) - 1 for axis in (1, 0))
    angle, hard = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 12)
    across = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(-0.6, 0.6)
    return (1 - rng.uniform(0.2, 0.75) / (1 + np.exp(-hard * across))).astype(np.float32)
