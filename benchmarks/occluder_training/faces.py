"""What training changes of a drawn face and its room: beard, mouth, light, camera. None of it stands in front."""

from __future__ import annotations

import cv2
import numpy as np
from landmark_training.store import Store

from .canvas import HAIRS, PLACES, SIDE, Canvas, ball, cloud, polygon, rounded, soft_edge, stroke, texture

Rng = np.random.Generator


def recoloured(face: Canvas, store: Store, rng: Rng) -> None:
    """Another room, other cloth and hair, a skin of another tint, unevenness and contrast."""
    skin = face.skin[..., None]
    if rng.random() < 0.5:
        tone = face.tone()
        face.x = face.x + skin * (face.x - np.float32(tone)) * np.float32(rng.uniform(-0.5, 0.6))
    if rng.random() < 0.6:
        face.x = face.x * (1 + skin * cloud(store, rng)[..., None] * np.float32(rng.normal(0, 0.07, 3)))
    if rng.random() < 0.5:
        to = HAIRS[rng.integers(len(HAIRS))] * np.float32(rng.uniform(0.5, 1.2))
        grey = face.x.mean(2, keepdims=True)
        mean = float((grey[..., 0] * face.hair).sum() / max(float(face.hair.sum()), 1.0))
        contrast = np.float32(rng.uniform(0.2, 1.2))
        face.x = face.x + face.hair[..., None] * (to * (1 + contrast * (grey / max(mean, 0.05) - 1)) - face.x)
    if rng.random() < 0.5:
        face.paint(face.cloth, texture(store, rng) * (0.4 + 0.8 * face.x))
    if rng.random() < 0.85:
        face.paint(np.clip(1 - face.skin - face.cloth - face.hair, 0, 1), texture(store, rng))


