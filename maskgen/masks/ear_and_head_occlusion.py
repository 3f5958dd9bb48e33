"""Occlusion of a mask by ears and head: the mask's triangles that face the viewer, and the head's that can hide it.

The other triangles are not rendered. A mask lies on the head: where its cloth or its straps face away from the
viewer, the head hides them in every pose. The parts of the head that hide a strap, such as an ear, depend almost only
on yaw and pitch. So they are computed once per step of yaw and pitch, on the mean head with a margin for other heads,
and kept, in memory and in the cache folder.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.cache.kept_files import found_arrays, keep_arrays
from maskgen.core.records import Doubles, Floats
from maskgen.masks.pose.camera import Camera, rotation
from maskgen.masks.pose.head import Triangles
from maskgen.masks.rasteriser import rasterise

# Cosine to the line of sight below which a point of the mask is behind the head. It is below 0, because cloth that
# hangs lower than the jaw is seen farther.
AWAY = -0.1
STEP = 5.0  # degrees of yaw and pitch between two views
WITHIN = math.sin(math.radians(STEP * math.sqrt(0.5)))  # largest difference of a cosine within one view
FINENESS = 32.0  # resolution of the rendered view, in pixels per eye distance
ROOM = 0.12  # margin, in eye distances, by which a mask may reach farther than on the mean head
# Depth, in eye distances, by which the face must be in front of the mask to hide it, beyond `MaskMesh.back`, which
# excludes the skin on which the mask lies. For ears the limit is 0: an ear may touch the strap that it hides.
FURTHER = 0.1

FEWEST_NEW = 4  # views that are new when all are written to the cache folder

HeadView = tuple[int, int]


class KeptViews:
    """Which of the head's triangles hide a mask, for each view so far; of a built-in template's mask in the cache
    folder, where they are written when a fifth of them is new.

    Args:
        about: tells apart all that they depend on; None keeps them in memory only.
    """

    def __init__(self, about: str | None) -> None:
        self._about, self._new = about, 0
        self._bits: dict[HeadView, NDArray[np.uint8]] | None = None

    def hides(self, view: HeadView, count: int, compute: Callable[[], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """For each of the head's `count` triangles whether it hides the mask in a view: bool (count,)."""
        if self._bits is None:
            self._bits = self._stored()
        if view not in self._bits:
            self._bits[view] = np.packbits(compute())
            self._new += 1
            if self._about is not None and self._new >= max(FEWEST_NEW, len(self._bits) // 5):
                self._write(self._about)
        return np.unpackbits(self._bits[view], count=count).view(np.bool_)

    def _stored(self) -> dict[HeadView, NDArray[np.uint8]]:
        arrays = found_arrays("views", self._about)
        if arrays is None:
            return {}
        return {(yaw, pitch): bits for (yaw, pitch), bits in zip(arrays["views"].tolist(), arrays["bits"], strict=True)}

    def _write(self, about: str) -> None:
        """Write all views, with those that other processes have written in the meantime."""
        self._bits = {**self._stored(), **(self._bits or {})}
        views = sorted(self._bits)
        bits = np.stack([self._bits[view] for view in views])
        keep_arrays("views", about, {"views": np.array(views, np.int16), "bits": bits})
        self._new = 0


@dataclass(frozen=True, slots=True)
class HeadDepth:
    """A head rendered from one view.

    Attributes:
        camera: the view's camera.
        number: int16 (rows, columns), the visible triangle of each pixel, -1 for none.
        depth: float32 (rows, columns), its depth in pixels toward the viewer, -inf for none.
    """

    camera: Camera
    number: NDArray[np.int16]
    depth: NDArray[np.float32]


def facing_triangles(toward: NDArray[np.floating], triangles: Triangles) -> Triangles:
    """The triangles of a mask on this side of the head; `toward` (n,) is the cosine of each point's `MaskMesh.outward`
    to the line of sight."""
    first, second, third = (toward > AWAY).take(triangles).T
    return triangles.compress(first | second | third, axis=0)


def head_view(line_of_sight: Doubles) -> HeadView:
    """The view as steps of yaw and pitch, from the viewer's direction in head coordinates, (3,)."""
    x, y, z = line_of_sight.tolist()
    return round(math.degrees(math.atan2(-x, z)) / STEP), round(math.degrees(math.asin(max(-1.0, min(1.0, y)))) / STEP)


def render_head_view(view: HeadView, points: Doubles, triangles: Triangles) -> HeadDepth:
    """A head, points (n, 3) in head coordinates, rendered from a view."""
    yaw, pitch = view
    turn = rotation(STEP * yaw, STEP * pitch, 0.0)
    placed = Camera(FINENESS, turn, np.zeros(2)).project(points)
    low = placed[:, :2].min(0) - ROOM * FINENESS
    columns, rows = np.ceil(placed[:, :2].max(0) + ROOM * FINENESS - low).astype(int).tolist()
    placed[:, :2] -= low
    return HeadDepth(Camera(FINENESS, turn, -low), *_nearest(placed, triangles, rows, columns))


def hiding_triangles(
    sight: HeadDepth, worn: Doubles, rays: Doubles, cloth: Triangles, nearer: Floats
) -> NDArray[np.intp]:
    """The indices of the head's triangles that hide a part of a mask in a view.

    Args:
        worn, cloth: the mask's points (n, 3) in head coordinates, and its triangles.
        rays: unit vectors from the skull's middle to `worn`, (n, 3).
        nearer: `nearer_to_hide` of the head's triangles.
    """
    cloth = facing_triangles(rays @ sight.camera.rotation[2] + WITHIN, cloth)
    placed = sight.camera.project(worn)
    here = _about(placed)
    rows, columns = (min(part.stop, size) for part, size in zip(here, sight.depth.shape, strict=True))
    drawn = rasterise(rows, columns, placed, cloth, np.ones((len(placed), 3)))[here]
    far = _farthest_about(np.where(drawn[..., 0] > 0, drawn[..., 3], np.float32(np.inf)))
    number = sight.number[here]
    return np.flatnonzero(np.bincount(number[sight.depth[here] > far + nearer.take(number)]))


def nearer_to_hide(back: Doubles) -> Floats:
    """By how much each of the head's triangles must be nearer to the viewer than the mask to hide it, float32 (t,), in
    pixels of a `HeadDepth`; `back` is how far it is moved back, in eye distances, 0 for ears."""
    return (np.where(back > 0, back + FURTHER, 0.0) * FINENESS).astype(np.float32)


def _about(points: Doubles) -> tuple[slice, slice]:
    """The rows and columns within ROOM of points (n, 3) in a picture."""
    room = math.ceil(ROOM * FINENESS) + 1
    (left, top), (right, bottom) = points[:, :2].min(0).tolist(), points[:, :2].max(0).tolist()
    return _slice(top - room, bottom + room), _slice(left - room, right + room)


def _slice(least: float, most: float) -> slice:
    return slice(max(math.floor(least), 0), max(math.ceil(most) + 1, 0))


def _farthest_about(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each pixel the depth that is farthest from the viewer within ROOM of it."""
    side = 2 * round(ROOM * FINENESS) + 1
    return np.asarray(cv2.erode(depth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))))


def _nearest(
    points: Doubles, triangles: Triangles, rows: int, columns: int
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """For each pixel the index of the visible triangle, -1 for none, and its depth."""
    own = np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3)
    names = np.repeat(np.arange(len(triangles)) + 1, 3)
    drawn = rasterise(rows, columns, points[triangles.ravel()], own, np.repeat(names[:, None], 3, 1))
    return np.rint(drawn[..., 0]).astype(np.int16) - 1, drawn[..., 3].copy()
