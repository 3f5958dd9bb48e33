"""The texture of a head in its UV map: complexion, eyes, brows, lips, nostrils, beard."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, floats
from maskgen.core.seeding import rng_for

from .face_shape import SIDES, FaceShape, fold_beside
from .head_uv_map import HeadSurface, Patch, Share, curve, height_of, step
from .person import Person
from .scene import Expression

Colour = NDArray[np.floating] | tuple[float, float, float]


class HeadTexture:
    """The texture of a head, float32 (rows, columns, 4): RGB 0..255 and gloss 0..1, and the surface it lies on."""

    def __init__(self, colour: Doubles, gloss: float, skin: HeadSurface) -> None:
        self.skin = skin
        self.pixels: Floats = np.empty((*skin.radius.shape, 4), np.float32)
        self.pixels[:] = [*colour, gloss]

    def mix(self, at: Patch | Share, share: Floats, colour: Colour, gloss: float | None = None) -> None:
        """Blend in a colour, and a gloss if given, with weights `share` (h, w)."""
        part = self.pixels[at.slices]
        part[..., :3] += (np.asarray(colour, np.float32) - part[..., :3]) * share[..., None]
        if gloss is not None:
            part[..., 3] += (floats(gloss) - part[..., 3]) * share

    def tint(self, at: Patch | Share, share: Floats, factor: tuple[float, float, float]) -> None:
        """Multiply colours by a factor, with weights `share` (h, w)."""
        self.pixels[at.slices][..., :3] *= 1 + (floats(factor) - 1) * share[..., None]

    def tint_spot(
        self,
        at: Doubles,
        radii: tuple[float, float, float],
        factor: tuple[float, float, float],
        strength: float = 1.0,
    ) -> None:
        """Multiply colours in a soft spot, see `Patch.spot`."""
        share = self.skin.spot(at, radii)
        self.tint(share, floats(strength) * share.values, factor)

    def tint_line(
        self, points: Doubles, width: float, factor: tuple[float, float, float], strength: float = 1.0
    ) -> None:
        """Multiply colours along a soft line, see `Patch.line`."""
        if strength > 0:
            share = self.skin.line(points, width)
            self.tint(share, floats(strength) * share.values, factor)


def draw_head_texture(person: Person, form: FaceShape, face: Expression, looks: tuple[float, float]) -> Floats:
    """The texture of a head, float32 (rows, columns, 4), at twice the resolution of its shape.

    Args:
        looks: displacement of the irises to the right and down, in eye distances.
    """
    rows, columns = form.skin.radius.shape
    radius = cv2.resize(form.skin.radius, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR)
    art, points = HeadTexture(person.skin, 0.22, HeadSurface(np.asarray(radius, np.float32))), form.points68
    art.pixels[..., :3] *= _mottled(person.pattern, *radius.shape)[..., None]
    _complexion(art, person, points)
    _age(art, person, points, max(face.smile, 0.0))
    _beard(art, person, form)
    _nose(art, person, points)
    _mouth(art, person, points)
    for side, eye, brow in SIDES:
        _eye(art, person, points[eye], side, looks)
        _brow(art, person, points[brow], side)
    return art.pixels


@lru_cache(maxsize=4)
def _mottled(pattern: int, rows: int, columns: int) -> Floats:
    """Random variation of the skin's brightness: factors about 1, (rows, columns)."""
    rng = rng_for(pattern, "skin")
    fine = rng.normal(size=(rows // 4, columns // 4)).astype(np.float32)
    broad = rng.normal(size=(rows // 24, columns // 24)).astype(np.float32)
    fields = [cv2.resize(field, (columns, rows), interpolation=cv2.INTER_CUBIC) for field in (fine, broad)]
    return np.asarray(1 + 0.012 * fields[0] + 0.014 * fields[1], np.float32)


@lru_cache(maxsize=4)
def _hairs(pattern: int, rows: int, columns: int) -> Floats:
    """Noise of short strokes, standard deviation 1, mean about 0, which makes an even colour look like hair."""
    field = rng_for(pattern, "hairs").normal(size=(rows, columns)).astype(np.float32)
    soft = cv2.GaussianBlur(field, (0, 0), sigmaX=0.7, sigmaY=1.6)
    return np.asarray(soft / soft.std(), np.float32)


def _complexion(art: HeadTexture, person: Person, p: Doubles) -> None:
    """Red cheeks, nose and chin, shade around the eyes, freckles."""
    pale = float(np.clip(person.skin.mean() / 220, 0.3, 1))
    red = (1.0, 1 - 0.1 * pale, 1 - 0.11 * pale)
    for side, eye, _ in SIDES:
        art.tint_spot(p[31 if side < 0 else 35] + [side * 0.38, -0.12, -0.2], (0.32, 0.25, 0.8), red)
        art.tint_spot(p[eye].mean(0) + [-side * 0.06, 0, 0], (0.34, 0.2, 0.6), (0.93, 0.87, 0.87))
    art.tint_spot(p[30] + [0, 0.02, 0], (0.2, 0.16, 0.4), red)
    art.tint_spot(p[8] + [0, -0.12, 0], (0.26, 0.2, 0.6), red, 0.5)
    rng = rng_for(person.pattern, "freckles")
    for _ in range(int(70 * person.freckles)):
        side, out, down = rng.choice([-1, 1]), abs(rng.normal(0.32, 0.25)), rng.normal(-0.1, 0.14)
        size = float(rng.uniform(0.012, 0.022))
        art.tint_spot(np.array([side * out, down, 0.25]), (size, size, 9.0), (0.84, 0.74, 0.68))


def _age(art: HeadTexture, person: Person, p: Doubles, smile: float) -> None:
    """Shadows under the eyes, lines from nose to mouth, on the brow and beside the eyes."""
    line, age = (0.84, 0.78, 0.76), person.age
    for side, eye, _ in SIDES:
        under = curve(p[[eye[3], eye[4], eye[5], eye[0]]])[2:-2] + [0, 0.1, 0]
        art.tint_line(under, 0.05, (0.9, 0.83, 0.84), 0.35 + 0.6 * age)
        outer = p[eye[0] if side < 0 else eye[3]]
        for turn in (-0.06, 0.0, 0.06):
            foot = np.stack([outer + [side * 0.07, turn * 0.6, 0], outer + [side * 0.2, turn * 1.9, 0]])
            art.tint_line(foot, 0.012, line, 0.7 * max(age - 0.35, 0))
        wing, corner = p[31 if side < 0 else 35], p[48 if side < 0 else 54]
        art.tint_line(fold_beside(side, wing, corner, smile), 0.025, line, 0.2 + 0.6 * age)
    for level in (-1.25, -1.38, -1.5):
        wave = np.stack([[x, level + 0.03 * np.cos(4 * x), 0.2] for x in np.linspace(-0.5, 0.5, 6)])
        art.tint_line(wave, 0.015, line, 0.9 * max(age - 0.45, 0))


def _grown(person: Person, at: Patch, p: Doubles) -> Floats:
    """Density of beard and moustache on a patch of the lower face, 0..1; none on the lips."""
    x, jaw = np.abs(at.x), p[[7, 6, 5, 4, 3, 2, 1]]
    half = float(np.abs(p[[48, 54], 0]).mean())
    # The beard's upper edge runs from the ear down to the corner of the mouth.
    edge = np.interp(
        x,
        [0, half * 0.8, half * 1.3, 0.95, 1.2],
        [p[57, 1] + 0.14, p[54, 1] + 0.12, p[54, 1] + 0.02, 0.1, -0.45],
    ).astype(np.float32)
    low = np.interp(x, [0, *np.abs(jaw[:, 0])], [p[8, 1] + 0.1, *(jaw[:, 1] + 0.07)]).astype(np.float32)
    chin = step(at.y - edge, -0.07, 0.09) * step(low - at.y, 0.0, 0.12) * step(at.points[..., 2], -1.2, -0.95)
    corners = [p[33] + [side * 1.25 * half, 0.42, 0] for side in (-1, 1)]
    lip = np.stack([corners[0], p[31] + [-0.06, 0.12, 0], p[33] + [0, 0.09, 0], p[35] + [0.06, 0.12, 0], corners[1]])
    upper = step(at.y - height_of(lip, at.x), -0.02, 0.05) * step(floats(half * 1.2) - x, 0, 0.1)
    upper *= step(floats(p[57, 1] + 0.02) - at.y, 0, 0.1)
    return np.maximum(person.beard * chin, person.moustache * upper).astype(np.float32) * (1 - _lips(at, p))


def _lips(at: Patch, p: Doubles) -> Floats:
    """Coverage of the whole mouth, lips and opening, 0..1."""
    top, bottom = height_of(p[48:55], at.x), height_of(p[[48, 59, 58, 57, 56, 55, 54]], at.x)
    inside = step(at.y - top, -0.012, 0.014) * step(bottom - at.y, -0.014, 0.016)
    return inside * step(at.x, p[48, 0] - 0.01, p[48, 0] + 0.03) * step(-at.x, -p[54, 0] - 0.01, -p[54, 0] + 0.03)


def _beard(art: HeadTexture, person: Person, form: FaceShape) -> None:
    if max(person.beard, person.moustache) < 0.04:
        return
    p = form.points68
    small = form.skin.patch(np.concatenate([p[1:16], p[31:36]]), (0.1, 0.25))
    part = tuple(slice(2 * one.start, 2 * one.stop) for one in small.slices)
    size = small.x.shape[1] * 2, small.x.shape[0] * 2
    share = np.asarray(cv2.resize(_grown(person, small, p), size, interpolation=cv2.INTER_LINEAR), np.float32)
    strokes = _hairs(person.pattern, *art.skin.radius.shape)[part]
    full = step(share, 0.25, 0.6)
    cover = np.minimum(np.clip(share * (0.75 + 0.22 * strokes) + 0.35 * full, 0, 0.94), 0.35 + full)
    dark = (person.hair * 0.8).astype(np.float32) * (1 + floats(0.16) * (strokes * full)[..., None])
    art.mix(Share((part[0], part[1]), cover), cover, dark, 0.08)


def _nose(art: HeadTexture, person: Person, p: Doubles) -> None:
    """Nostrils, and the shade under the nose and beside its wings."""
    art.tint_line(p[31:36] + [0, 0.015, 0], 0.045, (0.78, 0.68, 0.67))
    for side, wing, nostril in ((-1.0, p[31], p[32]), (1.0, p[35], p[34])):
        hole = np.stack([nostril + [side * x, y, 0] for x, y in ((0.045, -0.03), (0.0, -0.028), (-0.045, -0.012))])
        share = art.skin.line(hole, 0.027)
        art.mix(share, 0.9 * share.values, person.skin * [0.24, 0.15, 0.14], 0.02)
        behind = [wing + [side * x, y, 0] for x, y in ((0.03, -0.15), (0.085, -0.09), (0.095, -0.02), (0.05, 0.035))]
        art.tint_line(curve(np.stack(behind)), 0.022, (0.78, 0.68, 0.66), 0.75)


def _mouth(art: HeadTexture, person: Person, p: Doubles) -> None:
    at = art.skin.patch(p[48:60], (0.1, 0.08))
    whole = _lips(at, p)
    art.mix(at, 0.92 * whole, person.lips, 0.5)
    inner_top, inner_low = height_of(p[60:65], at.x), height_of(p[[60, 67, 66, 65, 64]], at.x)
    art.tint(at, whole * step(inner_top - at.y, -0.03, 0.02), (0.86, 0.8, 0.81))
    within = step(at.x, p[60, 0] - 0.01, p[60, 0] + 0.02) * step(-at.x, -p[64, 0] - 0.01, -p[64, 0] + 0.02)
    gap = step(at.y - inner_top, -0.006, 0.01) * step(inner_low - at.y, -0.006, 0.01) * within
    line = np.exp(-(((at.y - (inner_top + inner_low) / 2) / floats(0.016)) ** 2)) * within
    art.mix(at, 0.88 * line, person.lips * [0.38, 0.26, 0.28], 0.1)
    if float(p[66, 1] - p[62, 1]) > 0.05:
        _opening(art, at, p, gap, at.y - inner_top)
    for corner in (p[48], p[54]):
        art.tint_spot(corner, (0.04, 0.03, 0.5), (0.66, 0.56, 0.56))


def _opening(art: HeadTexture, at: Patch, p: Doubles, gap: Floats, below: Floats) -> None:
    """The inside of an open mouth: dark, with the upper teeth and a tongue."""
    high = float(p[66, 1] - p[62, 1])
    half = float(p[64, 0] - p[60, 0]) / 2
    across = (at.x - floats(p[62, 0])) / floats(half)
    art.mix(at, gap, (66, 28, 28), 0.1)
    art.mix(at, 0.7 * gap * at.spot(p[66] + [0, -0.01, 0], (0.2, 0.3 * high, 0.6)), (150, 78, 76), 0.3)
    tall = min(0.115, 0.72 * high) * (1 - 0.45 * across**2)
    teeth = gap * step(tall - below, -0.008, 0.012) * step(-np.abs(across), -0.97, -0.75)
    shade = (1 - 0.42 * across**2) * (0.78 + 0.22 * step(below, 0.0, 0.035))
    seam = np.abs(at.x / floats(0.062) - np.round(at.x / floats(0.062) - 0.5) - 0.5)
    shade *= 1 - 0.1 * np.exp(-((seam / floats(0.13)) ** 2))
    art.mix(at, teeth, floats([230, 224, 213]) * shade[..., None], 0.5)


def _eye(art: HeadTexture, person: Person, p: Doubles, side: float, looks: tuple[float, float]) -> None:
    """Eyelids, the white of the eye with its shade, iris, pupil and a highlight; `p` are the eye's six landmarks."""
    at = art.skin.patch(p, (0.07, 0.15))
    top, low = height_of(p[:4], at.x), height_of(p[[0, 5, 4, 3]], at.x)
    within = step(at.x, p[0, 0] - 0.012, p[0, 0] + 0.012) * step(-at.x, -p[3, 0] - 0.012, -p[3, 0] + 0.012)
    ball = step(at.y - top, -0.008, 0.01) * step(low - at.y, -0.01, 0.01) * within
    across = (at.x - floats(p[:, 0].mean())) / floats((p[3, 0] - p[0, 0]) / 2)
    white = floats([238, 233, 229]) * (1 - floats([0.22, 0.26, 0.26]) * across[..., None] ** 2)
    art.mix(at, ball, white, 0.55)
    inner = p[3] if side < 0 else p[0]
    corner = at.spot(inner + [side * 0.015, 0.005, 0], (0.03, 0.03, 0.4))
    art.mix(at, floats(0.7 * ball * corner), (196, 128, 122))
    _iris(art, at, person, p, ball, looks)
    under = np.exp(-np.maximum(at.y - top, 0) / floats(0.03))
    art.tint(at, 0.55 * ball * under, (0.35, 0.33, 0.34))
    _lids(art, at, person, side, (top, low), across)


def _iris(art: HeadTexture, at: Patch, person: Person, p: Doubles, ball: Floats, looks: tuple[float, float]) -> None:
    middle = np.array([p[[0, 3], 0].mean(), p[[1, 2, 4, 5], 1].mean() - 0.004]) + looks
    dx, dy = at.x - floats(middle[0]), at.y - floats(middle[1])
    away = np.hypot(dx, dy)
    rays = 0.1 * np.sin(23 * np.arctan2(dy, dx) + person.pattern % 7) * step(away, 0.03, 0.06)
    bright = 0.85 + 0.45 * np.exp(-(((away - 0.058) / 0.022) ** 2)) + rays + 2.2 * np.maximum(dy, 0)
    shade = (bright * (1 - 0.65 * step(away, 0.072, 0.1)))[..., None]
    art.mix(at, ball * step(-away, -0.106, -0.094), person.eyes.astype(np.float32) * shade, 0.6)
    art.mix(at, ball * step(-away, -0.048, -0.038), (12, 10, 10), 0.6)
    for x, y, size, strength in ((-0.03, -0.032, 0.02, 1.0), (0.038, 0.035, 0.014, 0.25)):
        spark = np.exp(-((np.hypot(dx - floats(x), dy - floats(y)) / floats(size)) ** 2))
        art.mix(at, floats(strength) * ball * spark, (255, 255, 255), 0.2)


def _lids(
    art: HeadTexture, at: Patch, person: Person, side: float, edges: tuple[Floats, Floats], across: Floats
) -> None:
    """Lashes along the edges of both eyelids, and the fold of the upper eyelid."""
    top, low = edges
    outer = np.clip(0.5 + 0.5 * side * across, 0, 1)
    within = step(-np.abs(across), -1.12, -0.95)
    thick = (0.012 + 0.012 * person.lashes) * (0.65 + 0.6 * outer)
    upper = np.exp(-(((at.y - top + 0.4 * thick) / thick) ** 2)) * within
    art.mix(at, 0.92 * upper, np.minimum(person.hair, 70) * 0.45, 0.1)
    lower = np.exp(-(((at.y - low) / floats(0.011)) ** 2)) * within
    art.tint(at, (0.45 + 0.4 * person.lashes * outer) * lower, (0.5, 0.4, 0.4))
    fold = np.exp(-(((at.y - top + floats(person.build.fold)) / floats(0.014)) ** 2))
    art.tint(at, 0.85 * fold * step(-np.abs(across), -1.25, -0.9), (0.66, 0.57, 0.56))


def _brow(art: HeadTexture, person: Person, p: Doubles, side: float) -> None:
    """Short hairs along the brow, which is thick at its inner end and thin at its outer end."""
    at = art.skin.patch(p, (0.08, 0.13))
    line = height_of(p, at.x)
    inner, outer = (p[4], p[0]) if side < 0 else (p[0], p[4])
    along = (at.x - floats(inner[0])) / floats(outer[0] - inner[0])
    half = person.brow * np.interp(along, [-0.1, 0.1, 0.55, 1.12], [0.85, 1.05, 0.95, 0.35]).astype(np.float32)
    strokes = _hairs(person.pattern, *art.skin.radius.shape)[at.slices]
    edge = np.abs(at.y - line - 0.4 * half) / half + 0.22 * strokes
    share = step(-edge, -1.25, -0.55) * step(along, -0.08, 0.08) * step(-along, -1.14, -0.98)
    base = np.minimum(person.hair, person.skin * 0.72) * 0.72
    art.mix(at, 0.9 * share, base.astype(np.float32) * (1 + floats(0.14) * strokes[..., None]), 0.1)
