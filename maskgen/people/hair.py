"""Hair: a shell around the skull with strands and a soft hairline; long hair also hangs beside the face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, floats
from maskgen.core.seeding import rng_for
from maskgen.masks.pose.head import CENTRE

from .face_shape import smooth_skin
from .head_uv_map import node_places, pixel_rays, step, uv_to_rays
from .mesh import LINING, Part, grid, grid_facing, head_radius
from .person import Person

HAIR = 1.0
NODES = (49, 71)
ROWS, COLUMNS = 300, 360  # size in pixels of the texture of strands
TURNS = np.array([0, 28, 50, 66, 80, 98, 122, 180.0])  # degrees of yaw from the front at which styles give a hairline

_SHORT = (-1.86, -1.84, -1.62, -1.1, -0.42, -0.8, 0.1, 0.4)
_TIED = (-1.88, -1.86, -1.66, -1.2, -0.75, -0.85, 0.0, 0.35)


@dataclass(frozen=True, slots=True)
class Style:
    """A hairstyle.

    Attributes:
        top, side: distance of the hair from the skull in eye distances, at the crown and at the sides.
        line: head y of the hair's lower edge at each of TURNS.
        hangs: half width in eye distances of the hair that hangs below the temples, 0 for none.
        parting: the direction (3,) from which the strands run outward.
        curl: 0 straight to 1 curls.
        ceiling: head y above which no hair grows.
        thick: opacity of the hair, 0..1.
        knot: centre (x, y, z) and radius of a bun in head coordinates, or None.
    """

    top: float
    side: float
    line: tuple[float, ...]
    hangs: float = 0.0
    parting: tuple[float, float, float] = (0.1, -1.0, -0.35)
    curl: float = 0.1
    ceiling: float = -9.0
    thick: float = 1.0
    knot: tuple[float, float, float, float] | None = None


def _hanging(front: float, low: float) -> tuple[float, ...]:
    """A hairline at `front` over the forehead, with hair beside the face down to `low`, both head y."""
    return (front, front + 0.01, front + 0.16, -0.75 if front < -1.5 else -0.6, low, low, low, low)


STYLES = {
    "buzz": Style(0.035, 0.03, _SHORT, thick=0.78),
    "short": Style(0.2, 0.1, _SHORT, parting=(0.3, -0.95, 0.35)),
    "swept": Style(
        0.34, 0.12, (-1.84, -1.84, -1.66, -1.15, -0.4, -0.8, 0.1, 0.4), parting=(0.7, -0.75, 0.5), curl=0.25
    ),
    "receding": Style(0.08, 0.09, (-1.95, -2.2, -2.1, -1.3, -0.42, -0.8, 0.1, 0.4), ceiling=-1.75, thick=0.9),
    "curls": Style(0.34, 0.22, (-1.76, -1.74, -1.55, -1.05, -0.45, -0.7, 0.15, 0.4), curl=1.0),
    "afro": Style(0.62, 0.58, (-1.72, -1.7, -1.5, -1.0, -0.4, -0.3, 0.3, 0.6), curl=1.0),
    "bob": Style(0.2, 0.2, _hanging(-1.86, 1.0), 1.42, (0.35, -0.9, 0.3), 0.12),
    "fringe": Style(0.22, 0.2, _hanging(-1.12, 1.0), 1.42, (0.0, -1.0, -0.2), 0.08),
    "long": Style(0.2, 0.18, _hanging(-1.84, 2.6), 1.46, (-0.3, -0.9, 0.35), 0.35),
    "long_fringe": Style(0.22, 0.18, _hanging(-1.14, 2.6), 1.44, (0.0, -1.0, -0.2), 0.15),
    "loose": Style(0.2, 0.12, (-1.84, -1.5, 2.0, 2.4, 2.5, 2.6, 2.6, 2.6), 1.0, (-0.3, -0.9, 0.35), 0.2),  # on cheeks
    "bun": Style(0.09, 0.08, _TIED, parting=(0.0, 0.5, 1.0), knot=(0.0, -2.75, -1.75, 0.5)),
    "tied": Style(0.1, 0.09, _TIED, parting=(0.0, 0.6, 1.0), knot=(0.0, -1.0, -3.1, 0.42)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Hair:
    """Hair ready to be rendered.

    Attributes:
        parts: the shell, and the bun if there is one.
        strands: float32 (rows, columns, 2): brightness of the strands, about 1, and their opacity, 0..1.
        runs: float32 (rows, columns, 3), directions of the strands in head coordinates.
        shadow: float32 (rows, columns), share of the ambient light that reaches the skin under and near the hair, 0..1.
        lining: the inside of long hair that hides the ears, or None.
    """

    parts: tuple[Part, ...]
    strands: Floats
    runs: Floats
    shadow: Floats
    lining: Part | None


@lru_cache(maxsize=4)
def hair_of(person: Person) -> Hair | None:
    """The hair of a person, the same for every expression; None for a bald head."""
    if person.style == "bald":
        return None
    style = STYLES[person.style]
    skin = smooth_skin(person.points68, person.places, (ROWS, COLUMNS))
    shell = _shell(person, style, head_radius(skin, node_places(*NODES)))
    strands, runs, shadow = _strands(person, style, skin.radius)
    parts = [shell] if style.knot is None else [shell, _knot(style.knot)]
    lining = _lining(shell) if style.hangs else None
    return Hair(tuple(parts), strands, runs, shadow, lining)


def _inside(person: Person, style: Style, ray: Doubles, y: Doubles) -> Doubles:
    """Distance of places inside the hairline, in eye distances; no hair grows where it is negative."""
    turn = np.degrees(np.abs(np.arctan2(ray[..., 0], ray[..., 2])))
    line = np.array(style.line)
    line[:4] += person.hairline * np.array([1, 1, 0.7, 0.3])
    soft = _softened(line)
    # Where the hairline is steep, its nearest point lies beside the place, not below it.
    steep = np.gradient(soft) / np.radians(1.3)
    inside = np.interp(turn, np.arange(181.0), soft) - y
    inside /= np.sqrt(1 + np.interp(turn, np.arange(181.0), steep) ** 2)
    return np.asarray(np.minimum(inside, y - style.ceiling))


def _softened(line: Doubles) -> Doubles:
    """The hairline at each whole degree from 0 to 180, with rounded corners."""
    whole = np.interp(
        np.arange(-180.0, 361.0),
        np.concatenate([-TURNS[:0:-1], TURNS, 360 - TURNS[-2::-1]]),
        np.concatenate([line[:0:-1], line, line[-2::-1]]),
    )
    kernel = np.exp(-((np.arange(-12, 13) / 5.0) ** 2))
    return np.asarray(np.convolve(whole, kernel / kernel.sum(), "same")[180:361])


def _reach(person: Person, style: Style, ray: Doubles, radius: Doubles) -> tuple[Doubles, Doubles]:
    """Distance of the hair's outer surface from CENTRE in eye distances, and the head y of that surface."""
    sin = np.sqrt(np.maximum(1 - ray[..., 1] ** 2, 0.04))
    y = CENTRE[1] + ray[..., 1] * radius
    stand = style.side + (style.top - style.side) * step((-0.9 - y).astype(np.float32), 0.0, 1.1)
    out = radius + stand
    if style.hangs:
        turn = np.degrees(np.arctan2(np.abs(ray[..., 0]), ray[..., 2]))
        wide = style.hangs * (1 + 0.1 * step(turn.astype(np.float32), 90, 180)) + 0.05 * np.clip(y, 0, 2)
        share = step(y.astype(np.float32), -1.7, -0.5) * step(turn.astype(np.float32), 30, 62)
        out = out + share * np.maximum(wide / sin - out, 0)
    return out, CENTRE[1] + ray[..., 1] * out


