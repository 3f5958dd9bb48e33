"""One picture of one person, and what is true of it: the points, the pose, the light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Image, Pose
from maskgen.core.seeding import rng_for
from maskgen.masks.camera import Camera, rotation
from maskgen.masks.raster import Canvas
from maskgen.people.person import Person, draw_person
from maskgen.people.room import room
from maskgen.people.scene import Scene
from maskgen.people.shape import Part, ears, expressed, hair_part, head_part, shoulders, texture_place
from maskgen.people.skin import paint_head

TIMES = 2  # drawn this much larger, then shrunk


@dataclass(frozen=True, slots=True)
class Portrait:
    """A drawn picture with its truth.

    Attributes:
        image: uint8 RGB (size, size, 3).
        points68: float32 (68, 2), where the head's 68 points are in the picture.
        visible68: bool (68,), which of them face the viewer.
        pose: yaw, pitch and roll in degrees, scale in pixels per distance between the eyes of the mean head.
    """

    image: Image
    points68: Floats
    visible68: NDArray[np.bool_]
    pose: Pose


@dataclass(frozen=True, slots=True)
class _Look:
    """A person with an expression, ready to be drawn in any pose."""

    points68: Doubles
    parts: tuple[tuple[str, Part], ...]
    painting: NDArray[np.float32]
    strands: NDArray[np.float32]


def _look(person: Person, mouth: float, smile: float, grey: float | None) -> _Look:
    points = expressed(person, mouth, smile)
    head = head_part(person, points)
    both = ears(person)
    aural = Part(both.points, both.normals, np.tile(texture_place(np.array([[1.1, -0.3, -1.0]])), (len(both.points), 1)), both.triangles)
    parts = [("skin", head), ("skin", aural), ("cloth", shoulders())]
    hair = hair_part(person, head) if grey is None else None
    if hair is not None:
        parts.append(("hair", hair))
    return _Look(points, tuple(parts), paint_head(person, points, grey), _strands(person.pattern))


@lru_cache(maxsize=8)
def _strands(pattern: int) -> NDArray[np.float32]:
    """Light and dark streaks that run down the hair, (256, 512), about 1."""
    field = rng_for(0, "strands", pattern).normal(size=(256, 512)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), sigmaX=0.8, sigmaY=14)
    return np.asarray(1 + 0.22 * field / field.std(), np.float32)


def paint(person: Person, scene: Scene, grey: float | None = None) -> Portrait:
    """Draw a person under a scene's circumstances; the same two give the same bytes.

    Args:
        grey: draw a head of this plain grey, without hair or features of colour, instead.
    """
    look = _look(person, scene.mouth, scene.smile, grey)
    turn = rotation(scene.yaw, scene.pitch, scene.roll)
    camera = Camera(scene.scale, turn, np.array(scene.centre))
    big = Camera(scene.scale * TIMES, turn, (camera.shift + 0.5) * TIMES - 0.5)
    side = scene.size * TIMES
    image = room(scene, side) if grey is None else np.full((side, side, 3), grey, np.float32)
    image = _drawn(image, look, big, scene, person, grey)
    if person.glasses and grey is None:
        _glasses(image, look.points68, big)
    small = cv2.resize(image, (scene.size, scene.size), interpolation=cv2.INTER_AREA)
    points = camera.project(look.points68)
    visible = _facing(look.parts[0][1], look.points68, turn)
    return Portrait(_photographed(small, scene, grey), points[:, :2].astype(np.float32), visible, _pose(scene))


def _pose(scene: Scene) -> Pose:
    return Pose(scene.yaw, scene.pitch, scene.roll, scene.scale)


def _drawn(
    image: NDArray[np.float32], look: _Look, camera: Camera, scene: Scene, person: Person, grey: float | None
) -> NDArray[np.float32]:
    """Everything nearer than the room, shaded by its normals, in the enlarged picture."""
    side = image.shape[0]
    places, facings = Canvas(side, side), Canvas(side, side)
    for name, part in look.parts:
        if grey is not None and name == "cloth":
            continue
        points = camera.project(part.points)
        kind = {"skin": 0.2, "hair": 0.5, "cloth": 0.8}[name]
        values = np.column_stack([part.uv, np.full(len(points), kind)])
        places.draw(points, part.triangles, values)
        facings.draw(points, part.triangles, part.normals @ camera.rotation.T * 0.49 + 0.5)
    kind = places.values[..., 2]
    u, v = places.values[..., 0], places.values[..., 1]
    colour = cv2.remap(look.painting, u * look.painting.shape[1] - 0.5, v * look.painting.shape[0] - 0.5, cv2.INTER_LINEAR)
    streak = cv2.remap(look.strands, u * 511, v * 255, cv2.INTER_LINEAR)
    hair = person.hair.astype(np.float32) * streak[..., None]
    colour = np.where((kind > 0.35)[..., None], hair, colour)
    colour = np.where((kind > 0.65)[..., None], scene.clothes.clip(0, 255).astype(np.float32), colour)
    normal = (facings.values - 0.5) / 0.49
    lit = colour * _shading(normal, scene, grey)
    return np.where((kind > 0)[..., None], lit, image).astype(np.float32)


def _shading(normal: NDArray[np.float32], scene: Scene, grey: float | None) -> NDArray[np.float32]:
    """Light on encoded colours, (h, w, 3): soft, a little redder where skin turns to the dark; even on a grey head."""
    if grey is not None and scene.ambient >= 1:
        return np.ones((*normal.shape[:2], 1), np.float32)
    length = np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-3)
    towards = scene.light / np.linalg.norm(scene.light)
    fall = (normal / length) @ towards.astype(np.float32)
    soft = np.clip((fall + 0.35) / 1.35, 0, 1)
    light = scene.ambient + (1 - scene.ambient) * 1.35 * soft
    level = (light * scene.level) ** (1 / 2.2 * 1.25)
    red = 0.05 * np.exp(-(((fall - 0.05) / 0.25) ** 2)) if grey is None else 0.0 * fall
    return np.stack([level + red, level, level], -1).astype(np.float32) * scene.cast.astype(np.float32)


def _facing(head: Part, points68: Doubles, turn: Doubles) -> NDArray[np.bool_]:
    """Which points lie where the head's surface looks at the viewer."""
    nearest = np.argmin(np.linalg.norm(points68[:, None] - head.points[None], axis=2), axis=1)
    return np.asarray((head.normals[nearest] @ turn.T)[:, 2] > 0.05)