def bent(face: Canvas, rng: Rng) -> None:
    """Another form: everything displaced smoothly, the lower face wider or narrower, its jaw's landmarks not as far."""
    small = rng.normal(0, 0.05 * face.unit * rng.uniform(0, 1.2), (4, 4, 2)).astype(np.float32)
    off = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    level = np.clip((PLACES[0] - face.eyes[1]) / np.float32(1.2 * face.unit), 0, 1)
    wider = np.float32(rng.uniform(-0.16, 0.2)) * level * np.exp(-np.abs(PLACES[1] - face.mouth[0]) / (2 * face.unit))
    off[..., 0] += wider * (PLACES[1] - np.float32(face.mouth[0]))
    maps = PLACES[1] - off[..., 0], PLACES[0] - off[..., 1]
    for name in ("x", "skin", "cloth", "hair", "normals", "front"):
        moved = cv2.remap(getattr(face, name), *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        setattr(face, name, moved)
    at = np.clip(np.rint(face.points), 0, SIDE - 1).astype(int)
    shift = off[at[:, 1], at[:, 0]].astype(np.float64)
    shift[:17] *= rng.uniform(0.4, 1.0)
    face.points = face.points + shift


def jowls(face: Canvas, store: Store, rng: Rng) -> None:
    """Full cheeks and flesh beside and below the jaw, with folds before them."""
    p, colour = face.points, face.tone()
    for side, rim in ((-1, p[3:8]), (1, p[9:14])):
        middle = rim[rng.integers(5)] + side * face.right * rng.uniform(-0.35, 0.15) + face.up * rng.uniform(-0.2, 0.2)
        cover, away = ball(middle, face.unit * rng.uniform(0.2, 0.6, 2), rng.uniform(0, 3))
        light = rounded(away, rng.uniform(0.5, 1.0)) * np.float32(rng.uniform(0.7, 1.12))
        uneven = 1 + np.float32(rng.uniform(0, 0.1)) * cloud(store, rng)[..., None]
        strength = np.float32(rng.uniform(0.3, 1.0)) * (1 - face.hair)
        face.paint(cover * strength, np.float32(colour) * light * uneven, face.unit * rng.uniform(0.02, 0.12))
        if rng.random() < 0.5:
            start, end = face.at(side * rng.uniform(0.3, 0.9), rng.uniform(0.7, 1.2)), middle - 0.3 * face.up
            line = np.stack([start, (start + end) / 2 + side * face.right * rng.uniform(-0.1, 0.2), end])
            fold = stroke(line, face.unit * rng.uniform(0.02, 0.08)) * np.float32(rng.uniform(0.1, 0.6))
            face.paint(fold, face.x * 0.5, rng.uniform(0.6, 2.0))


def sideburns(face: Canvas, store: Store, rng: Rng) -> None:
    """Thin hair on the skin before the ears, and dark skin there."""
    p, colour = face.points, HAIRS[rng.integers(len(HAIRS))] * np.float32(rng.uniform(0.6, 1.2))
    for side, rim in ((-1, p[0:6]), (1, p[11:17])):
        wide = rng.uniform(0.05, 0.4)
        cover = polygon(np.concatenate([rim + side * 0.1 * face.right, rim[::-1] - side * wide * face.right]))
        grain = np.clip(0.8 + 0.4 * cloud(store, rng), 0, 1) * np.float32(rng.uniform(0.1, 0.8))
        face.paint(cover * grain, np.float32(colour) * np.ones_like(face.x), face.unit * rng.uniform(0.03, 0.15))


def beard(face: Canvas, store: Store, rng: Rng) -> None:
    """Beard, moustache or stubble of any colour."""
    p, colour = face.points, HAIRS[rng.integers(len(HAIRS))] * np.float32(rng.uniform(0.5, 1.2))
    low = p[3:14] - np.outer(np.ones(11), face.up) * rng.uniform(-0.05, 0.4)
    cheek = rng.uniform(-0.1, 0.35)
    cover = np.zeros_like(face.skin)
    kind = rng.random()
    if kind < 0.7:
        lips = p[[54, 53, 52, 51, 50, 49, 48]] + face.up * rng.uniform(0.02, 0.25)
        top = np.stack([p[13] * (1 - cheek) + p[35] * cheek, *lips, p[3] * (1 - cheek) + p[31] * cheek])
        cover = polygon(np.concatenate([low, top]))
    elif kind < 0.85:
        middle = (p[57] + p[8]) / 2 - face.up * rng.uniform(0, 0.2)
        cover = ball(middle, face.unit * np.array([rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.5)]), 0.0)[0]
    if kind > 0.6:
        under = np.concatenate([p[48:55], p[[35, 33, 31]] - face.up * rng.uniform(0.02, 0.15)])
        cover = np.maximum(cover, polygon(under))
    cover = cover * (1 - polygon(p[48:60]))
    grain = 1 + np.float32(rng.uniform(0.05, 0.5)) * rng.standard_normal(cover.shape).astype(np.float32)
    cover = soft_edge(cover, rng.uniform(0.5, 4)) * np.clip(0.85 + 0.3 * cloud(store, rng), 0, 1)
    strength = np.float32(rng.uniform(0.15, 1))
    face.paint(cover * strength, colour * soft_edge(grain, rng.uniform(0, 0.8))[..., None])


def mouth(face: Canvas, store: Store, rng: Rng) -> None:
    """Lips of another colour; at times an open mouth with teeth or tongue."""
    p = face.points
    lips = polygon(p[48:60]) * np.float32(rng.uniform(0.1, 0.8))
    face.paint(lips, face.x * np.float32(rng.uniform(0.5, 1.0) * np.array([1.1, rng.uniform(0.5, 1), 0.9])), 0.6)
    if rng.random() < 0.5:
        return
    gape, middle = rng.uniform(0.3, 1.0), p[60:68].mean(0)
    inner = middle + (p[48:60] - middle) * np.array([rng.uniform(0.6, 0.9), 1.0]) * gape
    cover = polygon(inner)
    face.paint(cover, np.float32([0.2, 0.06, 0.06]) * np.float32(rng.uniform(0.2, 2.2)), 0.5)
    if rng.random() < 0.7:
        cut = cover * (PLACES[0] < middle[1] + rng.uniform(-0.06, 0.06) * face.unit)
        face.paint(
            cut * np.float32(rng.uniform(0.6, 1)), np.float32(rng.uniform(0.5, 1) * np.array([1, 0.97, 0.9])), 0.4
        )
    if rng.random() < 0.3:
        tongue = ball(middle - 0.08 * face.up, face.unit * np.array([0.2, 0.1]), 0.0)[0] * cover
        face.paint(tongue, np.float32([0.7, 0.3, 0.3]) * np.float32(rng.uniform(0.5, 1.2)), 0.6)


