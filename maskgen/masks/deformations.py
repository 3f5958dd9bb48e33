"""Deformations that make one mask of a kind differ from the next: creases, outline, skewed pleats, slack ear loops.

All are fixed offsets of the mesh's points, computed once per mesh. A plan adds them with its own weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskgen.core.records import Doubles, Floats
from maskgen.core.seeding import rng_for
from maskgen.masks.pose.head import grid_normals

FOLDS, RIMS = 8, 6  # deformations of the cloth: folds within it, and bent edges
CREASES = FOLDS + RIMS
RIM = 1.3  # offset of a bent edge, as a multiple of a crease's depth
SKEWS = 4  # shifts of the texture: up or down, to one side, curved, and closer above than below
EAR_LOOPS = 2  # deformations: slack of the left and of the right ear loop
# Least and greatest weight of each deformation of the outline in a plan, see `outline_deformations` (`world` changes
# them further, for forms whose real outline differs from the template's). They are not symmetric where
# one way would bare the nose or the chin or press the cloth into the skin.
OUTLINE = (
    *((-0.4, 1.0),) * 2,  # upper corners raised
    *((-0.3, 1.0),) * 2,  # lower corners lowered
    *((-0.2, 1.0),) * 2,  # lower corners away from the cheek
    *((-1.0, 1.0),) * 2,  # sides closer to the ear
    (-0.3, 0.4),  # a peak over the nose
    (-0.5, 0.8),  # the upper edge lower between nose and corner
    (-0.2, 1.0),  # the lower edge fuller between chin and corner
    (0.0, 1.0),  # pointed at the chin
    (-0.2, 1.0),  # a ridge down the middle
    *((-1.0, 1.0),) * 2,  # cheeks billowed
    *((0.0, 0.0),) * 2,  # sides drawn in between their corners; this and the next only in `world`
    *((0.0, 0.0),) * 2,  # lower corners that stand out to the side
)
# Places in OUTLINE.
UPPER_CORNERS, LOWER_CORNERS, SIDES, PEAK, LOWER_EDGE, WAIST, FLARE = (0, 1), (2, 3), (6, 7), 8, 10, (15, 16), (17, 18)
DRAWN = sum(low < high for low, high in OUTLINE)  # the first ones, whose weights are drawn for every kind
FREE = 0.25  # u, 0 (middle) to 1 (side), from which on a corner moves the cloth
PLIANT = 0.02  # depth of creases, in eye distances, from which on cloth is so soft that its outline varies in full
SAG = 0.10  # sag at the middle of an ear loop of slack 1, in eye distances


@dataclass(frozen=True, slots=True)
class Deformations:
    """The deformations of a mesh of n points. With 32 bits they are summed in half of the time.

    Attributes:
        points, normals: (1 + CREASES + len(OUTLINE) + EAR_LOOPS, n, 3), first the undeformed ones, then the offset of
            each.
    """

    points: Floats
    normals: Floats


def crease_deformations(grid: Doubles, uv: Doubles, depth: float) -> tuple[Doubles, Doubles]:
    """Creases and bent edges of a cloth (rows, columns, 3) whose texture coordinates are (rows, columns, 2).

    Returns:
        Offsets of its points and of its unit normals, each (CREASES, rows, columns, 3), `depth` eye distances deep.
    """
    normals = grid_normals(grid)
    folds = [_wave(uv, number)[..., None] * normals for number in range(FOLDS)]
    moves = depth * np.stack([*folds, *_edge_deformations(uv, normals)])
    return moves, np.stack([grid_normals(grid + move) - normals for move in moves])


def _wave(uv: Doubles, number: int) -> Doubles:
    """One soft crease pattern, -1..1, that fades to 0 at the rim; (rows, columns)."""
    rng = rng_for(0, "crease", number)
    u, v = 2 * uv[..., 0] - 1, 2 * uv[..., 1] - 1
    # Cloth is pulled toward its corners, so creases run flat in the middle and slant to the sides.
    slant = rng.uniform(-0.9, 0.9)
    across = v + slant * u * np.abs(u) + 0.25 * rng.normal() * u
    wave = np.sin(np.pi * rng.uniform(1.2, 2.6) * across + rng.uniform(0, 2 * np.pi))
    where = np.exp(-(((u - rng.uniform(-0.6, 0.6)) / 0.55) ** 2) - ((v - rng.uniform(-0.4, 0.5)) / 0.7) ** 2)
    return np.asarray(wave * where * (1 - u**4) * (1 - v**4))


def _edge_deformations(uv: Doubles, normals: Doubles) -> list[Doubles]:
    """Offsets of the edges, RIMS arrays (rows, columns, 3), about RIM long: the nose wire bent; a hollow or a gap at
    each cheek; the lower edge lower on one side; drawn in below the chin; and outward on one side, inward on the other.
    The corners, where the straps begin, do not move."""
    u, v = 2 * uv[..., 0] - 1, uv[..., 1]
    held, down = 1 - u**4, np.array([0.0, 1.0, 0.0])
    top, bottom = np.exp(-((v / 0.22) ** 2)), np.exp(-(((1 - v) / 0.22) ** 2))

    def at(where: Doubles, way: Doubles) -> Doubles:
        return np.asarray(RIM * (where * held)[..., None] * way)

    wire = top * (np.exp(-((u / 0.16) ** 2)) - 0.7 * np.exp(-(((np.abs(u) - 0.36) / 0.14) ** 2)))
    cheeks = [top * np.exp(-(((u - side) / 0.2) ** 2)) for side in (-0.6, 0.6)]
    return [
        at(wire, 0.8 * normals - 0.5 * down),
        *(at(cheek, 0.9 * normals + 0.5 * down) for cheek in cheeks),
        at(bottom * np.sin(np.pi * u), down),
        at(bottom * np.exp(-((u / 0.25) ** 2)), 0.8 * normals - 0.4 * down),
        at(bottom * (np.exp(-(((u - 0.45) / 0.2) ** 2)) - np.exp(-(((u + 0.45) / 0.2) ** 2))), normals),
    ]


def outline_deformations(grid: Doubles, uv: Doubles, pliant: float, free: bool) -> tuple[Doubles, Doubles]:
    """Deformations of the outline of a cloth (rows, columns, 3) whose texture coordinates are (rows, columns, 2).

    Corners, where the loops pull, move with straight edges between them; so no two masks have the same outline, and
    none is a smooth bowl.

    Args:
        pliant: 0 (a rigid cup) to 1, scales them.
        free: whether the cloth ends at its straps; otherwise it goes round the head and its sides do not move.

    Returns:
        Offsets of its points and of its unit normals, each (len(OUTLINE), rows, columns, 3), for weights of 1.
    """
    normals, along, sides = grid_normals(grid), _along(grid), _free_sides(uv, free)
    of_corners, of_sides = _corners(uv, normals, along, sides), _sides(uv, along, sides)
    moves = pliant * np.stack([*of_corners, *_middle(uv, normals), *of_sides])
    return moves, np.stack([grid_normals(grid + move) - normals for move in moves])


DOWN = np.array([0.0, 1.0, 0.0])
Sides = list[tuple[int, Doubles]]  # see `_free_sides`


def _corners(uv: Doubles, normals: Doubles, along: Doubles, sides: Sides) -> list[Doubles]:
    """The first eight of `outline_deformations`, (rows, columns, 3) each, the left one of a pair before the right."""
    v = uv[..., 1:]
    return [
        *(-0.16 * side * (1 - v) * DOWN for _, side in sides),
        *(0.20 * side * v * DOWN for _, side in sides),
        *(0.12 * side**2 * v**2 * normals for _, side in sides),
        *(0.14 * sign * side * along for sign, side in sides),
    ]


def _along(grid: Doubles) -> Doubles:
    """Unit vectors across the cloth, (rows, columns, 3)."""
    along = np.gradient(grid, axis=1)
    return np.asarray(along / np.linalg.norm(along, axis=-1, keepdims=True))


def _free_sides(uv: Doubles, free: bool) -> Sides:
    """-1 and 1, the left and the right side, and from 0 to 1 how far a place, (rows, columns, 1), is on it."""
    u = 2 * uv[..., :1] - 1
    return [(sign, free * np.clip((sign * u - FREE) / (1 - FREE), 0, 1)) for sign in (-1, 1)]


def _sides(uv: Doubles, along: Doubles, sides: Sides) -> list[Doubles]:
    """The last four of `outline_deformations`, (rows, columns, 3) each."""
    v = uv[..., 1:]
    return [
        *(-0.14 * sign * side**2 * np.sin(np.pi * v) * along for sign, side in sides),
        *(0.12 * sign * side**2 * v**4 * along for sign, side in sides),
    ]


def _middle(uv: Doubles, normals: Doubles) -> list[Doubles]:
    """The next seven of `outline_deformations`, (rows, columns, 3) each."""
    u, v = 2 * uv[..., :1] - 1, uv[..., 1:]
    away, within = np.abs(u), np.sin(np.pi * v)

    def tent(at: Doubles, width: float) -> Doubles:
        return np.maximum(1 - np.abs(at) / width, 0)

    return [
        tent(u, 0.42) * (1 - v) ** 2 * (0.02 * normals - 0.10 * DOWN),
        0.06 * np.sin(np.pi * away) * (1 - v) ** 3 * DOWN,
        tent(away - 0.5, 0.4) * v**3 * (0.05 * normals + 0.06 * DOWN),
        0.12 * tent(u, 0.35) * v**3 * DOWN,
        0.10 * tent(u, 0.6) * within * normals,
        *(0.06 * tent(sign * u - 0.5, 0.4) * within * normals for sign in (-1, 1)),
    ]


def print_skew(uv: Doubles) -> Doubles:
    """Shifts of v, (SKEWS, n), that skew the texture on the cloth, for texture coordinates (n, 2)."""
    middle = np.sin(np.pi * np.clip(uv[:, 1], 0, 1))
    u = 2 * uv[:, 0] - 1
    return np.stack([middle, middle * u, middle * (u * u - 0.33), np.sin(2 * np.pi * np.clip(uv[:, 1], 0, 1))])


def ear_loop_sag(count: int, pieces: int) -> Doubles:
    """Offsets of an ear loop of slack 1 from its taut line: (count, 3), points in rows of `count // pieces`."""
    along = np.sin(np.pi * np.repeat(np.linspace(0, 1, pieces), count // pieces)) ** 2
    return np.asarray(along[:, None] * [0.0, SAG, 0.0])
