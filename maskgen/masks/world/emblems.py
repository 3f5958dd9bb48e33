"""Prints that appear once on a cloth (emblems): a mouth, teeth of a skull, a logo, words, an embroidered sprig.

Each is a picture, uint8 RGBA, drawn at random in given inks, with a width in eye distances and a place on the flat
cloth (see `flat_cloth`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from maskgen.core.records import Doubles
from maskgen.masks.world.repeating_prints import Print
from maskgen.masks.world.tile_shapes import Bytes, Rng, letters, smooth_noise

SIDE = 128
MARKS_SIDE, MARKS_WIDE = 256, 2.4  # pixels and eye distances, width of the picture of a maker's marks: nose to chin
MARKS_SCALE = MARKS_SIDE / MARKS_WIDE  # its pixels per eye distance
# Shares of marked respirators with a strip over the nose on the outside, and of these of those with letters, too; nine
# strips and ten labels were counted on 18.
STRIPS, LABELLED = 0.6, 0.7
STRIP_AT, STRIP_HALF, STRIP_THICK = -0.65, (0.28, 0.42), (0.04, 0.075)  # height on the cloth and size, eye distances
LABEL_AT, LABEL_DOWN = (0.45, 0.65), (-0.1, 0.2)  # the middle of a label on one cheek, eye distances from the cloth's
LETTER_SIZES, CAPITALS = (0.22, 0.38), 22.0  # of OpenCV's font, and the height of its capitals at size 1, in pixels
BOLD, BETWEEN = 0.25, 4.0  # share of lines in bold letters, and pixels between two lines
_LETTERS = "ABCDEFGHIKLMNOPRSTUWYZ0123456789"

Four = tuple[float, float, float, float]


def _ink(colour: Doubles) -> Four:
    red, green, blue = colour.tolist()
    return red, green, blue, 255.0


def _clear(colour: Doubles, side: int = SIDE) -> Bytes:
    """A fully transparent picture of a colour, so that edges of shapes blend into that colour."""
    pixel = np.array([*np.rint(colour), 0], np.uint8).view(np.uint32)[0]
    return np.full((side, side), pixel, np.uint32).view(np.uint8).reshape(side, side, 4)


def _fill(picture: Bytes, outline: Doubles, ink: Four) -> None:
    cv2.fillPoly(picture, [np.rint(16 * outline).astype(np.int32)], ink, cv2.LINE_AA, 4)


def _line(picture: Bytes, points: Doubles, ink: Four, width: float) -> None:
    each = [np.rint(16 * points).astype(np.int32)]
    cv2.polylines(picture, each, False, ink, max(1, round(width)), cv2.LINE_AA, 4)


def _text(rng: Rng, least: int, most: int) -> str:
    return letters(rng, _LETTERS, int(rng.integers(least, most + 1)))


def _words(picture: Bytes, rng: Rng, ink: Four, middle: float, height: float, most: int) -> None:
    """A row of random letters, centred from left to right and not wider than the picture."""
    font, text = int(rng.integers(0, 6)), _text(rng, 2, most)
    (width, tall), _ = cv2.getTextSize(text, font, 1.0, 1)
    scale = min(height / tall, 0.92 * SIDE / width)
    at = (round(SIDE / 2 - scale * width / 2), round(middle + scale * tall / 2))
    cv2.putText(picture, text, at, font, scale, ink, max(1, round(2.2 * scale * rng.uniform(0.6, 1.6))), cv2.LINE_AA)


def _lettering(rng: Rng, inks: list[Doubles]) -> Bytes:
    picture = _clear(inks[0])
    lines = int(rng.integers(1, 4))
    for line in range(lines):
        middle = SIDE * (0.5 + 0.3 * (line - (lines - 1) / 2))
        _words(picture, rng, _ink(inks[line % len(inks)]), middle, SIDE * rng.uniform(0.12, 0.26), 9)
    return picture


def _logo(rng: Rng, inks: list[Doubles]) -> Bytes:
    """A ring, a shield, a star or a stroke, mostly with letters."""
    picture, which = _clear(inks[0]), int(rng.integers(0, 5))
    middle, ink, other = np.array([SIDE / 2, SIDE / 2]), _ink(inks[0]), _ink(inks[-1])
    if which == 0:
        cv2.circle(picture, (SIDE // 2, SIDE // 2), SIDE * 4 // 10, ink, int(rng.integers(3, 12)), cv2.LINE_AA)
    elif which == 1:
        cv2.circle(picture, (SIDE // 2, SIDE // 2), SIDE * 4 // 10, ink, -1, cv2.LINE_AA)
    elif which == 2:
        shield = np.array([[-0.4, -0.42], [0.4, -0.42], [0.4, 0.1], [0.0, 0.45], [-0.4, 0.1]])
        _fill(picture, middle + SIDE * shield, ink)
    elif which == 3:
        angles = np.arange(10) * math.pi / 5 - math.pi / 2
        reach = np.where(np.arange(10) % 2, 0.2, 0.45)
        _fill(picture, middle + SIDE * np.stack([reach * np.cos(angles), reach * np.sin(angles)], 1), ink)
    else:
        t = np.linspace(0, 1, 20)
        sweep = np.stack([0.1 + 0.8 * t, 0.55 + 0.25 * np.sin(4 * t + rng.uniform(0, 3))], 1)
        _line(picture, SIDE * sweep, ink, rng.uniform(4, 14))
    if rng.random() < 0.7:
        inside = which in (1, 2, 3)
        _words(picture, rng, other if inside else ink, SIDE / 2, SIDE * rng.uniform(0.14, 0.24), 4)
    return picture


def _mouth(rng: Rng, inks: list[Doubles]) -> Bytes:
    """Lips, a grin with teeth, or an animal's nose and whiskers."""
    picture, which = _clear(inks[0]), int(rng.integers(0, 3))
    t = np.linspace(-1, 1, 25)
    bend = rng.uniform(0.0, 0.22)
    if which == 2:
        _animal(picture, inks, bend)
        return picture
    upper = np.stack([0.5 + 0.44 * t, 0.46 - 0.13 * (1 - t**2) + 0.05 * np.exp(-((t / 0.18) ** 2)) - bend * t**2], 1)
    lower = np.stack([0.5 + 0.44 * t, 0.50 + rng.uniform(0.12, 0.3) * (1 - t**2) - bend * t**2], 1)
    _fill(picture, SIDE * np.concatenate([upper, lower[::-1]]), _ink(inks[0]))
    if which == 1:
        middle = 0.5 * (upper + lower)
        inner = [middle + 0.72 * (edge - middle) for edge in (upper, lower)]
        white, gap = _ink(np.full(3, 245.0)), _ink(0.4 * inks[0])
        _fill(picture, SIDE * np.concatenate([inner[0], inner[1][::-1]]), white)
        for at in range(3, 23, 3):
            _line(picture, SIDE * np.stack([inner[0][at], inner[1][at]]), gap, 2)
    _line(picture, SIDE * (0.5 * (upper + lower)), _ink(0.45 * inks[0]), 2)
    return picture


