"""A drawn face as training changes it: its colours, its layers and what stands in front of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from landmark_training.store import TEXTURES, WIDE, Store

SIDE = 176  # of a drawn picture, in pixels
PLACES = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)  # y and x of its pixels
HAIR, THING, RIM = range(3)  # what stands in front
HAIRS = np.array([
    (22, 18, 17), (38, 30, 26), (56, 40, 31), (92, 64, 44), (140, 102, 66), (196, 164, 112), (136, 70, 40),
    (188, 184, 180), (228, 214, 180),
], np.float32) / 255  # fmt: skip
SKINS = np.array([
    (243, 213, 194), (236, 199, 172), (224, 181, 148), (205, 157, 121), (178, 128, 92), (144, 99, 70), (110, 74, 54),
    (84, 56, 43),
], np.float32) / 255  # fmt: skip


@dataclass(slots=True)
class Canvas:
    """Attributes:
    x: float32 (SIDE, SIDE, 3), RGB 0..1.
    skin, cloth, hair: shares of each pixel, float32 (SIDE, SIDE).
    normals: float32 (SIDE, SIDE, 2).
    points: the 68 landmarks in pixels.
    front: shares that hair, things and rims hide, float32 (SIDE, SIDE, 3).
    """

    x: np.ndarray
    skin: np.ndarray
    cloth: np.ndarray
    hair: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    front: np.ndarray

    @property
    def eyes(self) -> np.ndarray:
        """The middle between the eyes."""
        return (self.points[36:42].mean(0) + self.points[42:48].mean(0)) / 2

    @property
    def mouth(self) -> np.ndarray:
        """The middle of the lips."""
        return self.points[48:60].mean(0)

    @property
    def up(self) -> np.ndarray:
        """One eye distance toward the forehead."""
        return (self.eyes - self.mouth) * 0.93

    @property
    def right(self) -> np.ndarray:
        """One eye distance to the viewer's right."""
        return np.array([-self.up[1], self.up[0]])

    @property
    def unit(self) -> float:
        """The distance between the eyes, in pixels."""
        return float(np.linalg.norm(self.up))

    def at(self, x: float, y: float) -> np.ndarray:
        """A place by its distances from the eyes to the right and down, in eye distances."""
        return self.eyes + x * self.right - y * self.up

    def face(self) -> np.ndarray:
        """The face from the brows to the jaw, 0..1."""
        return polygon(np.concatenate([self.points[:17], self.points[26:16:-1]]))

    def tone(self) -> np.ndarray:
        """The mean colour of its skin, (3,)."""
        weight = self.skin * self.face()
        return (self.x * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1.0)

    def paint(self, cover: np.ndarray, colours: np.ndarray, soft: float = 0.0) -> None:
        """Lay colours over a part, as skin, cloth or light do: nothing that stands in front."""
        self.x = self.x + soft_edge(cover, soft)[..., None] * (colours - self.x)

    def stand(self, cover: np.ndarray, colours: np.ndarray, what: int, soft: float = 0.0) -> None:
        """Put something in front."""
        cover = soft_edge(cover, soft)
        self.x = self.x + cover[..., None] * (colours - self.x)
        self.front *= (1 - cover)[..., None]
        self.front[..., what] += cover

    def shade(self, cover: np.ndarray, rng: np.random.Generator) -> None:
        """Throw the shadow of something onto what is behind it."""
        if rng.random() < 0.4:
            return
        shift = rng.normal(0, 0.08, 2) * self.unit
        moved = cv2.warpAffine(cover, np.float64([[1, 0, shift[0]], [0, 1, abs(shift[1])]]), (SIDE, SIDE))
        moved = cv2.GaussianBlur(moved, (0, 0), self.unit * float(rng.uniform(0.03, 0.15)))
        self.x = self.x * (1 - np.float32(rng.uniform(0.1, 0.6)) * moved)[..., None]


def soft_edge(cover: np.ndarray, soft: float) -> np.ndarray:
    return cv2.GaussianBlur(cover, (0, 0), soft) if soft > 0.2 else cover


def polygon(corners: np.ndarray) -> np.ndarray:
    """The share of each pixel that lies within, float32 (SIDE, SIDE)."""
    cover = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillPoly(cover, [np.round(corners * 8).astype(np.int32)], 1.0, cv2.LINE_AA, 3)
    return cover


def stroke(corners: np.ndarray, wide: float, closed: bool = False) -> np.ndarray:
    """A line of this width in pixels."""
    cover = np.zeros((SIDE, SIDE), np.float32)
    cv2.polylines(cover, [np.round(corners * 8).astype(np.int32)], closed, 1.0, max(1, round(wide)), cv2.LINE_AA, 3)
    return cover * np.float32(min(1.0, max(wide, 0.35)))


def rod(start: np.ndarray, end: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A rod with round ends: its share of each pixel, and how far a pixel is from its axis, 0 to 1 at its edge."""
    line = end - start
    dx, dy = PLACES[1] - np.float32(start[0]), PLACES[0] - np.float32(start[1])
    share = np.clip((dx * line[0] + dy * line[1]) / max(float(line @ line), 1e-3), 0, 1)
    away = np.hypot(dx - share * line[0], dy - share * line[1]) / radius
    return np.clip((1 - away) * radius + 0.5, 0, 1).astype(np.float32), away.astype(np.float32)


def ball(middle: np.ndarray, radii: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """An ellipse as `rod` gives rods."""
    dx, dy = PLACES[1] - np.float32(middle[0]), PLACES[0] - np.float32(middle[1])
    c, s = np.cos(angle), np.sin(angle)
    away = np.hypot((dx * c + dy * s) / radii[0], (dy * c - dx * s) / radii[1]).astype(np.float32)
    return np.clip((1 - away) * float(min(radii)) + 0.5, 0, 1).astype(np.float32), away


def rounded(away: np.ndarray, low: float) -> np.ndarray:
    """The light on something round, from `low` at its edge to 1."""
    return (low + (1 - low) * np.sqrt(np.clip(1 - away * away, 0, 1)))[..., None].astype(np.float32)


def texture(store: Store, rng: np.random.Generator) -> np.ndarray:
    """Colours of no object, (SIDE, SIDE, 3): from even to with hard edges, in one tint or several."""
    base = rng.uniform(0.03, 0.97, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0.03, 0.97))
    pattern = _part(store, rng)[..., None]
    other = rng.uniform(0, 1, 3) if rng.random() < 0.4 else base * rng.uniform(0.3, 1.5)
    strength = float(rng.choice([0.15, 0.5, 1.0]))
    return np.float32(base) + (pattern - 0.5) * np.float32((other - base) * 2 * strength)


def cloud(store: Store, rng: np.random.Generator) -> np.ndarray:
    """A soft field about 0 of deviation about 1, (SIDE, SIDE)."""
    return cv2.resize(store.cloud(rng), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def _part(store: Store, rng: np.random.Generator) -> np.ndarray:
    one, side = store.textures[int(rng.integers(TEXTURES))], int(rng.integers(30, WIDE))
    x, y = rng.integers(0, WIDE - side + 1, 2)
    return cv2.resize(one[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
