"""Shading of rendered skin, clothes and hair: textures and light on the rasterised surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats, floats

from .face_shape import FaceShape
from .hair import Hair
from .head_texture import draw_head_texture
from .head_uv_map import looked_up
from .light import ShadowMap, hair_shine, lit, shine
from .mesh import CLOTH, EAR, HEAD, LINING, paint_clothes
from .person import Person
from .render_target import GeometryBuffer, PixelRows, RenderTarget
from .scene import Scene


@dataclass(frozen=True, slots=True)
class Textures:
    """Textures of head and clothes.

    Attributes:
        head: RGB and gloss over the chart, (rows, columns, 4).
        surface: unit normal and share of the ambient light that arrives, over the chart, (rows, columns, 4).
        clothes: RGB, (rows, columns, 3).
        skin, hair: RGB of ears and of the inside of hair, (3,).
    """

    head: Floats
    surface: Floats
    clothes: Floats
    skin: Floats
    hair: Floats

    @classmethod
    def of(cls, person: Person, form: FaceShape, hair: Hair | None, scene: Scene) -> Textures:
        """Draw the textures of a person in a scene."""
        around = form.openness
        if hair is not None:
            around = around * cv2.resize(hair.shadow, around.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return cls(
            head=draw_head_texture(person, form, scene.expression, _looks(scene)),
            surface=cv2.merge([*cv2.split(form.normals), around]),
            clothes=paint_clothes(scene, person),
            skin=(person.skin * [0.98, 0.88, 0.87]).astype(np.float32),
            hair=(0.5 * person.hair).astype(np.float32),
        )

    def colours(self, band: PixelRows) -> Floats:
        """Albedo (RGB, 0..255) and gloss of each pixel, (h, w, 4)."""
        out = looked_up(self.head, band.u, band.v)
        for kind, gloss in ((EAR, 0.15), (LINING, 0.0), (CLOTH, 0.0)):
            there = (np.abs(band.kind - np.float32(kind)) < 0.09).view(np.uint8)
            if there.any():
                own = self._own(kind, band)
                cv2.copyTo(np.dstack([own, np.full(own.shape[:2], gloss, np.float32)]), there, out)
        return out

    def _own(self, kind: float, band: PixelRows) -> Floats:
        if kind == CLOTH:
            return looked_up(self.clothes, band.u, band.v)
        light = band.u if kind == EAR else np.ones_like(band.u)
        return np.asarray(light[..., None] * (self.skin if kind == EAR else self.hair), np.float32)


def _looks(scene: Scene) -> tuple[float, float]:
    """Displacement of the irises right and down in eye distances, which compensates a share of the head's rotation."""
    gaze = scene.expression.gaze
    right = -0.16 * gaze * np.sin(np.radians(scene.yaw))
    down = 0.1 * gaze * np.sin(np.radians(scene.pitch))
    return float(np.clip(right, -0.075, 0.075)), float(np.clip(down, -0.025, 0.025))


def shade_skin(
    image: Floats, drawing: GeometryBuffer, thrown: ShadowMap, pictures: Textures, scene: Scene, stage: RenderTarget
) -> None:
    """Render head, ears and clothes over the background, in place."""
    dark = thrown.on(drawing)
    turn = stage.camera.rotation.astype(np.float32)
    for band in drawing.bands():
        colour, surface, head = pictures.colours(band), looked_up(pictures.surface, band.u, band.v), band.of(HEAD)
        normals = facing(band, surface, turn)
        sky = floats(0.85) + (surface[..., 3] - floats(0.85)) * head
        shadow = dark[band.part]
        shown = colour[..., :3] * lit(normals, shadow, sky, 1 - band.of(CLOTH), scene)
        shown += shine(normals, shadow, colour[..., 3], scene)[..., None] * floats(scene.cast)
        part = image[band.part]
        part += (shown - part) * (band.kind > 0)[..., None]


def facing(band: PixelRows, surface: Floats, turn: Floats) -> Floats:
    """Unit normals of a band's surfaces in camera axes, (h, w, 3); those of the head include its relief.

    Args:
        surface: `Textures.surface` at the band's places, (h, w, 4).
        turn: the camera's rotation, float32 (3, 3).
    """
    turned = cv2.transform(np.ascontiguousarray(surface[..., :3]), turn)
    return np.asarray(band.normals + (turned - band.normals) * band.of(HEAD)[..., None], np.float32)


def before(band: PixelRows, behind: GeometryBuffer, slack: Floats) -> NDArray[np.bool_]:
    """Where a band's surface lies in front of another drawing, or at most `slack` pixels behind it, (h, w)."""
    return np.asarray((band.kind > 0) & (band.depth > behind.nearest(band.part) - slack))


def shade_hair(
    image: Floats,
    drawing: GeometryBuffer,
    behind: GeometryBuffer,
    thrown: ShadowMap,
    whose: tuple[Person, Hair],
    scene: Scene,
    stage: RenderTarget,
) -> None:
    """Render hair over everything behind it, in place."""
    person, hair = whose
    own, dark = person.hair.astype(np.float32), thrown.on(drawing)
    turn, slack = stage.camera.rotation.astype(np.float32), floats(0.01 * stage.camera.scale)
    for band in drawing.bands():
        strands = looked_up(hair.strands, band.u, band.v)
        share = strands[..., 1] * before(band, behind, slack)
        shadow = dark[band.part] * floats(0.8)
        sky = floats(0.55) + floats(0.35) * band.normals[..., 2]
        factor = lit(band.normals, shadow, sky, np.zeros_like(sky), scene)
        runs = cv2.transform(looked_up(hair.runs, band.u, band.v), turn)
        glint = hair_shine(runs, shadow, scene) * strands[..., 0] * floats(scene.level)
        colour = own * strands[..., :1] * factor + glint[..., None] * (16 + floats(0.28) * own)
        part = image[band.part]
        part += (colour - part) * share[..., None]
