"""The families of repeating prints: dots, checks, stripes, flowers and others."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.masks.world.tile_shapes import (
    SIDE,
    Bytes,
    Rng,
    draw_disc,
    draw_leaf,
    draw_shape,
    ink_of,
    lattice,
    letters,
    plain_tile,
    scattered,
    smooth_noise,
)


def _dots(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = plain_tile(ground)
    rows = 2 * int(rng.integers(1, 5))
    radius = SIDE / rows * rng.uniform(0.12, 0.38)
    random = rng.random() < 0.25
    for number, (x, y) in enumerate(scattered(rng, rows * rows) if random else lattice(rows)):
        draw_disc(tile, x, y, radius, ink_of(inks[number % len(inks)]))
    return tile


def _checks(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Gingham, chessboards and tartans: stripes in both directions that mix."""
    across = _bands(rng, len(inks), rng.random() < 0.5)
    palette = np.stack([ground, *inks])
    if rng.random() < 0.25:  # squares that alternate
        crossings, across = palette[[[0, 1], [1, 0]]], np.minimum(across, 1)
    else:
        crossings = 0.5 * (palette[:, None] + palette)
    colours = np.rint(crossings).astype(np.uint8).reshape(-1, 3)
    return colours.take(across[:, None] * len(crossings) + across, axis=0)


