"""What stands in front of a drawn face: hair, hands, microphones, cups, papers, other people, scarves, glasses."""

from __future__ import annotations

import cv2
import numpy as np
from landmark_training.store import Store

from .canvas import (
    HAIR,
    HAIRS,
    RIM,
    SKINS,
    THING,
    Canvas,
    ball,
    cloud,
    polygon,
    rod,
    rounded,
    soft_edge,
    stroke,
    texture,
)

Rng = np.random.Generator


def lower_place(face: Canvas, rng: Rng) -> np.ndarray:
    """A place on the lower face, most often about the mouth."""
    return face.at(rng.normal(0, 0.45), rng.uniform(0.35, 2.1))


def outward(face: Canvas, start: np.ndarray, rng: Rng) -> np.ndarray:
    """A direction of length 1 in which hands and stems leave the face, most often down."""
    way = (start - face.at(0, 0.9)) / face.unit * rng.uniform(0.2, 1.2) - face.up / face.unit * rng.uniform(-0.2, 1.3)
    way = way + face.right / face.unit * rng.normal(0, 0.5)
    return way / max(float(np.linalg.norm(way)), 1e-3)


def hair_colour(face: Canvas, rng: Rng) -> np.ndarray:
    """The drawn person's, or any."""
    if rng.random() < 0.5 and face.hair.sum() > 200:
        return (face.x * face.hair[..., None]).sum((0, 1)) / face.hair.sum()
    return HAIRS[rng.integers(len(HAIRS))] * np.float32(rng.uniform(0.6, 1.2))