def _shell(person: Person, style: Style, radius: Doubles) -> Part:
    """The mesh of the hair's outer surface, where hair grows; it approaches the skin at the hairline."""
    uv = node_places(*NODES)
    ray = uv_to_rays(uv)
    out, y = _reach(person, style, ray, radius)
    if style.hangs == 0:
        y = CENTRE[1] + ray[..., 1] * radius
    inside = _inside(person, style, ray, y)
    ramp = step(inside.astype(np.float32), -0.03, 0.3 if style.curl < 0.6 else 0.5).astype(np.float64)
    rng = rng_for(person.pattern, "shell")
    out += style.curl * _bumps(rng, out.shape, 1.5) * (0.035 + 0.09 * style.side)
    out = out if style.hangs else radius + (out - radius) * ramp
    curtain = (y > -0.7) & (style.hangs > 0)
    lying = radius + 0.012 + np.maximum(out - radius, 0.0) * np.where(curtain, 0.55 + 0.45 * ramp, ramp)
    points = CENTRE + ray * lying[..., None]
    normals = grid_facing(points, points - CENTRE)
    there = (inside > -0.25).ravel()
    triangles = grid(*NODES)
    triangles = triangles[there[triangles].all(1)]
    return Part(points.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2), triangles, HAIR)


def _lining(shell: Part) -> Part:
    """The inside of the back of a shell, which is visible beside the neck."""
    back = (np.abs(shell.uv[:, 0] - 0.5) > 0.33)[shell.triangles].all(1)
    points = CENTRE + (shell.points - CENTRE) * 0.98
    return Part(points, -shell.normals, shell.uv, shell.triangles[back], LINING)