def _bands(rng: Rng, inks: int, even: bool) -> NDArray[np.intp]:
    """The colour of each line of a tile, (SIDE,): 0 for the ground, 1 and up for the inks."""
    if even:
        times = int(2 ** rng.integers(0, 4))
        return np.asarray((np.arange(SIDE) * times * 2 // SIDE) % 2, np.intp)
    ends = np.sort(rng.integers(0, SIDE, 2 * int(rng.integers(1, 5))))
    bands = np.zeros(SIDE, np.intp)
    for first, last in zip(ends[::2], ends[1::2], strict=True):
        bands[first:last] = rng.integers(1, inks + 1)
    return bands


def _stripes(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    bands = _bands(rng, len(inks), rng.random() < 0.5)
    lines = np.rint(np.stack([ground, *inks])[bands]).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(lines[:, None], (SIDE, SIDE, 3)))


def _flower(tile: Bytes, rng: Rng, x: float, y: float, radius: float, ink: Doubles, heart: Doubles) -> None:
    petals, turn = int(rng.integers(4, 8)), rng.random() * math.tau
    axes = (radius * 0.55, radius * rng.uniform(0.25, 0.45))
    for petal in range(petals):
        angle = turn + math.tau * petal / petals
        shade = ink * rng.uniform(0.85, 1.0)
        draw_leaf(
            tile, x + 0.55 * radius * math.cos(angle), y + 0.55 * radius * math.sin(angle), axes, angle, ink_of(shade)
        )
    draw_disc(tile, x, y, radius * 0.24, ink_of(heart))


def _flowers(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = plain_tile(ground)
    count = int(rng.integers(4, 18))
    radius = SIDE / math.sqrt(count) * rng.uniform(0.3, 0.6)
    leaves = inks[-1] * rng.uniform(0.5, 1.0)
    for number, (x, y) in enumerate(scattered(rng, count)):
        turn = rng.random() * math.tau
        for side in (0.0, 2.2):
            away = (x + radius * math.cos(turn + side), y + radius * math.sin(turn + side))
            draw_leaf(tile, *away, (0.5 * radius, 0.18 * radius), turn + side, ink_of(leaves))
        size = radius * rng.uniform(0.6, 1.0)
        _flower(tile, rng, x, y, size, inks[number % len(inks)], inks[(number + 1) % len(inks)])
    return tile


_AROUND_DROP = np.linspace(0, math.tau, 24, endpoint=False)
_DROP = np.sin(_AROUND_DROP), np.sin(_AROUND_DROP / 2) ** 1.4, np.cos(_AROUND_DROP)
_AROUND_SPOT = np.linspace(0, math.tau, 10, endpoint=False)
_SPOT = np.stack([np.cos(_AROUND_SPOT), np.sin(_AROUND_SPOT)], 1)


def _drop(length: float, turn: float) -> Doubles:
    """The outline of a drop whose tip bends over, (24, 2)."""
    sine, narrow, cosine = _DROP
    x = 0.5 * length * sine * narrow
    y = -0.5 * length * cosine
    x = x + 0.35 * length * ((y / length + 0.5) ** 2)
    c, s = math.cos(turn), math.sin(turn)
    return np.stack([c * x - s * y, s * x + c * y], 1)


def _paisley(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = plain_tile(ground)
    count = int(rng.integers(3, 7))
    length = SIDE / math.sqrt(count) * rng.uniform(0.65, 0.9)
    for x, y in scattered(rng, count):
        turn = rng.random() * math.tau
        for share, ink in ((1.0, inks[0]), (0.78, ground), (0.55, inks[-1]), (0.25, ground)):
            draw_shape(tile, x, y, _drop(length * share, turn), ink_of(ink))
        for step in range(9):
            angle = math.tau * step / 9
            edge = (x + 0.62 * length * math.cos(angle), y + 0.62 * length * math.sin(angle))
            draw_disc(tile, *edge, 0.03 * length + 0.5, ink_of(inks[0]))
    for x, y in scattered(rng, 2 * count):
        draw_disc(tile, x, y, 1.6, ink_of(inks[0]))
    return tile


def _leopard(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Broken rings around spots of another colour, or the patches of a cow or a giraffe."""
    tile = plain_tile(ground)
    count = int(rng.integers(9, 22))
    radius = SIDE / math.sqrt(count) * rng.uniform(0.26, 0.42)
    patches = rng.random() < 0.2
    for x, y in scattered(rng, count):
        bend = 1 + 0.22 * rng.normal(size=10)
        outline = radius * (bend[:, None] * _SPOT)
        draw_shape(tile, x, y, outline, ink_of(inks[0]))
        if patches:
            continue
        draw_shape(tile, x, y, 0.58 * outline, ink_of(0.6 * inks[-1] + 0.4 * ground))
        gap = rng.random() * math.tau
        draw_disc(
            tile, x + 0.8 * radius * math.cos(gap), y + 0.8 * radius * math.sin(gap), 0.35 * radius, ink_of(ground)
        )
    return tile


def _camouflage(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    which = np.zeros((SIDE, SIDE), np.intp)
    waves = int(rng.integers(4, 9))
    blocks = rng.random() < 0.2
    for number, (_, from_) in enumerate(zip(inks, (0.25, 0.7, 1.0, 1.2), strict=False), 1):
        noise = smooth_noise(rng, waves)
        if blocks:
            noise = cv2.resize(noise[::4, ::4], (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
        which[noise > from_] = number
    return np.rint([ground, *inks]).astype(np.uint8).take(which, axis=0)


_GLYPHS = "ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789&!?"


def _text(rng: Rng, least: int, most: int) -> str:
    """Random letters without meaning."""
    return letters(rng, _GLYPHS, int(rng.integers(least, most + 1)))


def _lettering(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = plain_tile(ground)
    lines = int(rng.integers(2, 7))
    height = SIDE / lines
    for line in range(lines):
        scale, font = height / 40 * rng.uniform(0.7, 1.0), int(rng.integers(0, 5))
        text = _text(rng, 2, 3 * lines)
        x, y = rng.random() * SIDE, (line + 0.8) * height
        for a in (x, x - SIDE, x - 2 * SIDE):
            ink = ink_of(inks[line % len(inks)])
            cv2.putText(tile, text, (round(a), round(y)), font, scale, ink, int(1 + scale * 1.5), cv2.LINE_AA)
    return tile


def _star(points: int, radius: float, inner: float, turn: float) -> Doubles:
    angles = turn + np.arange(2 * points) * math.pi / points
    reach = np.where(np.arange(2 * points) % 2, inner * radius, radius)
    return np.stack([reach * np.cos(angles), reach * np.sin(angles)], 1)


def _heart(radius: float, turn: float) -> Doubles:
    t = np.linspace(0, math.tau, 24, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    c, s = math.cos(turn), math.sin(turn)
    return np.stack([c * x - s * y, s * x + c * y], 1) * (radius / 16)


def _motifs(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """One small motif, repeated: hearts, stars, moons or cats."""
    tile = plain_tile(ground)
    which, count = int(rng.integers(0, 4)), int(rng.integers(4, 20))
    radius = SIDE / math.sqrt(count) * rng.uniform(0.2, 0.38)
    for number, (x, y) in enumerate(scattered(rng, count)):
        ink, turn = ink_of(inks[number % len(inks)]), rng.normal() * 0.4
        if which == 0:
            draw_shape(tile, x, y, _heart(radius, turn), ink)
        elif which == 1:
            draw_shape(tile, x, y, _star(5, radius, 0.42, turn), ink)
        elif which == 2:
            draw_disc(tile, x, y, radius, ink)
            draw_disc(tile, x + 0.5 * radius, y - 0.2 * radius, 0.8 * radius, ink_of(ground))
        else:
            draw_disc(tile, x, y, 0.75 * radius, ink)
            for side in (-1, 1):
                ear = np.array([[side * 0.75, -0.1], [side * 0.65, -1.1], [side * 0.1, -0.6]]) * radius
                draw_shape(tile, x, y, ear, ink)
                draw_disc(tile, x + side * 0.28 * radius, y - 0.1 * radius, 0.12 * radius, ink_of(ground))
    return tile


def _shapes(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Large bold shapes: fans of rings, zigzags, triangles, lozenges."""
    tile, which = plain_tile(ground), int(rng.integers(0, 4))
    if which == 0:
        for x, y in lattice(2 * int(rng.integers(1, 3))):
            for ring in range(5, 0, -1):
                draw_disc(tile, x, y, ring * SIDE / 22, ink_of([ground, *inks][ring % (len(inks) + 1)]))
    elif which == 1:
        along = np.arange(SIDE) / SIDE
        teeth, rows = int(2 ** rng.integers(1, 4)), int(2 ** rng.integers(1, 4))
        zigzag = np.abs((along * teeth) % 1 - 0.5) * 2
        level = (along[:, None] * rows + zigzag[None]) % 1
        palette = np.rint([ground, *inks]).astype(np.uint8)
        tile[:] = palette.take((level * len(palette)).astype(int) % len(palette), axis=0)
    else:
        for number, (x, y) in enumerate(scattered(rng, int(rng.integers(6, 26)))):
            points = int(rng.integers(3, 6))
            angles = np.arange(points) * math.tau / points + rng.random() * math.tau
            outline = rng.uniform(8, 26) * np.stack([np.cos(angles), np.sin(angles)], 1)
            draw_shape(tile, x, y, outline, ink_of(inks[number % len(inks)]))
    return tile


def _marble(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Veins, tie-dye and watercolours: colours that run into each other."""
    noise = smooth_noise(rng, int(rng.integers(2, 6))) + 0.35 * smooth_noise(rng, int(rng.integers(8, 18)))
    shares = np.abs(np.sin(np.arange(256) / 42.0 * rng.uniform(0.8, 3.0))) ** rng.uniform(0.5, 4.0)
    share = cv2.LUT(cv2.convertScaleAbs(noise, alpha=42.0), np.rint(255 * shares).astype(np.uint8))
    first = np.linspace(ground, inks[0], 256)[None]
    tile = cv2.LUT(cv2.merge([share] * 3), np.rint(first).astype(np.uint8))
    if len(inks) > 1:
        other = np.rint(np.linspace(ground, inks[1], 256)[None]).astype(np.uint8)
        second = (smooth_noise(rng, 3) > 0).view(np.uint8)
        cv2.copyTo(cv2.LUT(cv2.merge([share] * 3), other), second, tile)
    return tile


def _weave(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Knits, melange, mesh and denim: a fine grain of two colours."""
    fine = smooth_noise(rng, int(rng.integers(30, 64)))
    lines = np.sin(np.arange(SIDE) * math.tau * int(rng.integers(8, 30)) / SIDE)
    ways: list[Doubles] = [lines[:, None], lines[None], lines[:, None] * lines[None], np.zeros((1, 1))]
    shape = ways[int(rng.integers(0, 4))]
    share = cv2.convertScaleAbs(np.maximum(0.35 + 0.25 * fine * rng.uniform(0.3, 1.0) + 0.25 * shape, 0), alpha=255)
    colours = np.rint(np.linspace(ground, 0.5 * (ground + inks[0]), 256)[None]).astype(np.uint8)
    return np.asarray(cv2.LUT(cv2.merge([share] * 3), colours))


TILES: dict[str, tuple[Callable[[Rng, Doubles, list[Doubles]], Bytes], float, float]] = {
    # family: drawing function, and the least and greatest width of a tile in eye distances
    "dots": (_dots, 0.5, 1.3),
    "checks": (_checks, 0.4, 1.2),
    "stripes": (_stripes, 0.3, 1.4),
    "flowers": (_flowers, 0.8, 1.8),
    "paisley": (_paisley, 0.7, 1.5),
    "leopard": (_leopard, 0.8, 1.6),
    "camouflage": (_camouflage, 1.0, 2.4),
    "motifs": (_motifs, 0.8, 1.7),
    "shapes": (_shapes, 0.8, 2.4),
    "marble": (_marble, 1.2, 3.0),
    "weave": (_weave, 0.3, 0.9),
    "lettering": (_lettering, 0.9, 2.0),
}
STRAIGHT = ("checks", "weave", "lettering")  # families that run nearly parallel to the cloth's width