def _glasses(image: NDArray[np.float32], points68: Doubles, camera: Camera) -> None:
    """Two thin rims, a bridge, and the arm on the side that shows."""
    around = np.linspace(0, 2 * np.pi, 48)
    dark, width = (38.0, 34.0, 32.0), max(1, round(camera.scale * 0.022))
    lines = []
    for eye, side in ((points68[36:42].mean(0), -1), (points68[42:48].mean(0), 1)):
        x, y = 0.36 * np.cos(around), 0.27 * np.sin(around)
        lines.append(eye + np.stack([x, y + 0.04, 0.24 - 0.25 * np.abs(x)], 1))
        if side * camera.rotation[2, 0] > -0.25:
            rim = eye + [side * 0.36, 0.0, 0.15]
            lines.append(np.stack([rim, [side * 1.2, rim[1] - 0.05, -1.15]]))
    inner = [points68[39] + [0.02, 0, 0.22], points68[27] + [0, 0, 0.1], points68[42] + [-0.02, 0, 0.22]]
    for line in [*lines, np.array(inner)]:
        at = np.round(camera.project(line)[:, :2] * 16).astype(np.int32)
        cv2.polylines(image, [at], False, dark, width, cv2.LINE_AA, 4)


def _photographed(image: NDArray[np.float32], scene: Scene, grey: float | None) -> Image:
    """The lens's blur and the sensor's noise; a plain grey head has neither."""
    if grey is None:
        if scene.blur > 0.2:
            image = cv2.GaussianBlur(image, (0, 0), scene.blur)
        noise = rng_for(scene.background, "noise").normal(0, scene.noise, image.shape[:2])
        image = image + noise[..., None].astype(np.float32)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _average() -> Person:
    """The mean head itself, without hair."""
    from maskgen.masks.head import PLACES, mean68, mirrored

    anyone = draw_person(rng_for(0, "nobody"))
    places = mirrored(np.array(list(PLACES.values())))
    return replace(anyone, points68=np.array(mean68()), places=places, style="bald", glasses=False)


def neutral_head(
    size: int = 160, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, grey: float = 128.0, even: bool = True
) -> Portrait:
    """The mean head in plain grey on the same grey, for measuring masks: `even` light has no direction at all."""
    scene = Scene(
        yaw, pitch, roll, size, scale=size * 0.29, centre=(size / 2, size * 0.56), ambient=1.0 if even else 0.45
    )
    return paint(_average(), scene, grey)
