"""Light on a rendered head: ambient, directed with a shadow map, and specular on skin, hair and eyes.

Convention:
    - directions and normals in camera axes: x right, y down, z toward the viewer
    - colours are sRGB-encoded; light is linear, and its power of 1 / GAMMA is the factor on the colours
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, floats
from maskgen.masks.lighting.colour import GAMMA
from maskgen.masks.pose.head import Triangles
from maskgen.masks.rasteriser import Canvas

from .head_uv_map import step
from .render_target import GeometryBuffer
from .scene import Scene

MAP = 160  # side of the shadow map in pixels
# Wrap lighting: how far diffuse light reaches around a form, for red, green and blue; red scatters farthest in skin.
SKIN_WRAP = (0.42, 0.27, 0.22)
CLOTH_WRAP = 0.2


def light_direction(scene: Scene) -> Floats:
    """The unit direction toward the light, camera axes, (3,)."""
    light = np.asarray(scene.light, np.float32)
    return light / floats(np.linalg.norm(light))


def dot(vectors: Floats, axis: Floats) -> Floats:
    """Dot product of vectors (h, w, 3) with one axis (3,), (h, w)."""
    return np.asarray(cv2.transform(vectors, axis[None].astype(np.float32)), np.float32)


def lit(normals: Floats, shadow: Floats, open_sky: Floats, skin: Floats, scene: Scene) -> Floats:
    """The factor of diffuse light on sRGB-encoded colours, (h, w, 3).

    Args:
        normals: unit normals (h, w, 3).
        shadow: share of the directed light that is blocked, 0..1, (h, w).
        open_sky: share of the ambient light that arrives, 0..1, (h, w).
        skin: 1 for the wrap lighting of skin, 0 for that of cloth, (h, w).
    """
    fall = dot(normals, light_direction(scene))
    sky = open_sky * (floats(0.9) - floats(0.16) * normals[..., 1]) * floats(scene.ambient)
    clear = (1 - floats(0.8) * shadow) * (floats(0.5) + floats(0.5) * open_sky)
    clear *= floats((1 - scene.ambient) * 1.3)
    planes = []
    for more in SKIN_WRAP:
        wrap = floats(CLOTH_WRAP) + floats(more - CLOTH_WRAP) * skin
        planes.append(sky + clear * np.maximum((fall + wrap) / (1 + wrap), 0))
    linear = np.maximum(cv2.merge(planes) * floats(scene.level), floats(1e-4))
    return np.asarray(cv2.pow(linear, 1 / GAMMA), np.float32) * floats(scene.cast)


def shine(normals: Floats, shadow: Floats, gloss: Floats, scene: Scene) -> Floats:
    """Specular light on skin, in levels to add to its encoded colour, (h, w)."""
    half = light_direction(scene) + floats([0, 0, 1])
    facing = np.maximum(dot(normals, half / floats(np.linalg.norm(half))), 0)
    broad = cv2.pow(facing, 12)
    tight = cv2.pow(broad, 4)
    strength = (1 - 0.85 * shadow) * floats((1 - scene.ambient) * scene.level)
    return np.asarray((58 * broad + 60 * tight * gloss) * gloss * strength, np.float32)


def hair_shine(runs: Floats, shadow: Floats, scene: Scene) -> Floats:
    """Specular light on strands that run along `runs` (h, w, 3), (h, w), 0..1. Source: Kajiya and Kay 1989."""
    half = light_direction(scene) + floats([0, 0, 1])
    along = dot(runs, half / floats(np.linalg.norm(half)))
    across = np.maximum(1 - along * along, 0)
    return np.asarray(cv2.pow(across, 14) * (1 - 0.8 * shadow) * floats(1 - 0.6 * scene.ambient), np.float32)


@dataclass(frozen=True, slots=True)
class ShadowMap:
    """A shadow map: per pixel the surface that is nearest to the light.

    Attributes:
        axes: across, down and along the light, rows of (3, 3).
        low: the least coordinate along each axis, in picture pixels, (3,).
        unit: the map's pixels per picture pixel.
        nearest: float32 (MAP, MAP), coordinate along the light from `low`; behind all surfaces where nothing is.
        scale: picture pixels per eye distance.
    """

    axes: Doubles
    low: Doubles
    unit: float
    nearest: Floats
    scale: float

    @classmethod
    def of(cls, points: Doubles, triangles: Triangles, scale: float, scene: Scene) -> ShadowMap:
        """Render what casts shadows, points (n, 3) in pixels and depth, from the direction of the light."""
        along = light_direction(scene).astype(np.float64)
        across = np.cross([0.0, 1.0, 0.0] if abs(along[1]) < 0.9 else [0.0, 0.0, 1.0], along)
        across /= np.linalg.norm(across)
        axes = np.stack([across, np.cross(along, across), along])
        seen = points @ axes.T
        low, span = seen.min(0), np.ptp(seen, axis=0)
        unit = (MAP - 3) / max(span[0], span[1])
        near = (seen[:, 2] - low[2]) / span[2] * 0.9 + 0.1
        canvas = Canvas(MAP, MAP)
        canvas.draw((seen - low) * unit + 1, triangles, np.repeat(near[:, None], 3, 1))
        nearest = (canvas.values[..., 0] - floats(0.1)) * floats(span[2] / 0.9)
        return cls(axes, low, float(unit), np.asarray(nearest, np.float32), scale)

    def on(self, drawing: GeometryBuffer) -> Floats:
        """Share of the directed light that is blocked at each pixel of a drawing, blurred, 0..1, (h, w)."""
        height, width = drawing.places.shape[:2]
        every = slice(None, None, 2)  # the shadow is blurred, so every second pixel is enough
        depth = drawing.depth((every, every))
        x = np.arange(0, width, 2, dtype=np.float32)[None]
        y = np.arange(0, height, 2, dtype=np.float32)[:, None]
        a, b, c = (
            np.float32(axis[2]) * depth + (np.float32(axis[0]) * x + (np.float32(axis[1]) * y - np.float32(low)))
            for axis, low in zip(self.axes, self.low, strict=True)
        )
        one, unit = np.float32(1), np.float32(self.unit)
        before = cv2.remap(self.nearest, a * unit + one, b * unit + one, cv2.INTER_LINEAR) - c
        dark = cv2.GaussianBlur(step(before * np.float32(1 / self.scale), 0.07, 0.2), (0, 0), 0.018 * self.scale)
        return np.asarray(cv2.resize(dark, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
