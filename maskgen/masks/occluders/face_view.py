"""A face as the network of occluders sees it: upright, at one size, with places on the head and distances from skin.

Convention:
    - a patch is RGB (SIDE, SIDE), SCALE pixels between the eyes of the mean head, in which the head is upright
    - cells lie 2 pixels apart, the first one in the middle between the pixels FIRST and FIRST + 1 of the patch: each
      fourth one falls on a place of the finest maps of `core.dlib_models.photo_features`
    - colours are CIELAB, lightness 0..100; `x`, `y` are head coordinates (see `pose.head`)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Image
from maskgen.masks.lighting.colour import srgb_factor
from maskgen.masks.lighting.light import Light
from maskgen.masks.mask_mesh import bare_head_model
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import bare_head
from maskgen.masks.rasteriser import rasterise

SIDE, SCALE = 160, 50.0
CELLS, FIRST = 76, 4
MIDDLE = np.array([[0.0, 0.2, 0.0]])  # of the patch, in head coordinates
LOW, HIGH = np.array([-1.6, -3.0]), np.array([1.6, 3.0])  # head x and y that the values 0 and 1 encode
BRIGHTEST = 1.5  # encoded light that the value 1 encodes
FEWEST = 40  # least number of cells for the colour of skin
LIGHT_UP, LIGHT_DOWN, CHROMA = 8.0, 12.0, 3.0  # least standard deviations of skin, in units of CIELAB
CHANNELS = 9

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FaceView:
    """Attributes:
    matrix: float64 (2, 3), from pixels of the picture to those of the patch.
    grey: uint8 (SIDE, SIDE), the patch without its colour.
    channels: float32 (CHANNELS, CELLS, CELLS), about -3..3: whether the cell shows the head, its x and y on the head,
        the light that falls there; lightness; by how much lightness and both chromas differ from skin in this light,
        and the distance from skin in standard deviations.
    """

    matrix: Doubles
    grey: NDArray[np.uint8]
    channels: Floats


class _Places(NamedTuple):
    """For each cell head x, head y, the encoded light on it, float32 (CELLS, CELLS), and whether it shows the head."""

    x: Floats
    y: Floats
    shade: Floats
    inside: Flags


def face_view(image: Image, camera: Camera, shift: Doubles, light: Light) -> FaceView | None:
    """The view of a face, or None if too little skin is visible.

    Args:
        image: uint8 RGB (height, width, 3).
        shift: see `apply_mask.AnalysedFace`.
    """
    matrix = _to_patch(camera)
    patch = _cut(image, matrix)
    places = _places(camera, shift, light, matrix)
    seeds = places.inside & _seeds(places.x, places.y)
    if np.count_nonzero(seeds) < FEWEST:
        return None
    cells = cv2.resize(patch, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    cells = cells[FIRST // 2 : FIRST // 2 + CELLS, FIRST // 2 : FIRST // 2 + CELLS]
    lab = np.asarray(cv2.cvtColor(cells.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    return FaceView(matrix, cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY), _channels(lab, places, seeds))


def cells_to_picture(matrix: Doubles) -> Doubles:
    """The similarity (2, 3) from cells to pixels of the picture, by that from the picture to the patch."""
    back = cv2.invertAffineTransform(matrix)
    back[:, 2] += back[:, :2] @ np.full(2, FIRST + 0.5)
    back[:, :2] *= 2
    return np.asarray(back, np.float64)


def _to_patch(camera: Camera) -> Doubles:
    roll, times = np.radians(camera.pose().roll), SCALE / camera.scale
    turn = times * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    middle = camera.project(MIDDLE)[0, :2]
    return np.column_stack([turn, SIDE / 2 - 0.5 - turn @ middle])


def _cut(image: Image, matrix: Doubles) -> Image:
    """The patch of a picture, which is made smaller by averages first where it is larger."""
    corners = np.array([[0.0, 0.0], [SIDE, 0.0], [0.0, SIDE], [SIDE, SIDE]])
    back = cv2.invertAffineTransform(matrix)
    around = corners @ back[:, :2].T + back[:, 2]
    last = np.array(image.shape[1::-1]) - 1
    x0, y0 = np.clip(np.floor(around.min(0)) - 2, 0, last).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(around.max(0)) + 3, [x0 + 1, y0 + 1], last + 1).astype(int).tolist()
    part = image[y0:y1, x0:x1]
    times = min(1.0, float(np.hypot(*matrix[0, :2])))
    size = max(1, round((x1 - x0) * times)), max(1, round((y1 - y0) * times))
    if times < 1:
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    by = np.array([(x1 - x0) / part.shape[1], (y1 - y0) / part.shape[0]])
    # A pixel p of the smaller part has its middle at (p + 0.5) * by - 0.5 + (x0, y0) of the picture.
    moved = matrix[:, :2] @ (0.5 * by - 0.5 + np.array([x0, y0])) + matrix[:, 2]
    smaller = np.column_stack([matrix[:, :2] * by, moved])
    return np.asarray(
        cv2.warpAffine(part, smaller, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _places(camera: Camera, shift: Doubles, light: Light, matrix: Doubles) -> _Places:
    bare = bare_head_model()
    points = bare.warp.points
    values = np.empty((len(points), 3), np.float32)
    values[:, :2] = np.clip((points[:, :2] - LOW) / (HIGH - LOW), 1 / 255, 1)
    shade = srgb_factor(light.on(bare_head().normals @ camera.rotation.T)) / BRIGHTEST
    values[:, 2] = np.clip(shade, 1 / 255, 1)
    placed = bare.warp.project(camera, shift)
    placed[:, :2] = (placed[:, :2] @ matrix[:, :2].T + matrix[:, 2] - (FIRST + 0.5)) / 2
    placed[:, 2] *= 0.5 * SCALE / camera.scale
    drawn = rasterise(CELLS, CELLS, placed, bare.triangles, values)
    x, y = (drawn[..., at] * np.float32(HIGH[at] - LOW[at]) + np.float32(LOW[at]) for at in (0, 1))
    return _Places(x, y, drawn[..., 2] * np.float32(BRIGHTEST), drawn[..., 2] > 0)


def _seeds(x: Floats, y: Floats) -> Flags:
    """The cheeks beside the nose, the bridge of the nose and the middle of the brow."""
    wide = np.abs(x)
    cheeks = (wide > 0.3) & (wide < 0.75) & (y > -0.35) & (y < 0.2)
    bridge = (wide < 0.12) & (y > -0.6) & (y < -0.1)
    brow = (wide < 0.5) & (y > -1.25) & (y < -1.05)
    return np.asarray(cheeks | bridge | brow)


def _channels(lab: Floats, places: _Places, seeds: Flags) -> Floats:
    """See `FaceView`; `seeds` are cells that most likely show skin."""
    inside = places.inside
    # Beside the head, a cell is compared with skin in the light that is usual on it.
    shade = np.where(inside, places.shade, np.float32(np.median(places.shade[seeds]))).astype(np.float32)
    lights = lab[..., 0][seeds] / np.maximum(shade[seeds], 0.05)
    off = lab[..., 0] - np.minimum(np.float32(np.median(lights)) * shade, 100).astype(np.float32)
    spread = 1.48 * float(np.median(np.abs(off[seeds])))
    up, down = max(LIGHT_UP, spread), max(LIGHT_DOWN, 1.5 * spread)
    distance = np.where(off > 0, off / np.float32(up), off / np.float32(down)) ** 2
    near = seeds & (np.abs(off) < 2.5 * max(spread, 4.0))
    rests = [_chroma_off(lab[..., 0], lab[..., channel], near) for channel in (1, 2)]
    for rest in rests:
        deviation = max(CHROMA, 1.48 * float(np.median(np.abs(rest[near]))))
        distance += (rest / np.float32(deviation)) ** 2
    on = inside.astype(np.float32)
    planes = [on, places.x * on, places.y * on, places.shade * on, lab[..., 0] * 0.02 - 1]
    planes += [off * 0.04, *(rest * 0.07 for rest in rests), np.sqrt(distance) * 0.2]
    return np.clip(np.stack(planes), -3, 3).astype(np.float32)


def _chroma_off(lightness: Floats, channel: Floats, near: Flags) -> Floats:
    """Distance of a channel from skin's line over the lightness; the line is fitted to lightnesses that differ."""
    level, values = lightness[near], channel[near]
    centre, middle = float(level.mean()), float(np.median(values))
    spread = float(((level - centre) ** 2).sum()) + 25.0 * len(level)  # pulled toward a constant
    slope = float(((level - centre) * (values - middle)).sum()) / spread
    # Chroma decreases with the light.
    return np.asarray(channel - (middle + slope * np.clip(lightness - centre, -25, 25)), np.float32)