def _animal(picture: Bytes, inks: list[Doubles], bend: float) -> None:
    ink = _ink(inks[0])
    _fill(picture, SIDE * np.array([[0.42, 0.22], [0.58, 0.22], [0.5, 0.34]]), ink)
    t = np.linspace(0, 1, 12)
    for side in (-1, 1):
        mouth = np.stack([0.5 + side * 0.22 * t, 0.34 + 0.2 * np.sin(math.pi * t) + 0.05 * t], 1)
        _line(picture, SIDE * mouth, ink, 4)
        for level in (-0.12, 0.0, 0.12):
            ends = np.array([[0.5 + side * 0.16, 0.42 + 0.4 * level], [0.5 + side * 0.48, 0.4 + (1 + bend) * level]])
            _line(picture, SIDE * ends, ink, 3)


def _skull(rng: Rng, inks: list[Doubles]) -> Bytes:
    """The lower half of a skull: nose, rows of teeth, cheek bones."""
    picture = _clear(inks[0])
    bone, hole = _ink(inks[0]), _ink(inks[-1] if len(inks) > 1 else 0.15 * inks[0])
    t = np.linspace(-1, 1, 21)
    jaw = np.stack([0.5 + 0.46 * t, 0.95 - 0.25 * np.abs(t) ** 3], 1)
    cheeks = np.stack([0.5 - 0.46 * t, 0.12 + 0.16 * np.abs(t)], 1)
    if rng.random() < 0.7:
        _fill(picture, SIDE * np.concatenate([jaw, cheeks]), bone)
    for side in (-1, 1):
        _fill(picture, SIDE * np.array([[0.5, 0.08], [0.5 + side * 0.09, 0.26], [0.5 + side * 0.02, 0.3]]), hole)
    rows, wide = (0.42, 0.6, 0.78), rng.uniform(0.3, 0.42)
    for top, bottom in zip(rows, rows[1:], strict=False):
        for tooth in range(-4, 4):
            left, right = 0.5 + wide * tooth / 4, 0.5 + wide * (tooth + 0.85) / 4
            block = np.array([[left, top + 0.01], [right, top + 0.01], [right, bottom - 0.02], [left, bottom - 0.02]])
            _fill(picture, SIDE * block, bone)
            _line(picture, SIDE * np.concatenate([block, block[:1]]), hole, 2)
    return picture


