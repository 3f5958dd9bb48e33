"""Textures and soft fields of no object, drawn once and used in parts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .patch import SIDE

TEXTURES, CLOUDS, WIDE = 600, 300, 160  # what the store holds, and the sides


@dataclass(frozen=True, slots=True)
class Store:
    """Pictures of nothing, float32 (n, WIDE, WIDE): textures 0..1, and fields about 0 of deviation about 1."""

    textures: np.ndarray
    clouds: np.ndarray

    @classmethod
    def of(cls, rng: np.random.Generator) -> Store:
        """Draw them."""
        fields = [_clouds(rng, WIDE, rng.uniform(0.4, 1.1)) for _ in range(CLOUDS)]
        return cls(np.stack([_texture(rng) for _ in range(TEXTURES)]), np.stack(fields))

    def cloud(self, rng: np.random.Generator) -> np.ndarray:
        """A part of a field, (SIDE, SIDE)."""
        x, y = rng.integers(0, WIDE - SIDE, 2)
        return self.clouds[int(rng.integers(CLOUDS)), y : y + SIDE, x : x + SIDE]


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Clouds of a random roughness, over them shapes with hard edges, at times stripes."""
    out = 0.5 + _clouds(rng, WIDE, rng.uniform(0.4, 1.0)) * rng.uniform(0.02, 0.3)
    for _ in range(int(rng.integers(0, 16))):
        level, middle, size = float(rng.uniform(0, 1)), rng.uniform(0, WIDE, 2), rng.uniform(0.03, 0.5, 2) * WIDE
        box = (tuple(map(float, middle)), tuple(map(float, size)), float(rng.uniform(0, 180)))
        if rng.random() < 0.5:
            cv2.ellipse(out, box, level, -1, cv2.LINE_AA)
        else:
            cv2.fillConvexPoly(out, np.int32(cv2.boxPoints(box)), level, cv2.LINE_AA)
    if rng.random() < 0.3:
        y, x = np.mgrid[0:WIDE, 0:WIDE].astype(np.float32)
        angle, step = rng.uniform(0, np.pi), rng.uniform(3, 25)
        out += np.float32(rng.uniform(0.05, 0.3)) * np.sign(np.sin((x * np.cos(angle) + y * np.sin(angle)) / step * 6))
    if rng.random() < 0.6:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.5, 6)))
    return np.clip(out + rng.normal(0, 0.02) + _clouds(rng, WIDE, 0.9) * 0.03, 0, 1).astype(np.float32)


def _clouds(rng: np.random.Generator, side: int, rough: float) -> np.ndarray:
    """A field about 0 of deviation about 1, each octave `rough` as strong as the coarser one, float32 (side, side)."""
    out, strength, total = np.zeros((side, side), np.float32), 1.0, 0.0
    for nodes in (3, 6, 12, 24, 48):
        field = rng.standard_normal((nodes, nodes), np.float32) * np.float32(strength)
        out += cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
        total += strength * strength
        strength *= rough
    return out / np.float32(np.sqrt(total))


def piece(store: Store, rng: np.random.Generator) -> np.ndarray:
    """A part of a texture at another size, contrast and level, (SIDE, SIDE)."""
    one = store.textures[int(rng.integers(TEXTURES))]
    side = int(rng.integers(40, WIDE))
    x, y = rng.integers(0, WIDE - side, 2)
    part = cv2.resize(one[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return (part - 0.5) * np.float32(rng.uniform(0.3, 1.3)) + np.float32(rng.uniform(0.1, 0.9))
