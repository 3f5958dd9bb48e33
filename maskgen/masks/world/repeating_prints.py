"""Random prints that repeat over the cloth: dots, checks, stripes, flowers and others.

A print is a seamless square tile, uint8 RGB (SIDE, SIDE, 3), with its width on the cloth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.core.seeding import rng_for

SIDE = 128  # of a tile, in pixels
SMALLEST = 8  # least side of a tile that is laid on cloth
STENCILS = 40  # different drawings per family
Bytes = NDArray[np.uint8]
Rng = np.random.Generator
Inks = list[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Print:
    """A print on a cloth.

    Attributes:
        sizes: the drawing, uint8, and each time half as large: (h, w, 3), repeated over all of the cloth, or (h, w, 4)
            with opacity, shown once.
        size: its width in eye distances.
        angle: its rotation in radians.
        at: the place of its centre on the flat cloth in eye distances, see `flat_cloth`.
        mix: (3, 4), from the drawing to its colours; None if it is in its colours.
    """

    sizes: tuple[Bytes, ...]
    size: float
    angle: float = 0.0
    at: tuple[float, float] = (0.0, 0.0)
    mix: Doubles | None = None

    @property
    def picture(self) -> Bytes:
        """The print in its colours, (h, w, 3) or (h, w, 4)."""
        return self.halved(0)

    def halved(self, times: int) -> Bytes:
        """`picture` with its sides halved so many times, at most as often as `sizes` says."""
        drawn = self.sizes[min(times, len(self.sizes) - 1)]
        return drawn if self.mix is None else np.asarray(cv2.transform(drawn, self.mix), np.uint8)


def halves(drawing: Bytes) -> tuple[Bytes, ...]:
    """A drawing and each time half as large, down to SMALLEST."""
    sizes = [drawing]
    while len(sizes[-1]) > SMALLEST:
        sizes.append(cv2.resize(sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return tuple(sizes)


def _ink(colour: Doubles) -> tuple[float, float, float]:
    red, green, blue = colour.tolist()
    return red, green, blue


def _ground(colour: Doubles) -> Bytes:
    return np.full((SIDE, SIDE, 3), np.rint(colour), np.uint8)


def _around(x: float, y: float, reach: float) -> list[tuple[float, float]]:
    """The places in pixels at which to draw a shape of radius `reach`, so that the tile is seamless."""
    if reach < x < SIDE - reach and reach < y < SIDE - reach:
        return [(x, y)]
    shifts = (-SIDE, 0, SIDE)
    near = [(x + dx, y + dy) for dx in shifts for dy in shifts]
    return [(a, b) for a, b in near if -reach < a < SIDE + reach and -reach < b < SIDE + reach]


def _at(x: float, y: float) -> tuple[int, int]:
    """A place in sixteenths of a pixel, as OpenCV expects it with a shift of 4."""
    return round(16 * x), round(16 * y)


def _disc(tile: Bytes, x: float, y: float, radius: float, ink: tuple[float, float, float]) -> None:
    for a, b in _around(x, y, radius + 1):
        cv2.circle(tile, _at(a, b), round(16 * radius), ink, -1, cv2.LINE_AA, 4)


def _ring(tile: Bytes, x: float, y: float, radius: float, ink: tuple[float, float, float], width: int) -> None:
    for a, b in _around(x, y, radius + width):
        cv2.circle(tile, _at(a, b), round(16 * radius), ink, width, cv2.LINE_AA, 4)


def _leaf(
    tile: Bytes, x: float, y: float, axes: tuple[float, float], turn: float, ink: tuple[float, float, float]
) -> None:
    for a, b in _around(x, y, max(axes) + 1):
        cv2.ellipse(tile, _at(a, b), _at(*axes), math.degrees(turn), 0, 360, ink, -1, cv2.LINE_AA, 4)


def _shape(tile: Bytes, x: float, y: float, outline: Doubles, ink: tuple[float, float, float]) -> None:
    """Draw a filled polygon (n, 2), given relative to (x, y) in pixels."""
    for a, b in _around(x, y, float(np.abs(outline).max()) + 1):
        cv2.fillPoly(tile, [np.rint(16 * (outline + (a, b))).astype(np.int32)], ink, cv2.LINE_AA, 4)


def _scattered(rng: Rng, count: int) -> list[tuple[float, float]]:
    """Random places over the tile at a distance from each other: best-candidate sampling (Mitchell 1991)."""
    found = np.empty((count, 2))
    found[0] = rng.random(2) * SIDE
    for number, tried in enumerate(rng.random((count - 1, 6, 2)) * SIDE, 1):
        off = np.abs(tried[:, None] - found[:number])
        np.minimum(off, SIDE - off, out=off)
        found[number] = tried[(off * off).sum(2).min(1).argmax()]
    return [(x, y) for x, y in found.tolist()]


def _lattice(rows: int) -> list[tuple[float, float]]:
    """Places in rows; every second row is shifted by half a step."""
    step = SIDE / rows
    return [((c + 0.5 * (r % 2) + 0.25) * step, (r + 0.5) * step) for r in range(rows) for c in range(rows)]


def smooth_noise(rng: Rng, waves: int) -> NDArray[np.float32]:
    """Seamless noise (SIDE, SIDE), mean 0, standard deviation 1, with one random value per 1 / `waves` of the side."""
    coarse = rng.normal(size=(waves, waves)).astype(np.float32)
    weights = _cubic(waves)
    # OpenCV's product uses one thread: for so few numbers NumPy's threads cost more than they save.
    part = cv2.gemm(cv2.gemm(weights, coarse, 1, None, 0), weights, 1, None, 0, flags=cv2.GEMM_2_T)
    mean, spread = cv2.meanStdDev(part)
    return np.asarray((part - np.float32(mean[0, 0])) / np.float32(max(spread[0, 0], 1e-6)))


@lru_cache(64)
def _cubic(count: int) -> NDArray[np.float32]:
    """Weights (SIDE, count) of cubic interpolation between `count` values on a ring."""
    at = (np.arange(SIDE) + 0.5) * count / SIDE - 0.5
    weights = np.zeros((SIDE, count))
    for near in range(-1, 3):
        away = np.abs(at - np.floor(at) - near)
        inner, outer = 1.25 * away**3 - 2.25 * away**2 + 1, -0.75 * (away**3 - 5 * away**2 + 8 * away - 4)
        np.add.at(
            weights, (np.arange(SIDE), (np.floor(at).astype(int) + near) % count), np.where(away < 1, inner, outer)
        )
    return weights.astype(np.float32)


def _dots(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = _ground(ground)
    rows = 2 * int(rng.integers(1, 5))
    radius = SIDE / rows * rng.uniform(0.12, 0.38)
    random = rng.random() < 0.25
    for number, (x, y) in enumerate(_scattered(rng, rows * rows) if random else _lattice(rows)):
        _disc(tile, x, y, radius, _ink(inks[number % len(inks)]))
    return tile


def _checks(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Gingham, chessboards and tartans: stripes in both directions that mix."""
    across = _bands(rng, len(inks), rng.random() < 0.5)
    palette = np.stack([ground, *inks])
    threads = palette[across]
    if rng.random() < 0.25:  # squares that alternate
        odd = (across[:, None] > 0) ^ (across[None] > 0)
        return np.rint(np.where(odd[..., None], inks[0], ground)).astype(np.uint8)
    return np.rint(0.5 * (threads[:, None] + threads[None])).astype(np.uint8)


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
        _leaf(tile, x + 0.55 * radius * math.cos(angle), y + 0.55 * radius * math.sin(angle), axes, angle, _ink(shade))
    _disc(tile, x, y, radius * 0.24, _ink(heart))