def _embroidery(rng: Rng, inks: list[Doubles]) -> Bytes:
    """A sprig: a bent stalk with leaves and flowers in stitches."""
    picture = _clear(inks[0])
    t = np.linspace(0, 1, 16)
    stalk = np.stack([0.15 + 0.7 * t, 0.75 - rng.uniform(0.2, 0.6) * np.sin(rng.uniform(1.2, 3) * t)], 1)
    green = _ink(inks[-1])
    _line(picture, SIDE * stalk, green, 3)
    for number, at in enumerate(range(2, 16, 3)):
        x, y = SIDE * stalk[at]
        turn = math.degrees(rng.random() * math.tau)
        cv2.ellipse(picture, (round(x), round(y - 8)), (10, 4), turn, 0, 360, green, -1, cv2.LINE_AA)
        if number % 2 == 0:
            for petal in range(5):
                angle = math.tau * petal / 5
                middle = (round(x + 9 * math.cos(angle)), round(y + 9 * math.sin(angle)))
                cv2.circle(picture, middle, 7, _ink(inks[number // 2 % len(inks)]), -1, cv2.LINE_AA)
            cv2.circle(picture, (round(x), round(y)), 4, _ink(inks[-1]), -1, cv2.LINE_AA)
    stitches = 1 + 0.06 * smooth_noise(rng, 40)
    picture[..., :3] = np.clip(picture[..., :3] * stitches[..., None], 0, 255)
    return picture


EMBLEMS: dict[str, tuple[Callable[[Rng, list[Doubles]], Bytes], float, float, float]] = {
    # family: drawing function, least and greatest width, and greatest distance from the middle line, in eye distances
    "lettering": (_lettering, 0.5, 1.9, 0.7),
    "logo": (_logo, 0.25, 0.9, 0.8),
    "mouth": (_mouth, 0.9, 1.6, 0.05),
    "skull": (_skull, 1.2, 2.0, 0.03),
    "embroidery": (_embroidery, 0.6, 1.5, 0.7),
}


def draw_emblem(family: str, rng: Rng, inks: list[Doubles]) -> Print:
    """An emblem of a family of EMBLEMS in the given inks, RGB 0..255.

    Raises:
        KeyError: there is no such family.
    """
    draw, least, most, off = EMBLEMS[family]
    picture = draw(rng, inks)
    size = float(np.exp(rng.uniform(math.log(least), math.log(most))))
    at = (float(rng.uniform(-off, off)), float(rng.uniform(-0.12, 0.12)))
    return Print(picture, size, float(rng.normal() * 0.05), at)


def draw_marks(rng: Rng, ground: Doubles) -> Print:
    """What makers put on a respirator whose cloth has the colour `ground`, RGB 0..255: a metal strip over the nose and,
    on one cheek, lines of small letters."""
    picture, has_strip = _clear(ground, MARKS_SIDE), rng.random() < STRIPS
    if has_strip:
        _strip(picture, rng)
    if not has_strip or rng.random() < LABELLED:
        _label(picture, rng)
    return Print(picture, MARKS_WIDE)


def _strip(picture: Bytes, rng: Rng) -> None:
    half, thick, metal = rng.uniform(*STRIP_HALF), rng.uniform(*STRIP_THICK), rng.uniform(120, 190)
    ends = np.array([[-half, STRIP_AT - 0.015], [0.0, STRIP_AT], [half, STRIP_AT - 0.015]])  # along the upper edge
    for high, lighter, wide in ((0.0, 0.0, 1.0), (0.2, 40.0, 0.4)):  # the strip, and a gleam on it
        points = MARKS_SIDE / 2 + MARKS_SCALE * (ends - [0.0, high * thick])
        _line(picture, points, _ink(np.full(3, metal + lighter)), wide * MARKS_SCALE * thick)


def _label(picture: Bytes, rng: Rng) -> None:
    grey, side = _ink(np.full(3, rng.uniform(50, 130))), (-1, 1)[rng.integers(2)]
    left = MARKS_SIDE / 2 + MARKS_SCALE * (side * rng.uniform(*LABEL_AT) - 0.25)
    base, font = MARKS_SIDE / 2 + MARKS_SCALE * rng.uniform(*LABEL_DOWN), cv2.FONT_HERSHEY_SIMPLEX
    for _ in range(int(rng.integers(1, 5))):
        size = rng.uniform(*LETTER_SIZES)
        base += CAPITALS * size + BETWEEN
        thick, at = 1 + int(rng.random() < BOLD), (round(left), round(base))
        cv2.putText(picture, _text(rng, 4, 8), at, font, size, grey, thick, cv2.LINE_AA)
