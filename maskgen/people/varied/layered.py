"""Rendered pictures with their layers, so that light, clothes, hair and background can be changed many times.

Convention: shares are uint8, 255 for a whole pixel; normals are int8, 127 for length 1, camera axes, x right, y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats, Image, floats
from maskgen.masks.pose.head import CENTRE
from maskgen.people.face_shape import build_face_shape
from maskgen.people.hair import hair_of
from maskgen.people.head_uv_map import looked_up, node_places, uv_to_rays
from maskgen.people.mesh import CLOTH, head_radius
from maskgen.people.person import Person
from maskgen.people.portrait import Portrait, Ready, finished, lay_in_front, prepared
from maskgen.people.scene import Scene
from maskgen.people.shading import Textures, before, facing

FINE = (91, 121)  # rows and columns of the grid in which the outline is searched
SLIDING = (*range(6), *range(11, 17))  # indices of the jaw's landmarks that move to the outline: not the chin's five
LEVEL = 0.04  # tolerance in eye distances of the height at which the outline is searched
BEHIND = -1.3  # head z in eye distances behind which the outline is not searched: behind the ears


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a picture (h, w).

    Attributes:
        shares: uint8 (h, w, 3): shares of skin, of clothes, and of hair in front of both; the rest is background.
        normals: int8 (h, w, 2): x and y of the unit normals of skin and clothes, also under the hair.
        outline: float32 (17, 2): the jaw's landmarks in pixels, moved sideways to the head's outline in the picture;
            the five of the chin stay.
    """

    shares: Image
    normals: NDArray[np.int8]
    outline: Floats


def paint_layered(person: Person, scenes: Sequence[Scene]) -> list[tuple[Portrait, Layers]]:
    """Render as `portrait.draw_portraits` does, and add the layers."""
    form, hair = build_face_shape(person, scenes[0].expression, scenes[0].scale), hair_of(person)
    pictures = Textures.of(person, form, hair, scenes[0])
    out = []
    for scene in scenes:
        ready = prepared(person, scene, form, hair, pictures)
        lay_in_front((ready.image,), person, scene, ready)
        portrait = finished(scene, ready)
        out.append((portrait, layers_of(portrait, scene, ready, pictures)))
    return out


def _outline(portrait: Portrait, scene: Scene, ready: Ready) -> Floats:
    """The jaw's landmarks on the outline. Source: landmark marching, Zhu et al., High-fidelity pose and expression
    normalization for face recognition in the wild, 2015."""
    uv = node_places(*FINE)
    skin = (CENTRE + uv_to_rays(uv) * head_radius(ready.form.skin, uv)[..., None]).reshape(-1, 3)
    turn = ready.stage.camera.rotation
    out, right = portrait.points68[:17].copy(), turn[:2, 0] / max(float(np.hypot(*turn[:2, 0])), 1e-6)
    for at in SLIDING:
        point, side = ready.form.points68[at], 1.0 if at > 8 else -1.0
        level = (np.abs(skin[:, 1] - point[1]) < LEVEL) & (skin[:, 0] * side > 0) & (skin[:, 2] > BEHIND)
        off = (skin[level] - point) @ turn[:2].T @ right * side
        out[at] += scene.scale * side * max(float(off.max(initial=0.0)), 0.0) * right
    return out


def layers_of(portrait: Portrait, scene: Scene, ready: Ready, pictures: Textures) -> Layers:
    """The layers of a picture that was rendered from `ready`."""
    shares, normals = np.zeros_like(ready.image), np.zeros((*ready.image.shape[:2], 2), np.float32)
    turn = ready.stage.camera.rotation.astype(np.float32)
    for band in ready.drawing.bands():
        cloth = band.of(CLOTH)
        shares[band.part][..., 0] = (band.kind > 0) - cloth
        shares[band.part][..., 1] = cloth
        normals[band.part] = facing(band, looked_up(pictures.surface, band.u, band.v), turn)[..., :2]
    shares[..., 2] = _hair_share(ready)
    shares[..., :2] *= 1 - shares[..., 2:]
    size = scene.size[::-1]
    small = cv2.resize(shares, size, interpolation=cv2.INTER_AREA)
    turned = cv2.resize(normals, size, interpolation=cv2.INTER_AREA)
    outline = _outline(portrait, scene, ready)
    return Layers(np.rint(small * 255).astype(np.uint8), np.rint(turned * 127).astype(np.int8), outline)


def _hair_share(ready: Ready) -> Floats:
    """Opacity of the visible hair at each pixel of the enlarged picture, 0..1, (h, w)."""
    out = np.zeros(ready.image.shape[:2], np.float32)
    if ready.hair is None:
        return out
    slack = floats(0.01 * ready.stage.camera.scale)
    for band in ready.stage.draw(ready.hair.parts).bands():
        strands = looked_up(ready.hair.strands, band.u, band.v)
        out[band.part] = strands[..., 1] * before(band, ready.drawing, slack)
    return out
