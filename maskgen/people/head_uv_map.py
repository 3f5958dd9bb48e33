"""The UV map (chart) of a head: each direction from the middle of the skull has a place in a flat picture.

Convention:
    - u, v in 0..1: u follows the angle about the vertical axis (0.5 is the front, the seam is at the back), v the
      angle from straight up
    - a chart of (rows, columns) pixels has pixel centres at integers: column = u * columns - 0.5
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, floats
from maskgen.masks.pose.head import CENTRE

LOWEST = 0.93  # angle from straight up at v = 1, the end of the neck, as a share of 180 degrees
_BEND = 0.45  # angle per step of u at the front, as a share of the mean: the front gets more pixels

_ACROSS = np.linspace(-1, 1, 2001)
_TURN = np.pi * (_BEND * _ACROSS + (1 - _BEND) * _ACROSS**3)


def uv_to_rays(uv: NDArray[np.floating]) -> Doubles:
    """Unit directions (..., 3) of places (..., 2) in the chart."""
    across = 2 * uv[..., 0] - 1
    turn = np.pi * (_BEND * across + (1 - _BEND) * across**3)
    polar = np.pi * LOWEST * uv[..., 1]
    return np.stack([np.sin(polar) * np.sin(turn), -np.cos(polar), np.sin(polar) * np.cos(turn)], -1)


def points_to_uv(points: NDArray[np.floating]) -> Doubles:
    """Places in the chart, u and v (n, 2), of points (n, 3) in head coordinates."""
    ray = points - CENTRE
    turn = np.arctan2(ray[:, 0], ray[:, 2])
    polar = np.arccos(np.clip(-ray[:, 1] / np.linalg.norm(ray, axis=1), -1, 1))
    return np.stack([(np.interp(turn, _TURN, _ACROSS) + 1) / 2, polar / (np.pi * LOWEST)], 1)


@lru_cache(maxsize=8)
def pixel_rays(rows: int, columns: int) -> Floats:
    """Unit directions of the pixels' centres, float32 (rows, columns, 3); cached, do not write to them."""
    v, u = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
    return uv_to_rays(np.stack([u, v], -1)).astype(np.float32)


