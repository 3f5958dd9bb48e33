"""Meshes to render: the head from its UV map, ears, and a body in clothes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Image, floats
from maskgen.core.seeding import rng_for
from maskgen.masks.pose.head import CENTRE, PLACES, Triangles, grid_triangles

from .face_shape import FaceShape, nape
from .head_uv_map import HeadSurface, curve, node_places, sampled, uv_to_rays
from .person import Person
from .scene import Scene

ROWS, COLUMNS = 57, 77
HEAD, EAR, LINING, CLOTH = 0.2, 0.4, 0.6, 0.8  # kinds of parts
OPEN = (EAR, LINING)  # kinds of open surfaces, visible from both sides; they come last in a mesh
PIVOT = np.array([0.0, 1.2, -1.4])  # the point about which the head turns on the neck, head coordinates
_EAR_MIDDLE = list(PLACES).index("ear_middle")


@dataclass(frozen=True, slots=True)
class Part:
    """A mesh in head coordinates; `uv` (n, 2) are texture coordinates, 0..1."""

    points: Doubles
    normals: Doubles
    uv: Doubles
    triangles: Triangles
    kind: float


def toward_viewer(points: Doubles, triangles: Triangles, both: int) -> Triangles:
    """The triangles that face the viewer, and the last `both` triangles, whichever way they face.

    Convention: the grids here run clockwise in the picture, y down, where they face the viewer.
    """
    a, b, c = (points[triangles[:, corner], :2] for corner in range(3))
    one, two = b - a, c - a
    front = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] > 0
    front[len(front) - both :] = True
    return np.ascontiguousarray(triangles[front])


@lru_cache(maxsize=4)
def grid(rows: int, columns: int) -> Triangles:
    """Triangles of a grid; cached, do not write to them."""
    return grid_triangles(rows, columns)


def joined(parts: Sequence[Part]) -> tuple[Triangles, Doubles]:
    """The triangles of several parts as one mesh, and u, v and kind of each point, (n, 3)."""
    starts = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    triangles = np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=True)])
    marks = [np.column_stack([part.uv, np.full(len(part.uv), part.kind)]) for part in parts]
    return triangles.astype(np.int32), np.concatenate(marks)


def head_part(form: FaceShape) -> Part:
    """The mesh of face, skull and neck."""
    uv = node_places(ROWS, COLUMNS)
    points = CENTRE + uv_to_rays(uv) * sampled(form.skin.radius, uv)[..., None]
    normals = sampled(form.normals, uv)
    return Part(
        points.reshape(-1, 3),
        normals.reshape(-1, 3).astype(float),
        uv.reshape(-1, 2),
        grid(ROWS, COLUMNS),
        HEAD,
    )


def grid_facing(points: Doubles, outward: Doubles) -> Doubles:
    """Unit normals of a grid (rows, columns, 3), on the side of `outward` (broadcast to it)."""
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    side = np.sign(np.einsum("ijk,ijk->ij", normals, np.broadcast_to(outward, points.shape)))
    return np.asarray(normals * np.where(side == 0, 1, side)[..., None])


# Profile of an ear from its middle (0) to its rim (1): height in eye distances, and brightness as a factor.
_RIM_AT = (0.0, 0.25, 0.45, 0.62, 0.78, 0.9, 1.0)
_RIM_OUT = (-0.06, -0.05, 0.02, 0.0, 0.05, 0.06, 0.0)
_RIM_LIGHT = (0.5, 0.55, 0.9, 0.72, 0.95, 1.0, 0.9)


def ear_part(person: Person, side: float) -> Part:
    """The mesh of one ear, side 1 or -1: a shell with a rim that stands off the head; u of `uv` is its brightness."""
    around, out = np.meshgrid(np.linspace(0, 2 * np.pi, 25), np.linspace(0, 1, 13), indexing="ij")
    size = person.build.ears
    high = np.sin(around) * out
    back = 0.2 + 0.25 * np.cos(around) * out * (1 - 0.3 * high)
    relief = np.interp(out, _RIM_AT, _RIM_OUT)
    to_back, down = np.array([side * 0.42, 0.0, -0.9]), np.array([0.0, 1.0, 0.14])
    facing = np.array([side * 0.9, 0.0, 0.42])
    middle = person.places[_EAR_MIDDLE] * [side, 1, 1] + [side * -0.03, 0.0, 0.16]
    points = middle + size * (back[..., None] * to_back + 0.47 * high[..., None] * down) + relief[..., None] * facing
    light = np.interp(out, _RIM_AT, _RIM_LIGHT)
    uv = np.stack([light, np.zeros_like(light)], -1).reshape(-1, 2)
    normals = grid_facing(points, facing).reshape(-1, 3)
    return Part(points.reshape(-1, 3), normals, uv, grid(25, 13), EAR)


# Cross-sections of the body from the collar down: y, half width and half depth in eye distances.
_RINGS = np.array([
    (1.42, 0.9, 0.9), (1.66, 0.94, 0.93), (1.9, 1.1, 0.97), (2.15, 1.6, 1.02), (2.4, 2.3, 1.08), (2.75, 2.95, 1.2),
    (3.3, 3.3, 1.35), (4.3, 3.4, 1.5), (6.0, 3.4, 1.55),
])  # fmt: skip
COLLAR = {"round": 1, "shirt": 0, "jacket": 0}  # index in _RINGS of the first ring with cloth


@lru_cache(maxsize=4)
def body_part(clothes: str) -> Part:
    """The mesh of shoulders and chest in body coordinates; u runs around the body, v down it."""
    rings = curve(_RINGS[COLLAR[clothes] :], per=3)
    around = np.linspace(-np.pi, np.pi, 41)
    x = rings[:, 1:2] * np.sin(around)
    z = -1.42 + rings[:, 2:3] * np.cos(around)
    points = np.stack([x, np.broadcast_to(rings[:, :1], x.shape), z], -1)
    normals = grid_facing(points, points - [0.0, 3.6, -1.42])
    v, u = np.meshgrid(np.linspace(0, 1, len(rings)), np.linspace(0, 1, 41), indexing="ij")
    uv = np.stack([u, v], -1).reshape(-1, 2)
    return Part(points.reshape(-1, 3), normals.reshape(-1, 3), uv, grid(len(rings), 41), CLOTH)


def paint_clothes(scene: Scene, person: Person) -> Floats:
    """The texture of the clothes, float32 (256, 512, 3), for the uv of `body_part`."""
    rng = rng_for(scene.pattern, "clothes")
    art = np.empty((256, 512, 3), np.uint8)
    art[:] = np.rint(scene.cloth)
    if scene.clothes == "round":
        if rng.random() < 0.3:  # stripes around the chest
            art[np.arange(256) % 20 < 8] = np.clip(floats(scene.cloth) * rng.uniform(0.5, 1.5), 0, 255)
        art[:9] = np.rint(floats(scene.cloth) * floats(0.8))
    else:
        _open_front(art, scene, person, rng)
    folds = cv2.GaussianBlur(rng.normal(size=(64, 128)).astype(np.float32), (0, 0), sigmaX=1.5, sigmaY=5)
    folds = cv2.resize(1 + 0.9 * folds, (512, 256), interpolation=cv2.INTER_CUBIC)
    return np.asarray(art * folds[..., None], np.float32)


def _open_front(art: Image, scene: Scene, person: Person, rng: np.random.Generator) -> None:
    """A collar that is open at the throat; under a jacket a shirt, sometimes with a tie."""
    shirt = floats(rng.uniform(170, 240) + rng.normal(0, 8, 3))
    cloth = floats(scene.cloth)
    inner = shirt if scene.clothes == "jacket" else cloth

    def fill(corners: Sequence[tuple[int, int]], colour: NDArray[np.floating]) -> None:
        for sign in (-1, 1):  # `corners` describe the right half
            half = np.array([(256 + sign * x, y) for x, y in corners], np.int32)
            cv2.fillPoly(art, [half], tuple(map(float, np.clip(colour, 0, 255))), cv2.LINE_AA)

    if scene.clothes == "jacket":
        fill(((0, 0), (62, 0), (0, 224)), shirt)
        fill(((104, 0), (60, 0), (-6, 236), (10, 244), (66, 110), (84, 90)), cloth * floats(0.72))
    if scene.clothes == "jacket" and rng.random() < 0.6:
        tie = floats(rng.uniform(20, 150, 3))
        fill(((0, 20), (10, 20), (18, 214), (0, 226)), tie)
        fill(((0, 14), (15, 14), (9, 42), (0, 42)), tie * floats(0.8))
    else:
        fill(((0, 0), (34, 0), (0, 80)), person.skin * 0.94)
    wing = ((96, 0), (34, 0), (12, 54), (56, 72))
    fill([(x + 3, y + 6) for x, y in wing], inner * floats(0.7))
    fill(wing, inner * floats(1.05))


def follow(points: Doubles, to_body: Doubles) -> Doubles:
    """Points (n, 3) of the head, of which neck and long hair follow a body that turns less than the head.

    Args:
        to_body: the rotation (3, 3) that takes head coordinates to the body's, about PIVOT.
    """
    share = nape(points[:, 1].astype(np.float32)).astype(np.float64)[:, None]
    moved = PIVOT + (points - PIVOT) @ to_body.T
    return np.asarray(points + share * (moved - points))


def head_radius(skin: HeadSurface, uv: Doubles) -> Doubles:
    """Distance of the skin from CENTRE at places of the chart, in eye distances."""
    return sampled(skin.radius, uv).astype(np.float64)
