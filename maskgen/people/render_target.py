"""The render target: an enlarged picture, its camera, and the surface that each of its pixels shows (G-buffer)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, floats
from maskgen.masks.pose.camera import Camera, rotation
from maskgen.masks.rasteriser import Canvas

from .mesh import CLOTH, OPEN, PIVOT, Part, follow, joined, toward_viewer
from .scene import Scene

TIMES = 2  # supersampling: the picture is rendered this many times larger, then reduced
DEEP = 12.0  # range of depth in eye distances, half in front of and half behind the head's origin
BAND = 80  # rows that are shaded together


@dataclass(frozen=True, slots=True)
class PixelRows:
    """Some rows of a G-buffer.

    Attributes:
        part: their rows and columns in the enlarged picture.
        u, v: texture coordinates of each pixel, 0..1, (h, w).
        kind: the kind of part (see `mesh.Part`), 0 where nothing was drawn, (h, w).
        normals: unit vectors in camera axes, z toward the viewer, (h, w, 3).
        depth: in pixels, toward the viewer, (h, w).
    """

    part: tuple[slice, slice]
    u: Floats
    v: Floats
    kind: Floats
    normals: Floats
    depth: Floats

    def of(self, kind: float) -> Floats:
        """1 where this kind of part was drawn, 0 elsewhere, (h, w)."""
        return np.asarray(np.abs(self.kind - floats(kind)) < 0.09, np.float32)


@dataclass(frozen=True, slots=True)
class GeometryBuffer:
    """The surface that each pixel of the enlarged picture shows, as the rasteriser wrote it: (h, w, 3) each.

    Attributes:
        places: u, v, kind.
        facings: the normal's x and y, and depth, each mapped to 0..1.
        deep: the range of depth in pixels that is mapped to 0..1.
    """

    places: Floats
    facings: Floats
    deep: float

    def depth(self, part: tuple[slice, slice]) -> Floats:
        """Depth in pixels toward the viewer, (h, w); undefined where nothing was drawn."""
        return np.asarray((self.facings[part][..., 2] - floats(0.5)) * floats(self.deep), np.float32)

    def nearest(self, part: tuple[slice, slice]) -> Floats:
        """Depth in pixels toward the viewer, (h, w); -1e6 where nothing was drawn."""
        return np.where(self.places[part][..., 2] > 0, self.depth(part), floats(-1e6))

    def nearest_at(self, points: Doubles) -> Floats:
        """Depth at the pixels of points (n, 2 or more), (n,); -1e6 where nothing was drawn."""
        height, width = self.places.shape[:2]
        x = np.clip(np.rint(points[:, 0]), 0, width - 1).astype(int)
        y = np.clip(np.rint(points[:, 1]), 0, height - 1).astype(int)
        depth = (self.facings[y, x, 2] - np.float32(0.5)) * np.float32(self.deep)
        return np.where(self.places[y, x, 2] > 0, depth, np.float32(-1e6))

    def bounds(self) -> tuple[slice, slice]:
        """Rows and columns of the picture in which anything was drawn; empty slices if nothing was."""
        kind = self.places[..., 2]
        rows, columns = np.flatnonzero(kind.any(1)), np.flatnonzero(kind.any(0))
        if rows.size == 0:
            return slice(0, 0), slice(0, 0)
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    def bands(self) -> Iterator[PixelRows]:
        """The part in which anything was drawn, BAND rows at a time."""
        rows, columns = self.bounds()
        for top in range(rows.start, rows.stop, BAND):
            part = slice(top, min(top + BAND, rows.stop)), columns
            x, y = ((self.facings[part][..., k] - floats(0.5)) * floats(1 / 0.49) for k in (0, 1))
            z = np.sqrt(np.maximum(1 - x * x - y * y, floats(1e-4)))
            u, v, kind = cv2.split(self.places[part])
            yield PixelRows(part, u, v, kind, cv2.merge([x, y, z]), self.depth(part))


@dataclass(frozen=True, slots=True)
class RenderTarget:
    """The enlarged picture's camera and size, and the rotation (3, 3) of a body that turns less than its head."""

    camera: Camera
    height: int
    width: int
    to_body: Doubles

    @classmethod
    def of(cls, scene: Scene) -> RenderTarget:
        """The render target of a scene."""
        turn = rotation(scene.yaw, scene.pitch, scene.roll)
        body = rotation(0.45 * scene.yaw, 0.25 * scene.pitch, 0.25 * scene.roll)
        shift = (np.array(scene.centre) + 0.5) * TIMES - 0.5
        camera = Camera(scene.scale * TIMES, turn, shift)
        return cls(camera, scene.size[0] * TIMES, scene.size[1] * TIMES, turn.T @ body)

    def placed(self, parts: Sequence[Part]) -> Doubles:
        """The points of parts, x, y and depth in pixels, (n, 3)."""
        bent = [
            PIVOT + (part.points - PIVOT) @ self.to_body.T if part.kind == CLOTH else follow(part.points, self.to_body)
            for part in parts
        ]
        return self.camera.project(np.concatenate(bent))

    def facing(self, parts: Sequence[Part]) -> Doubles:
        """The normals of parts in camera axes, (n, 3)."""
        turns = [self.camera.rotation @ self.to_body if part.kind == CLOTH else self.camera.rotation for part in parts]
        return np.concatenate([part.normals @ turn.T for part, turn in zip(parts, turns, strict=True)])

    def draw(self, parts: Sequence[Part]) -> GeometryBuffer:
        """Rasterise parts; of closed parts only the triangles that face the viewer."""
        points, (triangles, marks) = self.placed(parts), joined(parts)
        triangles = toward_viewer(points, triangles, sum(len(part.triangles) for part in parts if part.kind in OPEN))
        places, facings = Canvas(self.height, self.width), Canvas(self.height, self.width)
        places.draw(points, triangles, marks)
        deep = DEEP * self.camera.scale
        values = np.column_stack([self.facing(parts)[:, :2] * 0.49 + 0.5, points[:, 2] / deep + 0.5])
        facings.draw(points, triangles, values)
        return GeometryBuffer(places.values, facings.values, deep)