@lru_cache(maxsize=8)
def node_places(rows: int, columns: int) -> Doubles:
    """Places (rows, columns, 2) of a regular grid over the whole chart; cached, do not write to them."""
    v, u = np.meshgrid(np.linspace(0.004, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return np.stack([u, v], -1)


def sampled(picture: NDArray[np.float32], uv: NDArray[np.floating]) -> Floats:
    """A chart's values at places (..., 2), with bilinear interpolation."""
    places = uv.astype(np.float32).reshape(len(uv), -1, 2)
    found = looked_up(picture, places[..., 0], places[..., 1])
    return found.reshape(*uv.shape[:-1], *picture.shape[2:])


def looked_up(picture: NDArray[np.float32], u: Floats, v: Floats) -> Floats:
    """A chart's values at u and v, (h, w) each, with bilinear interpolation: (h, w) or (h, w, channels)."""
    rows, columns = picture.shape[:2]
    half = np.float32(0.5)
    x, y = u * np.float32(columns) - half, v * np.float32(rows) - half
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a chart: where it is, and the skin's points there, float32 (h, w, 3) in head coordinates."""

    rows: slice
    columns: slice
    points: Floats

    @property
    def slices(self) -> tuple[slice, slice]:
        """The part, for indexing a picture of the chart."""
        return self.rows, self.columns

    @property
    def x(self) -> Floats:
        """Head x of the points, to the viewer's right, (h, w)."""
        return self.points[..., 0]

    @property
    def y(self) -> Floats:
        """Head y of the points, down, (h, w)."""
        return self.points[..., 1]

    def spot(self, at: Doubles, radii: tuple[float, float, float]) -> Floats:
        """Weights of a soft spot, (h, w): 1 at its centre and 1/e at its radii, in eye distances."""
        away = (self.points - floats(at)) / floats(radii)
        return np.asarray(np.exp(-np.einsum("ijk,ijk->ij", away, away)), np.float32)

    def line(self, points: Doubles, width: float) -> Floats:
        """Weights of a soft line through points (n, 3), (h, w): 1 on it, 1/e at a distance of `width` in x and y."""
        nearest = np.full(self.x.shape, np.inf, np.float32)
        for a, b in zip(points[:-1, :2], points[1:, :2], strict=True):
            along = (b - a).astype(np.float32)
            dx, dy = self.x - floats(a[0]), self.y - floats(a[1])
            share = np.clip((dx * along[0] + dy * along[1]) / max(float(along @ along), 1e-9), 0, 1)
            nearest = np.minimum(nearest, (dx - share * along[0]) ** 2 + (dy - share * along[1]) ** 2)
        return np.asarray(np.exp(-nearest / floats(width**2)), np.float32)


@dataclass(frozen=True, slots=True)
class Share:
    """Weights on a part of a chart, float32 (h, w)."""

    slices: tuple[slice, slice]
    values: Floats


@dataclass(frozen=True, slots=True)
class HeadSurface:
    """A head's surface: distance from CENTRE in eye distances per pixel of the chart, float32 (rows, columns)."""

    radius: Floats

    def points(self) -> Floats:
        """The whole surface, (rows, columns, 3)."""
        return CENTRE.astype(np.float32) + pixel_rays(*self.radius.shape) * self.radius[..., None]

    def patch(self, around: Doubles, spare: tuple[float, float]) -> Patch:
        """The part of the chart around points (n, 3), with a margin `spare` across and down, in eye distances."""
        rows, columns = self.radius.shape
        points = np.atleast_2d(around)
        pixel = points_to_uv(points) * [columns, rows] - 0.5
        ray = points - CENTRE
        unit = 0.4 / np.array([np.hypot(ray[:, 0], ray[:, 2]).min().clip(0.5), np.linalg.norm(ray, axis=1).min()])
        reach = np.asarray(spare) * unit * [columns, rows]
        low = np.maximum(np.floor(pixel.min(0) - reach), 0).astype(int)
        high = np.minimum(np.ceil(pixel.max(0) + reach) + 1, [columns, rows]).astype(int)
        high = np.maximum(high, low + 1)
        part = slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
        points = CENTRE.astype(np.float32) + pixel_rays(rows, columns)[part] * self.radius[part][..., None]
        return Patch(*part, floats(points))

    def spot(self, at: Doubles, radii: tuple[float, float, float]) -> Share:
        """See `Patch.spot`."""
        patch = self.patch(at, (2.2 * radii[0], 2.2 * radii[1]))
        return Share(patch.slices, patch.spot(at, radii))

    def line(self, points: Doubles, width: float) -> Share:
        """See `Patch.line`."""
        patch = self.patch(points, (2.2 * width, 2.2 * width))
        return Share(patch.slices, patch.line(points, width))


def step(x: Floats, low: float, high: float) -> Floats:
    """Smoothstep: 0 below `low`, 1 above `high`, smooth in between."""
    t = np.clip((x - floats(low)) / floats(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def curve(points: Doubles, per: int = 4) -> Doubles:
    """A smooth curve (Catmull-Rom) through points (n, d), with `per` steps per segment."""
    whole = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, per, endpoint=False)[:, None]
    a, b, c, d = whole[:-3, None], whole[1:-2, None], whole[2:-1, None], whole[3:, None]
    pieces = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate([pieces.reshape(-1, points.shape[1]), points[-1:]])


def height_of(line: Doubles, x: Floats) -> Floats:
    """y of a smooth line (n, 3) that runs from left to right, at each x."""
    smooth = curve(line[:, :2])
    return np.interp(x, smooth[:, 0], smooth[:, 1]).astype(np.float32)