def strands(face: Canvas, store: Store, rng: Rng) -> None:
    """Single strands that fall over brow, cheeks or mouth."""
    side, colour = rng.choice([-1, 1]), hair_colour(face, rng)
    root = face.at(side * rng.uniform(0.2, 1.1), -rng.uniform(0.8, 1.4))
    to = side * face.right * rng.uniform(-1.0, 0.5) - face.up * rng.uniform(1.2, 3.2)
    cover = np.zeros_like(face.skin)
    wide, bundle = rng.uniform(0.5, 2.0), rng.uniform(0.03, 0.25)
    for _ in range(int(rng.integers(2, 22))):
        start, end = root + face.right * rng.normal(0, bundle), root + to + face.right * rng.normal(0, bundle)
        bend = (start + end) / 2 + face.right * rng.normal(0.2 * side, 0.15)
        t = np.linspace(0, 1, 9)[:, None]
        cover = np.maximum(cover, stroke((1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t * t * end, wide))
    light = 1 + np.float32(0.25) * cloud(store, rng)[..., None]
    face.shade(cover, rng)
    face.stand(cover * np.float32(rng.uniform(0.6, 1)), colour * light, HAIR, rng.uniform(0, 0.7))


def curtain(face: Canvas, store: Store, rng: Rng) -> None:
    """A mass of hair over one side of the face or both, with strands at its edge."""
    colour, t = hair_colour(face, rng), np.linspace(0, 1, 12)
    sides = [-1, 1] if rng.random() < 0.3 else [rng.choice([-1, 1])]
    for side in sides:
        inner = rng.uniform(0.25, 1.15) + np.cumsum(rng.normal(0, 0.06, 12)) + rng.normal(0, 0.5) * (t - 0.4) ** 2
        down = -1.3 + t * rng.uniform(2.0, 4.5)
        edge = np.array([face.at(side * x, y) for x, y in zip(inner, down, strict=True)])
        far = np.array([face.at(side * rng.uniform(1.3, 2.2), y) for y in (down[-1], -1.8)])
        cover = polygon(np.concatenate([edge, far]))
        for _ in range(int(rng.integers(0, 8))):
            cover = np.maximum(cover, stroke(edge + rng.normal(0, 0.07) * face.unit, rng.uniform(0.5, 2)))
        grain = _streaks(face, store, rng)
        face.shade(cover, rng)
        face.stand(cover, colour * grain, HAIR, rng.uniform(0, 1.5))


def _streaks(face: Canvas, store: Store, rng: Rng) -> np.ndarray:
    """Light on hair: streaks along it, (SIDE, SIDE, 1)."""
    field = cloud(store, rng)
    small = field[:, ::8] if rng.random() < 0.5 else field
    long = cv2.resize(small[:12], field.shape, interpolation=cv2.INTER_CUBIC)
    strength = rng.uniform(0.05, 0.35), rng.uniform(0, 0.2)
    return np.maximum(1 + np.float32(strength[0]) * long + np.float32(strength[1]) * field, 0.2)[..., None]


def skin_colour(face: Canvas, rng: Rng) -> np.ndarray:
    """That of the face, a little lighter or darker, or another person's."""
    if rng.random() < 0.75:
        return face.tone() * rng.uniform(0.7, 1.25) * rng.uniform(0.93, 1.07, 3)
    return SKINS[rng.integers(len(SKINS))] * np.float32(rng.uniform(0.5, 1.1))


def hand(face: Canvas, store: Store, rng: Rng) -> None:
    """Fingers side by side, spread or bent, at times with the back of the hand and an arm."""
    colour, tip = skin_colour(face, rng), lower_place(face, rng)
    along, radius = outward(face, tip, rng), face.unit * rng.uniform(0.09, 0.17)
    across, fan = np.array([-along[1], along[0]]) * rng.choice([-1, 1]), rng.uniform(-0.1, 0.25)
    count, low, long = int(rng.integers(1, 6)), rng.uniform(0.35, 0.8), rng.uniform(0.5, 1.6) * face.unit
    parts = []
    for finger in range(count):
        start = tip + across * 2.0 * radius * finger + along * rng.uniform(0, 0.3) * face.unit
        way = along + across * fan * (finger - count / 2)
        parts.append((*rod(start, start + long * way, radius * rng.uniform(0.85, 1.1)), 1.0))
    palm = tip + across * radius * (count - 1) + along * (long + 0.4 * face.unit)
    if rng.random() < 0.7:
        parts.append((*ball(palm, face.unit * rng.uniform(0.4, 0.7, 2), rng.uniform(0, 3)), 0.95))
    if rng.random() < 0.6:
        parts.append((*rod(palm, palm + along * 4 * face.unit, face.unit * rng.uniform(0.3, 0.5)), 0.9))
    whole = np.max([cover for cover, _, _ in parts], axis=0)
    face.shade(whole, rng)
    uneven = 1 + np.float32(rng.uniform(0.02, 0.12)) * cloud(store, rng)[..., None]
    for cover, away, level in rng.permutation(np.array(parts, object)) if rng.random() < 0.5 else reversed(parts):
        face.stand(cover, np.float32(colour * level) * rounded(np.asarray(away, np.float32), low) * uneven, THING, 0.4)


def fist(face: Canvas, store: Store, rng: Rng) -> None:
    """A fist, a chin in a hand, an arm before the face."""
    colour, middle = skin_colour(face, rng), lower_place(face, rng)
    along, size = outward(face, middle, rng), face.unit * rng.uniform(0.3, 0.65)
    across = np.array([-along[1], along[0]])
    parts = [rod(middle, middle + along * 5 * face.unit, size * rng.uniform(0.6, 0.9)), ball(middle, size * rng.uniform(
        0.8, 1.2, 2), rng.uniform(0, 3))]  # fmt: skip
    for knuckle in range(4):
        place = middle - along * size * 0.6 + across * size * (0.45 * knuckle - 0.9)
        parts.append(ball(place, size * rng.uniform(0.25, 0.45, 2), rng.uniform(0, 3)))
    face.shade(np.max([cover for cover, _ in parts], axis=0), rng)
    uneven, low = 1 + np.float32(rng.uniform(0.02, 0.12)) * cloud(store, rng)[..., None], rng.uniform(0.4, 0.8)
    for cover, away in parts:
        face.stand(cover, np.float32(colour) * rounded(away, low) * uneven, THING, 0.4)


def microphone(face: Canvas, store: Store, rng: Rng) -> None:
    """A ball of foam or of grey wire on a stem, or several."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        middle = face.at(rng.normal(0, 0.5), rng.uniform(0.9, 2.4))
        along, size = outward(face, middle, rng), face.unit * rng.uniform(0.12, 0.5)
        dark = rng.random() < 0.75
        tint = rng.uniform(0.8, 1.2, 3) if rng.random() < 0.8 else rng.uniform(0.1, 1.9, 3)
        colour = np.float32(np.clip(tint * (rng.uniform(0.02, 0.22) if dark else rng.uniform(0.3, 0.75)), 0, 1))
        radii = size * np.array([rng.uniform(0.9, 1.6), 1.0])
        cover, away = ball(middle, radii, np.arctan2(along[1], along[0]))
        handle, off = rod(middle, middle + along * 5 * face.unit, size * rng.uniform(0.25, 0.95))
        face.shade(np.maximum(cover, handle), rng)
        metal = np.float32(rng.uniform(0.03, 0.6))
        face.stand(handle, np.full(3, metal) * (rounded(off, 0.3) + 0.4 * (off[..., None] < 0.2)), THING, 0.4)
        grain = 1 + np.float32(rng.uniform(0, 0.35)) * rng.standard_normal(cover.shape).astype(np.float32)[..., None]
        face.stand(cover, colour * rounded(away, rng.uniform(0.2, 0.8)) * grain, THING, rng.uniform(0, 0.9))


def cup(face: Canvas, store: Store, rng: Rng) -> None:
    """A cup, a can or a bottle before mouth and chin, often held by fingers."""
    top, wide, tall = face.at(rng.normal(0, 0.3), rng.uniform(0.6, 1.7)), rng.uniform(0.25, 0.6), rng.uniform(0.6, 1.8)
    turn, taper = rng.normal(0, 0.35), rng.uniform(0.6, 1.1)
    right = face.right * np.cos(turn) + face.up * np.sin(turn)
    up = face.up * np.cos(turn) - face.right * np.sin(turn)
    low = top - up * tall
    corners = np.stack([top - right * wide, top + right * wide, low + right * wide * taper, low - right * wide * taper])
    cover = np.maximum(polygon(corners), ball(top, face.unit * np.array([wide, 0.3 * wide]), np.arctan2(
        right[1], right[0]))[0])  # fmt: skip
    across = _across(face, top, right) / wide
    light = rounded(np.clip(np.abs(across + rng.uniform(-0.4, 0.4)), 0, 1), rng.uniform(0.3, 0.9))
    face.shade(cover, rng)
    face.stand(cover, texture(store, rng) * light, THING, rng.uniform(0, 0.8))
    if rng.random() < 0.5:
        colour, side = skin_colour(face, rng), rng.choice([-1, 1])
        for finger in range(4):
            start = top - up * (0.25 + 0.27 * finger) - right * side * wide * 0.3
            part, away = rod(start, start + right * side * 2, face.unit * 0.13)
            face.stand(part, np.float32(colour) * rounded(away, 0.5), THING, 0.4)


def _across(face: Canvas, start: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How far each pixel lies from a place in a direction, in its lengths."""
    y, x = np.mgrid[0 : face.skin.shape[0], 0 : face.skin.shape[1]].astype(np.float32)
    return ((x - start[0]) * right[0] + (y - start[1]) * right[1]) / float(right @ right)


def sheet(face: Canvas, store: Store, rng: Rng) -> None:
    """A telephone, a paper or a book: a box with an even or printed face."""
    size = rng.uniform(0.25, 1.6, 2) * face.unit
    place = lower_place(face, rng) + outward(face, face.mouth, rng) * rng.uniform(0, 0.8) * size[1]
    box = (tuple(map(float, place)), tuple(map(float, size)), float(rng.uniform(0, 180)))
    cover = polygon(cv2.boxPoints(box))
    face.shade(cover, rng)
    face.stand(cover, texture(store, rng), THING, rng.uniform(0, 0.8))


def person(face: Canvas, store: Store, rng: Rng) -> None:
    """Another person's head or shoulder that hides a part of the face from a side or from below."""
    side = rng.choice([-1, 1])
    middle = face.at(side * rng.uniform(0.9, 2.0), rng.uniform(0.5, 3.2))
    radii = face.unit * rng.uniform(0.8, 1.5, 2)
    cover, away = ball(middle, radii, rng.uniform(0, 3))
    haired = rng.random() < 0.5
    colours = np.float32(hair_colour(face, rng)) * _streaks(face, store, rng) if haired else texture(store, rng)
    face.shade(cover, rng)
    face.stand(cover, colours * rounded(away, rng.uniform(0.4, 1)), HAIR if haired else THING, rng.uniform(0, 1.5))


def scarf(face: Canvas, store: Store, rng: Rng) -> None:
    """A scarf or a high collar in front of the chin, at times up to the nose."""
    t, high = np.linspace(-1, 1, 11), rng.uniform(0.7, 1.75)
    bow = rng.uniform(-0.4, 0.3)
    edge = np.array([face.at(x * 1.8, high + bow * x * x + rng.normal(0, 0.03)) for x in t])
    cover = polygon(np.concatenate([edge, edge[::-1] - 4 * face.up]))
    folds = 1 + np.float32(rng.uniform(0, 0.3)) * cloud(store, rng)[..., None]
    face.shade(cover, rng)
    face.stand(cover, texture(store, rng) * folds, THING, rng.uniform(0, 1.0))


def lump(face: Canvas, store: Store, rng: Rng) -> None:
    """Something of any outline and texture."""
    place, turn = lower_place(face, rng), np.linspace(0, 2 * np.pi, 14)[:-1]
    radius = face.unit * rng.uniform(0.15, 0.9) * np.exp(rng.normal(0, 0.25, 13))
    cover = polygon(place + np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1))
    cover = (soft_edge(cover, rng.uniform(1, 4)) > 0.5).astype(np.float32)
    face.shade(cover, rng)
    face.stand(cover, texture(store, rng), THING, rng.uniform(0.4, 1.2))