def _flowers(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = _ground(ground)
    count = int(rng.integers(4, 18))
    radius = SIDE / math.sqrt(count) * rng.uniform(0.3, 0.6)
    leaves = inks[-1] * rng.uniform(0.5, 1.0)
    for number, (x, y) in enumerate(_scattered(rng, count)):
        turn = rng.random() * math.tau
        for side in (0.0, 2.2):
            away = (x + radius * math.cos(turn + side), y + radius * math.sin(turn + side))
            _leaf(tile, *away, (0.5 * radius, 0.18 * radius), turn + side, _ink(leaves))
        size = radius * rng.uniform(0.6, 1.0)
        _flower(tile, rng, x, y, size, inks[number % len(inks)], inks[(number + 1) % len(inks)])
    return tile


def _drop(length: float, turn: float) -> Doubles:
    """The outline of a drop whose tip bends over, (24, 2)."""
    t = np.linspace(0, math.tau, 24, endpoint=False)
    x = 0.5 * length * np.sin(t) * np.sin(t / 2) ** 1.4
    y = -0.5 * length * np.cos(t)
    x = x + 0.35 * length * ((y / length + 0.5) ** 2)
    c, s = math.cos(turn), math.sin(turn)
    return np.stack([c * x - s * y, s * x + c * y], 1)


def _paisley(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = _ground(ground)
    count = int(rng.integers(3, 7))
    length = SIDE / math.sqrt(count) * rng.uniform(0.65, 0.9)
    for x, y in _scattered(rng, count):
        turn = rng.random() * math.tau
        for share, ink in ((1.0, inks[0]), (0.78, ground), (0.55, inks[-1]), (0.25, ground)):
            _shape(tile, x, y, _drop(length * share, turn), _ink(ink))
        for step in range(9):
            angle = math.tau * step / 9
            edge = (x + 0.62 * length * math.cos(angle), y + 0.62 * length * math.sin(angle))
            _disc(tile, *edge, 0.03 * length + 0.5, _ink(inks[0]))
    for x, y in _scattered(rng, 2 * count):
        _disc(tile, x, y, 1.6, _ink(inks[0]))
    return tile


def _leopard(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Broken rings around spots of another colour, or the patches of a cow or a giraffe."""
    tile = _ground(ground)
    count = int(rng.integers(9, 22))
    radius = SIDE / math.sqrt(count) * rng.uniform(0.26, 0.42)
    patches = rng.random() < 0.2
    for x, y in _scattered(rng, count):
        bend = 1 + 0.22 * rng.normal(size=10)
        angles = np.linspace(0, math.tau, 10, endpoint=False)
        outline = radius * (bend[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1))
        _shape(tile, x, y, outline, _ink(inks[0]))
        if patches:
            continue
        _shape(tile, x, y, 0.58 * outline, _ink(0.6 * inks[-1] + 0.4 * ground))
        gap = rng.random() * math.tau
        _disc(tile, x + 0.8 * radius * math.cos(gap), y + 0.8 * radius * math.sin(gap), 0.35 * radius, _ink(ground))
    return tile


def _camouflage(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = _ground(ground)
    waves = int(rng.integers(4, 9))
    blocks = rng.random() < 0.2
    for ink, from_ in zip(inks, (0.25, 0.7, 1.0, 1.2), strict=False):
        noise = smooth_noise(rng, waves)
        if blocks:
            noise = cv2.resize(noise[::4, ::4], (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
        tile[noise > from_] = np.rint(ink)
    return tile


_GLYPHS = np.array(list("ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789&!?"))


def _text(rng: Rng, least: int, most: int) -> str:
    """Random letters without meaning."""
    return "".join(rng.choice(_GLYPHS, int(rng.integers(least, most + 1))))


def _lettering(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    tile = _ground(ground)
    lines = int(rng.integers(2, 7))
    height = SIDE / lines
    for line in range(lines):
        scale, font = height / 40 * rng.uniform(0.7, 1.0), int(rng.integers(0, 5))
        text = _text(rng, 2, 3 * lines)
        x, y = rng.random() * SIDE, (line + 0.8) * height
        for a in (x, x - SIDE, x - 2 * SIDE):
            ink = _ink(inks[line % len(inks)])
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
    tile = _ground(ground)
    which, count = int(rng.integers(0, 4)), int(rng.integers(4, 20))
    radius = SIDE / math.sqrt(count) * rng.uniform(0.2, 0.38)
    for number, (x, y) in enumerate(_scattered(rng, count)):
        ink, turn = _ink(inks[number % len(inks)]), rng.normal() * 0.4
        if which == 0:
            _shape(tile, x, y, _heart(radius, turn), ink)
        elif which == 1:
            _shape(tile, x, y, _star(5, radius, 0.42, turn), ink)
        elif which == 2:
            _disc(tile, x, y, radius, ink)
            _disc(tile, x + 0.5 * radius, y - 0.2 * radius, 0.8 * radius, _ink(ground))
        else:
            _disc(tile, x, y, 0.75 * radius, ink)
            for side in (-1, 1):
                ear = np.array([[side * 0.75, -0.1], [side * 0.65, -1.1], [side * 0.1, -0.6]]) * radius
                _shape(tile, x, y, ear, ink)
                _disc(tile, x + side * 0.28 * radius, y - 0.1 * radius, 0.12 * radius, _ink(ground))
    return tile


def _shapes(rng: Rng, ground: Doubles, inks: list[Doubles]) -> Bytes:
    """Large bold shapes: fans of rings, zigzags, triangles, lozenges."""
    tile, which = _ground(ground), int(rng.integers(0, 4))
    if which == 0:
        for x, y in _lattice(2 * int(rng.integers(1, 3))):
            for ring in range(5, 0, -1):
                _disc(tile, x, y, ring * SIDE / 22, _ink([ground, *inks][ring % (len(inks) + 1)]))
    elif which == 1:
        along = np.arange(SIDE) / SIDE
        teeth, rows = int(2 ** rng.integers(1, 4)), int(2 ** rng.integers(1, 4))
        zigzag = np.abs((along * teeth) % 1 - 0.5) * 2
        level = (along[:, None] * rows + zigzag[None]) % 1
        palette = np.stack([ground, *inks])
        tile[:] = np.rint(palette[(level * len(palette)).astype(int) % len(palette)])
    else:
        for number, (x, y) in enumerate(_scattered(rng, int(rng.integers(6, 26)))):
            points = int(rng.integers(3, 6))
            angles = np.arange(points) * math.tau / points + rng.random() * math.tau
            outline = rng.uniform(8, 26) * np.stack([np.cos(angles), np.sin(angles)], 1)
            _shape(tile, x, y, outline, _ink(inks[number % len(inks)]))
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
        second = smooth_noise(rng, 3) > 0
        tile[second] = cv2.LUT(cv2.merge([share] * 3), other)[second]
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


def draw_tile(family: str, rng: Rng, ground: Doubles, inks: list[Doubles]) -> Print:
    """A random print of a family of TILES in given inks on a ground, all RGB 0..255.

    Raises:
        KeyError: there is no such family.
    """
    _, least, most = TILES[family]
    size = float(np.exp(rng.uniform(math.log(least), math.log(most))))
    angle = (
        rng.normal() * 0.06 if family in STRAIGHT else float(rng.choice([0.0, math.pi / 2, rng.random() * math.tau]))
    )
    at = rng.uniform(-0.5, 0.5, 2) * size
    mix = np.empty((3, 4))
    for ink in range(3):
        mix[:, ink] = (inks[ink % len(inks)] - ground) / 255
    mix[:, 3] = ground
    stencil = _stencil(family, int(rng.integers(STENCILS)))
    return Print(stencil, size, float(angle), (float(at[0]), float(at[1])), mix)


@cache
def _stencil(family: str, number: int) -> tuple[Bytes, ...]:
    """`halves` of a tile in which red, green and blue are the shares of the three inks and black is the ground.

    Drawn once per process, because drawing takes ten times as long as mixing the inks of one mask.
    """
    draw, _, _ = TILES[family]
    return halves(draw(rng_for(number, "stencil", family), np.zeros(3), list(255 * np.eye(3))))