def marks(face: Canvas, store: Store, rng: Rng) -> None:
    """Red cheeks, folds, freckles, moles, scars, at times faint paint."""
    p, unit = face.points, face.unit
    if rng.random() < 0.4:
        for side in (-1, 1):
            cover = ball(
                face.at(side * rng.uniform(0.5, 0.9), rng.uniform(0.5, 1.3)), unit * rng.uniform(0.2, 0.5, 2), 0.0
            )[0]
            face.paint(cover * np.float32(rng.uniform(0.1, 0.5)), face.x * np.float32([1.15, 0.75, 0.75]), 0.12 * unit)
    for wing, corner, side in ((31, 48, -1), (35, 54, 1)):
        if rng.random() < 0.55:
            out = side * rng.uniform(0.02, 0.2) * face.right
            line = np.stack(
                [p[wing] + 0.5 * out, (p[wing] + p[corner]) / 2 + 1.3 * out, p[corner] + out - 0.1 * face.up]
            )
            cover = stroke(line, unit * rng.uniform(0.03, 0.12))
            face.paint(cover * np.float32(rng.uniform(0.1, 0.6)), face.x * 0.5, rng.uniform(0.6, 2.5))
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 12))):
            spot = ball(face.at(rng.uniform(-0.9, 0.9), rng.uniform(0, 1.7)), unit * rng.uniform(0.01, 0.05, 2), 0.0)[0]
            face.paint(spot * np.float32(rng.uniform(0.2, 0.9)), face.x * np.float32(rng.uniform(0.3, 0.8)), 0.5)
    if rng.random() < 0.04:
        face.paint(face.face() * np.clip(cloud(store, rng), 0, 1) * np.float32(0.5), texture(store, rng), 1.0)
    if rng.random() < 0.3:
        line = p[4:13] - np.outer(rng.uniform(0.05, 0.5) + 0.2 * np.sin(np.linspace(0, np.pi, 9)), face.up)
        cover = stroke(line, unit * rng.uniform(0.03, 0.15))
        face.paint(cover * np.float32(rng.uniform(0.1, 0.6)), face.x * 0.4, rng.uniform(0.6, 3))


def neck_and_collar(face: Canvas, store: Store, rng: Rng) -> None:
    """A wide neck, and a collar or a jacket that begins below the chin."""
    chin, below = face.points[8], np.clip(1 - face.face(), 0, 1)
    if rng.random() < 0.7:
        high, tone = rng.uniform(0.2, 1.5, 2), face.tone() * rng.uniform(0.4, 1.15)
        wide, more = rng.uniform(0.6, 1.35, 2), rng.uniform(0, 0.6)
        corners = [
            chin + side * face.right * one + face.up * top
            for side, one, top in (
                (-1, wide[0], high[0]),
                (1, wide[1], high[1]),
                (1, wide[1] + more, -2.2),
                (-1, wide[0] + more, -2.2),
            )
        ]
        cover = polygon(np.stack(corners)) * below * (1 - face.hair)
        face.paint(cover, tone * (1 + np.float32(rng.uniform(0, 0.2)) * cloud(store, rng)[..., None]), 0.8)
        for _ in range(int(rng.integers(0, 4))):  # sinews and folds
            start = chin + face.right * rng.uniform(-1.1, 1.1) + face.up * rng.uniform(-0.2, 0.9)
            line = np.stack([start, start + face.right * rng.normal(0, 0.5) - face.up * rng.uniform(0, 1.0)])
            fold = stroke(line, face.unit * rng.uniform(0.03, 0.15)) * cover * np.float32(rng.uniform(0.1, 0.5))
            face.paint(fold, face.x * 0.5, rng.uniform(0.6, 3))
    if rng.random() < 0.7:
        t, deep = np.linspace(-1, 1, 9), rng.uniform(0.08, 0.9)
        rise = np.abs(t) ** rng.choice([1.0, 2.0]) * rng.uniform(-0.1, 1.0)
        edge = chin + np.outer(t * rng.uniform(1.2, 2.5), face.right) + np.outer(rise - deep, face.up)
        cover = polygon(np.concatenate([edge, edge[::-1] - 3 * face.up])) * below
        face.paint(cover * (1 - 0.9 * face.hair), texture(store, rng), rng.uniform(0, 0.8))


