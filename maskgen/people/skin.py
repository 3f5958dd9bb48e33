"""The painting of a head: skin, eyes, brows, lips, beard, as one picture by direction from the skull's middle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.people.person import Person
from maskgen.people.shape import texture_place

WIDE, HIGH = 2048, 1024
SHIFT = 4  # OpenCV draws at sixteenths of a pixel
Paint = NDArray[np.float32]


def _curve(points: Doubles, closed: bool = False, per: int = 8) -> Doubles:
    """A smooth line through points in the painting's pixels (Catmull-Rom)."""
    whole = np.concatenate([points[-1:], points, points[:2]]) if closed else np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, per, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(whole, whole[1:], whole[2:], whole[3:], strict=False):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate(pieces if closed else [*pieces, points[-1:]])


@dataclass(frozen=True, slots=True)
class Cover:
    """Coverage 0..1 of a part of the painting whose first row and column are `top` and `left`."""

    top: int
    left: int
    share: Paint

    @property
    def slices(self) -> tuple[slice, slice]:
        """The part, for indexing the painting."""
        rows, columns = self.share.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)

    def within(self, other: Cover) -> Cover:
        """As much of this as the other covers too."""
        whole = np.zeros((HIGH, WIDE), np.float32)
        whole[other.slices] = other.share
        return Cover(self.top, self.left, np.minimum(self.share, whole[self.slices]))

    def times(self, factor: Paint) -> Cover:
        """The coverage times a field over the whole painting."""
        return Cover(self.top, self.left, self.share * factor[self.slices])


class Painting:
    """A canvas (HIGH, WIDE, 3) on which shapes given in head coordinates are laid with soft edges."""

    def __init__(self, colour: Doubles) -> None:
        self.pixels: Paint = np.empty((HIGH, WIDE, 3), np.float32)
        self.pixels[:] = colour

    @staticmethod
    def at(points: Doubles) -> Doubles:
        """Head coordinates (n, 3) in the painting's pixels (n, 2)."""
        return texture_place(points) * [WIDE, HIGH] - 0.5

    def lay(self, cover: Cover, colour: Doubles | tuple[float, ...], strength: float = 1.0) -> None:
        """Mix a colour in where the cover says."""
        share = (cover.share * np.float32(strength))[..., None]
        part = self.pixels[cover.slices]
        self.pixels[cover.slices] = part * (1 - share) + np.asarray(colour, np.float32) * share

    def area(self, outline: Doubles, soft: float = 0.8) -> Cover:
        """Coverage of a closed shape given in the painting's pixels."""
        canvas, shift, origin = _window(outline, soft)
        cv2.fillPoly(canvas, [shift], 255, cv2.LINE_AA, SHIFT)
        return Cover(*origin, cv2.GaussianBlur(canvas, (0, 0), soft).astype(np.float32) / 255)

    def line(self, points: Doubles, width: float, soft: float = 0.8) -> Cover:
        """Coverage of a line given in the painting's pixels."""
        canvas, shift, origin = _window(points, soft + width)
        cv2.polylines(canvas, [shift], False, 255, max(1, round(width)), cv2.LINE_AA, SHIFT)
        return Cover(*origin, cv2.GaussianBlur(canvas, (0, 0), soft).astype(np.float32) / 255)

    def spot(self, point: Doubles, across: float, down: float) -> Cover:
        """A soft round spot about a point of the head, its radii in eye distances."""
        x, y = self.at(point[None])[0]
        unit = WIDE / (2 * np.pi) / max(np.linalg.norm(point[[0, 2]] - [0, -1.1]), 0.3)
        reach = int(2.5 * max(across, down) * unit) + 2
        top, left = max(0, int(y) - reach), max(0, int(x) - reach)
        v, u = np.mgrid[top : min(HIGH, int(y) + reach), left : min(WIDE, int(x) + reach)]
        share = np.exp(-(((u - x) / (across * unit)) ** 2) - ((v - y) / (down * unit)) ** 2)
        return Cover(top, left, share.astype(np.float32))