def _bumps(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Doubles:
    field = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), sigma)
    return np.asarray(field / field.std(), np.float64)


def _knot(knot: tuple[float, float, float, float]) -> Part:
    """The mesh of a bun, a ball of hair; it uses a part of the texture of strands."""
    v, u = np.meshgrid(np.linspace(0, np.pi, 15), np.linspace(-np.pi, np.pi, 25), indexing="ij")
    ball = np.stack([np.sin(v) * np.sin(u), -np.cos(v), np.sin(v) * np.cos(u)], -1)
    uv = np.stack([0.5 + 0.3 * u / np.pi, 0.06 + 0.12 * v / np.pi], -1).reshape(-1, 2)
    points = np.array(knot[:3]) + knot[3] * ball * [1, 0.85, 1]
    return Part(points.reshape(-1, 3), ball.reshape(-1, 3), uv, grid(15, 25), HAIR)


def _strands(person: Person, style: Style, radius: Floats) -> tuple[Floats, Floats, Floats]:
    """The texture of strands, their directions, and the shadow on the skin, as in `Hair`."""
    ray = pixel_rays(ROWS, COLUMNS).astype(np.float64)
    out, y = _reach(person, style, ray, radius.astype(np.float64))
    if style.hangs == 0:
        y = CENTRE[1] + ray[..., 1] * radius
    pole = np.array(style.parting) / np.linalg.norm(style.parting)
    field = _streaks(person, style, ray, pole)
    inside = _inside(person, style, ray, y).astype(np.float32)
    ragged = inside + (0.05 + 0.05 * style.curl) * field
    share = step(ragged, -0.02, 0.1 if style.thick >= 1 else 0.16) * floats(style.thick)
    if style.thick < 1:
        share *= np.clip(0.85 + 0.15 * field, 0, 1)
    light = np.clip(1 + (0.16 + 0.05 * style.curl) * field, 0.45, 1.6) * (0.72 + 0.28 * step(inside, 0.0, 0.35))
    away = pole - ray * (ray @ pole)[..., None]
    runs = away / np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-6)
    shadow = 1 - 0.5 * cv2.GaussianBlur(share, (0, 0), 6)
    return (
        np.dstack([light, share]).astype(np.float32),
        runs.astype(np.float32),
        np.asarray(shadow, np.float32),
    )


def _streaks(person: Person, style: Style, ray: Doubles, pole: Doubles) -> Floats:
    """Noise stretched along the strands, mean 0 and standard deviation about 1."""
    rng = rng_for(person.pattern, "strands")
    if style.curl >= 1:
        fine, broad = _bumps(rng, (ROWS, COLUMNS), 1.6), _bumps(rng, (ROWS, COLUMNS), 5)
        return np.asarray(0.6 * fine + 0.6 * broad, np.float32)
    side = np.cross(pole, [0.0, 0.3, 1.0])
    side /= np.linalg.norm(side)
    turn = np.arctan2(ray @ np.cross(pole, side), ray @ side)
    polar = np.arccos(np.clip(ray @ pole, -1, 1))
    turn = turn + style.curl * 0.22 * np.sin(polar * 9 + 2 * np.sin(3 * turn))
    fine = cv2.GaussianBlur(rng.normal(size=(64, 1024)).astype(np.float32), (0, 0), sigmaX=1.2, sigmaY=9)
    broad = cv2.GaussianBlur(rng.normal(size=(64, 1024)).astype(np.float32), (0, 0), sigmaX=6, sigmaY=9)
    noise = fine / fine.std() * floats(0.75) + broad / broad.std() * floats(0.7)
    across = ((turn / (2 * np.pi) + 0.5) * 1023).astype(np.float32)
    return np.asarray(cv2.remap(noise, across, (polar / np.pi * 63).astype(np.float32), cv2.INTER_LINEAR), np.float32)