def relit(face: Canvas, store: Store, rng: Rng) -> None:
    """Light from a side, hollows, shadows with soft and hard edges, of a brim, of leaves; shine."""
    light = np.ones_like(face.skin)
    if rng.random() < 0.5:
        angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9)
        toward = face.normals @ np.float32([np.cos(angle), np.sin(angle)])
        light = light * np.maximum(1 + np.float32(strength) * toward, 0.08)
    if rng.random() < 0.35:
        angle, hard = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 40)
        x, y = ((PLACES[axis] - np.float32(at)) / np.float32(face.unit * 2) for axis, at in zip(
            (1, 0), face.at(0, 0.8), strict=True))  # fmt: skip
        bend = np.float32(rng.uniform(0, 0.15)) * cloud(store, rng)
        across = x * np.cos(angle) + y * np.sin(angle) + bend + rng.uniform(-0.5, 0.5)
        light = light * (1 - np.float32(rng.uniform(0.2, 0.85)) / (1 + np.exp(-hard * across)))
    if rng.random() < 0.15:
        patch = soft_edge((cloud(store, rng) > rng.uniform(0.3, 1.2)).astype(np.float32), rng.uniform(0.8, 5))
        light = light * (1 - np.float32(rng.uniform(0.1, 0.6)) * patch)
    if rng.random() < 0.3:
        light = light * (1 + np.float32(rng.uniform(0.05, 0.3)) * np.tanh(cloud(store, rng)))
    face.x = face.x * light[..., None].astype(np.float32)
    if rng.random() < 0.25:
        spot = ball(face.at(rng.normal(0, 0.5), rng.uniform(-0.5, 1.6)), face.unit * rng.uniform(0.05, 0.3, 2), 0.3)[0]
        face.paint(spot * face.skin * np.float32(rng.uniform(0.1, 0.7)), np.float32(1.0), 0.08 * face.unit)


def hat(face: Canvas, store: Store, rng: Rng) -> None:
    """A hat or a hood over the brow, with its shadow below."""
    t, low = np.linspace(-1, 1, 13), rng.uniform(0.35, 1.0)
    wide, bow = rng.uniform(0.9, 1.9), rng.uniform(-0.3, 0.45)
    edge = np.array([face.at(x * wide, -low + bow * x * x) for x in t])
    cover = polygon(np.concatenate([edge, edge[::-1] + 3 * face.up]))
    shadow = cv2.GaussianBlur(np.roll(cover, int(rng.integers(3, 25)), 0), (0, 0), float(rng.uniform(0.8, 5)))
    face.x = face.x * (1 - np.float32(rng.uniform(0, 0.7)) * shadow)[..., None]
    face.paint(cover, texture(store, rng), rng.uniform(0, 1.0))
    face.front *= (1 - cover)[..., None]


def photographed(face: Canvas, rng: Rng) -> np.ndarray:
    """The picture as a camera gives it, uint8 (SIDE, SIDE, 3)."""
    x = np.clip(face.x, 0, 1.5) ** np.float32(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.5:
        x = (x - x.mean()) * np.float32(rng.uniform(0.6, 1.4)) + x.mean() * np.float32(rng.uniform(0.75, 1.2))
    x = x * np.float32(np.exp(rng.normal(0, 0.1, 3)))
    grey = x.mean(2, keepdims=True)
    colour = 0.0 if rng.random() < 0.07 else rng.uniform(0.4, 1.3)
    x = grey + (x - grey) * np.float32(colour)
    if rng.random() < 0.35:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.3, 1.8)))
    if rng.random() < 0.25:
        side = int(rng.integers(60, SIDE))
        x = cv2.resize(cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if rng.random() < 0.2:
        x = x + np.float32(rng.uniform(0.3, 1.2)) * (x - cv2.GaussianBlur(x, (0, 0), 1.2))
    noise = float(rng.choice([0.0, 0.01, 0.04]))
    if noise:
        grain = rng.standard_normal((SIDE, SIDE, 1 if rng.random() < 0.5 else 3), np.float32)
        x = x + grain * np.float32(noise)
    out = np.clip(x * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))]
        out = cv2.imdecode(cv2.imencode(".jpg", out[..., ::-1], quality)[1], 1)[..., ::-1]
    return np.ascontiguousarray(out)


# How often each changes a face.
CHANGES = (
    (neck_and_collar, 0.6), (jowls, 0.4), (sideburns, 0.2), (marks, 0.7), (mouth, 0.45), (beard, 0.3), (relit, 0.8),
    (hat, 0.12),
)  # fmt: skip
