"""One rendered picture of a person with its ground truth: landmarks, pose, and which landmarks are visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats, Image, Pose, floats
from maskgen.core.seeding import rng_for
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import mean68

from .background import draw_background
from .face_shape import FaceShape, build_face_shape
from .glasses import draw_glasses
from .hair import Hair, hair_of
from .hand import draw_hand
from .head_uv_map import points_to_uv, sampled
from .light import ShadowMap, lit
from .mesh import Part, body_part, ear_part, head_part, joined
from .person import Person, draw_person, mean_places
from .render_target import GeometryBuffer, RenderTarget
from .scene import Expression, Scene
from .shading import Textures, shade_hair, shade_skin

SEEN = 0.1  # a landmark more than this many eye distances behind the nearest surface is hidden


@dataclass(frozen=True, slots=True)
class Portrait:
    """A rendered picture with its ground truth.

    Attributes:
        image: uint8 RGB.
        points68: float32 (68, 2), the landmarks in pixels of the picture. Those of the jaw are fixed places on the
            skin, not on the outline: on the far side of a turned head they are hidden.
        pose: yaw, pitch and roll in degrees, scale in pixels per distance between the eyes of the mean head.
        visible68: bool (68,), which landmarks face the viewer and are not hidden by another part of the head.
    """

    image: Image
    points68: Floats
    pose: Pose
    visible68: NDArray[np.bool_]


def _solid(person: Person, form: FaceShape, lining: Part | None) -> list[Part]:
    """The meshes of the head and of its ears, or of the lining of hair that hides the ears."""
    beside = [ear_part(person, 1.0), ear_part(person, -1.0)] if lining is None else [lining]
    return [head_part(form), *beside]


def draw_portrait(person: Person, scene: Scene) -> Portrait:
    """Render a person in a scene; the same inputs give the same bytes."""
    return draw_portraits(person, [scene])[0]


def draw_portraits(person: Person, scenes: Sequence[Scene]) -> list[Portrait]:
    """Render a person in several scenes, with the expression, gaze and clothes of the first scene.

    Shape, skin and hair are computed only once; they are half of a picture's cost.
    """
    form, hair = build_face_shape(person, scenes[0].expression, scenes[0].scale), hair_of(person)
    pictures = Textures.of(person, form, hair, scenes[0])
    return [_painted(person, scene, form, hair, pictures) for scene in scenes]


@dataclass(frozen=True, slots=True)
class Ready:
    """A picture before glasses, hair and a hand are drawn over the skin.

    Attributes:
        image: the enlarged picture, float32 (h, w, 3): background, clothes and skin; later layers change it in place.
        stage, drawing, thrown: the render target with its camera, the G-buffer, and the shadow map.
        form, hair: the head's surface and its hair.
    """

    image: Floats
    stage: RenderTarget
    form: FaceShape
    hair: Hair | None
    drawing: GeometryBuffer
    thrown: ShadowMap


def _painted(person: Person, scene: Scene, form: FaceShape, hair: Hair | None, pictures: Textures) -> Portrait:
    ready = prepared(person, scene, form, hair, pictures)
    lay_in_front((ready.image,), person, scene, ready)
    return finished(scene, ready)


def prepared(person: Person, scene: Scene, form: FaceShape, hair: Hair | None, pictures: Textures) -> Ready:
    """Render background, clothes and skin."""
    stage = RenderTarget.of(scene)
    lining = hair.lining if hair is not None else None
    solid = _solid(person, form, lining)
    casters = [*solid, *(hair.parts if hair is not None else ())]
    thrown = ShadowMap.of(stage.placed(casters), joined(casters)[0], stage.camera.scale, scene)
    drawing = stage.draw([body_part(scene.clothes), *solid])
    image = draw_background(scene, stage.height, stage.width)
    shade_skin(image, drawing, thrown, pictures, scene, stage)
    return Ready(image, stage, form, hair, drawing, thrown)


def finished(scene: Scene, ready: Ready) -> Portrait:
    """The picture in its final size, with blur and noise of a camera, and its ground truth."""
    small = cv2.resize(ready.image, scene.size[::-1], interpolation=cv2.INTER_AREA)
    image = _photographed(np.asarray(small, np.float32), scene)
    return _truth(image, scene, ready.form, ready.stage, ready.drawing)


def lay_in_front(images: tuple[Floats, ...], person: Person, scene: Scene, ready: Ready) -> None:
    """Draw glasses, hair and a hand over skin and clothes, in place, in each of the pictures."""
    hair, stage, drawing = ready.hair, ready.stage, ready.drawing
    shell = None if hair is None else stage.draw(hair.parts)
    for image in images:
        if person.glasses != "none":
            draw_glasses(image, person.glasses, ready.form.points68, stage.camera, drawing)
        if hair is not None and shell is not None:
            shade_hair(image, shell, drawing, ready.thrown, (person, hair), scene, stage)
        if scene.hand:
            draw_hand(image, person, scene, stage)


def occluded_share(person: Person, scene: Scene) -> Floats:
    """Occlusion of skin and clothes in `draw_portrait`'s picture: the share of each pixel that glasses, hair and a
    hand hide, 0..1, float32 (height, width)."""
    form, hair = build_face_shape(person, scene.expression, scene.scale), hair_of(person)
    ready = prepared(person, scene, form, hair, Textures.of(person, form, hair, scene))
    black, white = (np.full_like(ready.image, level) for level in (0, 255))
    lay_in_front((black, white), person, scene, ready)
    seen = (white - black)[..., 1] / floats(255)  # the layers in front blend with the picture
    return np.asarray(1 - cv2.resize(seen, scene.size[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _truth(image: Image, scene: Scene, form: FaceShape, stage: RenderTarget, drawing: GeometryBuffer) -> Portrait:
    """The picture with its ground truth: landmarks of the rendered surface, pose and visibility."""
    camera = Camera(scene.scale, stage.camera.rotation, np.array(scene.centre))
    points = camera.project(form.points68)
    normals = sampled(form.normals, points_to_uv(form.points68)) @ camera.rotation.T[:, 2]
    enlarged = stage.camera.project(form.points68)
    before = drawing.nearest_at(enlarged)
    seen = (normals > 0.03) & (enlarged[:, 2] > before - SEEN * stage.camera.scale)
    return Portrait(image, points[:, :2].astype(np.float32), _pose(scene), np.asarray(seen))


def _pose(scene: Scene) -> Pose:
    return Pose(scene.yaw, scene.pitch, scene.roll, scene.scale)


def _photographed(image: Floats, scene: Scene) -> Image:
    """Add the blur of a lens and the noise of a sensor; uint8."""
    if scene.blur > 0.15:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), scene.blur), np.float32)
    if scene.noise > 0:
        rng = rng_for(scene.pattern, "noise")
        grain = rng.standard_normal((*image.shape[:2], 2), np.float32) * floats(scene.noise)
        image = image + np.dstack(
            [grain[..., 0] + 0.3 * grain[..., 1], grain[..., 0], grain[..., 0] - 0.3 * grain[..., 1]]
        )
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _nobody() -> Person:
    """The mean head, without hair and glasses."""
    anyone = draw_person(rng_for(0, "nobody"))
    return replace(anyone, points68=np.array(mean68()), places=mean_places(), style="bald", glasses="none")


def neutral_head(
    size: int, pose: Pose, grey: int = 128, light_from: tuple[float, float, float] | None = None
) -> Portrait:
    """The mean head in uniform grey on a darker grey, for tests of colour.

    Args:
        size: the picture's side in pixels; the head's middle is a little below the picture's centre.
        pose: the head's pose; `scale` in pixels per eye distance, of which 0.2 * `size` shows the whole head.
        grey: the head's grey value; without a light, every pixel of the head has it.
        light_from: the direction toward the light in camera axes, None for even light.
    """
    scene = Scene(pose.yaw, pose.pitch, pose.roll, pose.scale, (size / 2, size * 0.54), (size, size), ambient=0.35)
    stage, form = RenderTarget.of(scene), build_face_shape(_nobody(), Expression(), pose.scale)
    parts = _solid(_nobody(), form, None)
    drawing = stage.draw(parts)
    shown = np.full((stage.height, stage.width), grey * 0.6, np.float32)
    if light_from is not None:
        scene = replace(scene, light=light_from)
        dark = ShadowMap.of(stage.placed(parts), joined(parts)[0], stage.camera.scale, scene).on(drawing)
    for band in drawing.bands():
        level = np.full(band.kind.shape, grey, np.float32)
        if light_from is not None:
            ones = np.ones_like(level)
            level *= lit(band.normals, dark[band.part], ones, 0 * ones, scene)[..., 0]
        shown[band.part] = np.where(band.kind > 0, level, shown[band.part])
    small = cv2.resize(shown, (size, size), interpolation=cv2.INTER_AREA)
    image = np.repeat(np.clip(np.rint(small), 0, 255).astype(np.uint8)[..., None], 3, 2)
    return _truth(image, scene, form, stage, drawing)