def _window(points: Doubles, soft: float) -> tuple[NDArray[np.uint8], NDArray[np.int32], tuple[int, int]]:
    """An empty canvas that holds the points with room for a blur, the points in it, and where it lies."""
    pad = int(3 * soft) + 3
    low = np.maximum(np.floor(points.min(0)).astype(int) - pad, 0)
    high = np.minimum(np.ceil(points.max(0)).astype(int) + pad, [WIDE, HIGH])
    canvas = np.zeros((max(1, high[1] - low[1]), max(1, high[0] - low[0])), np.uint8)
    return canvas, np.round((points - low) * 2**SHIFT).astype(np.int32), (int(low[1]), int(low[0]))


def paint_head(person: Person, points68: Doubles, grey: float | None = None) -> Paint:
    """The painting for a person with an expression, (HIGH, WIDE, 3), 0..255; `grey` leaves a plain grey head."""
    if grey is not None:
        return Painting(np.full(3, grey)).pixels
    art = Painting(person.skin)
    _complexion(art, person, points68)
    _beard(art, person, points68)
    _nose(art, person, points68)
    _mouth(art, person, points68)
    for eye, brow in ((range(36, 42), range(17, 22)), (range(42, 48), range(22, 27))):
        _eye(art, person, points68[list(eye)])
        _brow(art, person, points68[list(brow)])
    return art.pixels