def boom(face: Canvas, store: Store, rng: Rng) -> None:
    """A headset's thin arm to the mouth, a cable, a hat's strap under the chin."""
    side = rng.choice([-1, 1])
    ends = face.at(side * 1.15, rng.uniform(0, 0.8)), face.at(side * rng.uniform(-0.2, 0.5), rng.uniform(1.0, 2.0))
    bend, t = face.at(side * rng.uniform(0.7, 1.1), rng.uniform(1.0, 1.9)), np.linspace(0, 1, 12)[:, None]
    line = (1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * bend + t * t * ends[1]
    cover = stroke(line, face.unit * rng.uniform(0.03, 0.1))
    if rng.random() < 0.7:
        cover = np.maximum(cover, ball(ends[1], face.unit * rng.uniform(0.07, 0.16, 2), rng.uniform(0, 3))[0])
    face.shade(cover, rng)
    face.stand(cover, np.float32(rng.uniform(0, 0.3) * rng.uniform(0.8, 1.2, 3)), THING, rng.uniform(0, 0.6))


def glasses(face: Canvas, store: Store, rng: Rng) -> None:
    """Glasses of any form, thin, thick, light and dark, some of them with dark glass."""
    size, drop = rng.uniform(0.28, 0.46), rng.uniform(-0.05, 0.15)
    p, turn = face.points, np.linspace(0, 2 * np.pi, 33)[:-1]
    across = max(float(np.linalg.norm(p[36:42].mean(0) - p[42:48].mean(0))) / face.unit, 0.2)
    tall, power = size * rng.uniform(0.55, 1.1), rng.uniform(0.4, 1.0)
    form = np.stack([np.sign(f(turn)) * np.abs(f(turn)) ** power for f in (np.cos, np.sin)], 1) * [size * across, tall]
    ink = np.float32(rng.uniform(0, 0.25) if rng.random() < 0.7 else rng.uniform(0.2, 0.9, 3)) * np.ones(3, np.float32)
    wide, dark = face.unit * rng.uniform(0.015, 0.07), rng.random() < 0.3
    rims = [p[eye].mean(0) + np.outer(form[:, 0], face.right) - np.outer(form[:, 1] + drop, face.up) for eye in (
        slice(36, 42), slice(42, 48))]  # fmt: skip
    for rim in rims:
        glass = np.float32(rng.uniform(0, 0.25)) * np.ones(3, np.float32)
        if dark:
            face.stand(polygon(rim) * np.float32(rng.uniform(0.7, 1)), glass, RIM)
        elif rng.random() < 0.4:
            face.paint(polygon(rim) * np.float32(rng.uniform(0.05, 0.4)), texture(store, rng))
    lines = [stroke(rim, wide, True) for rim in rims]
    ends = face.at(-0.15 * across, drop - 0.1), face.at(0.15 * across, drop - 0.1)
    cover = np.maximum.reduce([*lines, stroke(np.stack(ends), wide)])
    face.shade(cover, rng)
    face.stand(cover, ink, RIM, rng.uniform(0, 0.5))


# How often each stands before a face that has something before it; hands are the most frequent in photographs.
THINGS = (
    (strands, 0.16), (curtain, 0.12), (hand, 0.3), (fist, 0.07), (microphone, 0.22), (cup, 0.08), (sheet, 0.08),
    (person, 0.07), (scarf, 0.06), (lump, 0.1), (boom, 0.06), (glasses, 0.16),
)  # fmt: skip