@lru_cache(maxsize=4)
def _mottled(seed: int) -> Paint:
    """Skin that is nowhere quite the same: a field about 1, (HIGH, WIDE, 1)."""
    field = np.random.default_rng(seed).normal(size=(HIGH // 8, WIDE // 8)).astype(np.float32)
    return (1 + 0.018 * cv2.resize(field, (WIDE, HIGH)))[..., None]


def _complexion(art: Painting, person: Person, p: Doubles) -> None:
    """Red cheeks, shaded sockets, freckles, the lines of age, and a skin that is nowhere quite the same."""
    rng = np.random.default_rng(person.pattern)
    art.pixels *= _mottled(person.pattern)
    for side in (-1, 1):
        art.lay(art.spot(np.array([side * 0.62, -0.05, 0.0]), 0.26, 0.2), person.skin * [1.03, 0.82, 0.8], 0.5)
        eye = p[36:42].mean(0) if side < 0 else p[42:48].mean(0)
        art.lay(art.spot(eye, 0.34, 0.2), person.skin * [0.82, 0.74, 0.72], 0.5)
        fold = np.stack([p[31 if side < 0 else 35] + [side * 0.08, -0.02, 0], p[48 if side < 0 else 54] + [side * 0.08, -0.05, 0]])
        art.lay(art.line(art.at(fold), 5, 4.0), person.skin * 0.62, 0.25 + 0.5 * person.age)
        art.lay(art.spot(eye + [0, 0.24, 0], 0.2, 0.05), person.skin * 0.72, 0.15 + 0.4 * person.age)
    for _ in range(int(160 * person.freckles)):
        place = np.array([rng.normal(0, 0.45), rng.normal(-0.12, 0.18), 0.25])
        art.lay(art.spot(place, 0.014, 0.012), person.skin * [0.72, 0.58, 0.5], 0.6)


@lru_cache(maxsize=4)
def _hairs(seed: int, level: float, spread: float) -> Paint:
    """A field over the whole painting that makes an even cover look like single hairs."""
    field = np.random.default_rng(seed).normal(size=(HIGH, WIDE)).astype(np.float32)
    return np.clip(level + spread * cv2.GaussianBlur(field, (3, 3), 0.8), 0, 1)


def _beard(art: Painting, person: Person, p: Doubles) -> None:
    if person.beard <= 0.05:
        return
    jaw = p[2:15]
    low = jaw + [0, 0.22, -0.1]
    inner = np.stack([p[48] + [-0.1, -0.1, 0], p[31] + [-0.02, 0.12, 0], p[33] + [0, 0.08, 0], p[35] + [0.02, 0.12, 0], p[54] + [0.1, -0.1, 0]])
    outline = np.concatenate([art.at(low), art.at(jaw[-1:]), art.at(inner[::-1]), art.at(jaw[:1])])
    cover = art.area(outline, 14.0).times(_hairs(person.pattern + 1, 0.8, 0.35))
    art.lay(cover, person.hair * 0.7 + person.skin * 0.22, 0.3 + 0.55 * person.beard)


def _nose(art: Painting, person: Person, p: Doubles) -> None:
    art.lay(art.spot(p[33] + [0, 0.04, 0], 0.2, 0.05), person.skin * 0.6, 0.55)
    for nostril, side in ((p[32], -1), (p[34], 1)):
        art.lay(art.spot(nostril + [side * 0.02, -0.015, 0], 0.055, 0.032), person.skin * 0.28, 0.9)
        wing = p[31] if side < 0 else p[35]
        art.lay(art.spot(wing + [side * 0.03, -0.04, 0], 0.03, 0.08), person.skin * 0.66, 0.5)
        for bridge, down in ((p[28], 0.0), (p[29], 0.05)):
            art.lay(art.spot(bridge + [side * 0.17, down, -0.2], 0.07, 0.2), person.skin * 0.7, 0.4)
        art.lay(art.spot(np.array([side * 0.75, 0.35, -0.3]), 0.22, 0.3), person.skin * 0.78, 0.35)
    art.lay(art.spot(p[29], 0.05, 0.3), np.minimum(person.skin * 1.1 + 8, 255), 0.5)
    art.lay(art.spot(p[30] + [0, -0.03, 0], 0.07, 0.06), np.minimum(person.skin * 1.12 + 8, 255), 0.5)


def _mouth(art: Painting, person: Person, p: Doubles) -> None:
    outer, inner = art.at(p[48:60]), art.at(p[60:68])
    art.lay(art.area(_curve(outer, closed=True), 1.2), person.lips)
    art.lay(art.spot(p[57] + [0, -0.03, 0], 0.16, 0.035), np.minimum(person.lips * 1.18 + 8, 255), 0.45)
    art.lay(art.spot(p[57] + [0, 0.12, 0], 0.2, 0.05), person.skin * 0.68, 0.5)
    gap = float(np.linalg.norm(inner[2] - inner[6]))
    if gap > 7:
        inside = art.area(_curve(inner, closed=True), 0.8)
        art.lay(inside, (58, 22, 24))
        teeth = np.concatenate([inner[:5], inner[4:5] * 0.65 + inner[0:1] * 0.35 + [0, gap * 0.42], inner[0:1] * 0.65 + inner[4:5] * 0.35 + [0, gap * 0.42]])
        art.lay(art.area(teeth, 1.0).within(inside), (232, 226, 214))
    line = np.concatenate([inner[:1], (inner[1:4] + inner[[7, 6, 5]]) / 2, inner[4:5]])
    if gap <= 7:
        art.lay(art.line(_curve(line), 3, 0.8), person.lips * 0.42, 0.9)
    for corner in (p[48], p[54]):
        art.lay(art.spot(corner, 0.04, 0.03), person.skin * 0.5, 0.6)


def _eye(art: Painting, person: Person, p: Doubles) -> None:
    at = art.at(p)
    outline = _curve(at, closed=True)
    white = art.area(outline, 0.7)
    art.lay(white, (232, 228, 222))
    middle = p.mean(0)
    wide = float(np.linalg.norm(p[0] - p[3]))
    for radius, colour in ((0.235, person.eyes * 0.45), (0.205, person.eyes), (0.1, (14, 12, 12))):
        disc = _disc(art, middle, radius * wide)
        art.lay(disc.within(white), colour)
    art.lay(_disc(art, middle + [0.05 * wide, -0.06 * wide, 0], 0.045 * wide).within(white), (250, 250, 250), 0.9)
    upper = _curve(at[[0, 1, 2, 3]])
    art.lay(art.line(upper + [0, 4], 9, 3.0).within(white), (60, 50, 48), 0.45)
    art.lay(art.line(upper, 4, 0.8), np.minimum(person.hair, 60) * 0.6, 0.95)
    art.lay(art.line(_curve(at[[3, 4, 5, 0]]), 2, 0.8), person.skin * 0.5, 0.6)
    art.lay(art.line(upper - [0, 15], 3, 1.6), person.skin * 0.5, 0.55)


def _disc(art: Painting, centre: Doubles, radius: float) -> Cover:
    around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = centre + radius * np.stack([np.cos(around), np.sin(around), np.zeros(40)], 1)
    return art.area(art.at(ring), 0.6)


def _brow(art: Painting, person: Person, p: Doubles) -> None:
    spine = _curve(art.at(p))
    unit = WIDE / (2 * np.pi) / 1.6
    width = person.brow * unit
    cover = art.line(spine, width, 2.0)
    art.lay(cover.times(_hairs(person.pattern + 2, 0.85, 0.3)), person.hair * 0.75, 0.85)
