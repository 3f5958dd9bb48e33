"""Finds the occluders in front of a mask, and the share of each pixel of a mask that they hide."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, Image, Mask
from maskgen.masks.lighting.light import Light
from maskgen.masks.occluders.face_view import Flags, cells_to_picture, face_view
from maskgen.masks.occluders.network import front_of
from maskgen.masks.pose.camera import Camera
from maskgen.masks.render import Window
from maskgen.masks.template import PARTS

# How likely each cell has to be, and the likeliest of those connected with it. Of drawn people that the network did not
# learn from, hair is then right in 0.95 of its cells, things in 0.89 and rims in 0.93 (`benchmarks/
# occluder_network_fit.py --samples 0`; docs/decisions/rendering.md). Hair that is less sure hides ear loops only.
HAIR, LIKELY_HAIR, THING, RIM = (0.9, 0.98), (0.5, 0.5), (0.7, 0.95), (0.8, 0.8)
SPECK = 20  # least cells of an occluder, of which 24 lie between the eyes
RADIUS, GROUND = 0.06, 9e-4  # of the guided filter: radius in eye distances; regularisation, a variance of grey 0..1
SLACK = (0.25, 0.75)  # outputs of the guided filter that become 0 and 1


@dataclass(frozen=True, slots=True)
class Occluders:
    """Occluders in a window of the picture: float32 (h, w) each, 0..1, the shares of each pixel that hair hides of
    cloth and of ear loops, and that all else hides."""

    window: Window
    hair: Floats
    likely_hair: Floats
    others: Floats


def find_occluders(image: Image, camera: Camera, shift: Doubles, light: Light) -> Occluders | None:
    """The occluders of a face; None without any.

    Args:
        image: uint8 RGB (height, width, 3).
        shift: see `apply_mask.AnalysedFace`.

    Raises:
        UserError: the network's weights are missing or damaged.
    """
    view = face_view(image, camera, shift, light)
    if view is None:
        return None
    hair, things, rims = front_of(view)
    found = [confident(hair, *HAIR), confident(hair, *LIKELY_HAIR), confident(things, *THING) | confident(rims, *RIM)]
    any_ = found[1] | found[2]
    if not any_.any():
        return None
    to_picture = cells_to_picture(view.matrix)
    window = _window(to_picture, any_, image)
    if window.empty:
        return None
    part = image[window.slices]
    return Occluders(window, *(_matte(part, one, to_picture, window, camera.scale) for one in found))


def confident(likely: Floats, least: float, surest: float) -> Flags:
    """The cells that are likelier than `least`, in connected parts of SPECK cells or more, one of which is likelier
    than `surest`.

    Source: hysteresis, Canny, A computational approach to edge detection, 1986.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((likely > least).astype(np.uint8), connectivity=8)
    most = np.zeros(count, np.float32)
    np.maximum.at(most, labels.ravel(), likely.ravel())
    kept = (stats[:, cv2.CC_STAT_AREA] >= SPECK) & (most > surest)
    kept[0] = False
    return np.asarray(kept[labels])


def _window(to_picture: Doubles, found: Flags, image: Image) -> Window:
    """The part of the picture that the cells found and their surroundings lie in."""
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    x, y = (np.array([some[0] - 3.0, some[-1] + 3.0]) for some in (columns, rows))
    corners = np.array([[one, other] for one in x for other in y]) @ to_picture[:, :2].T + to_picture[:, 2]
    x0, y0 = np.maximum(np.floor(corners.min(0)), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(corners.max(0)) + 1, image.shape[1::-1]).astype(int).tolist()
    return Window(x0, y0, x1, y1)


def _matte(part: Image, found: Flags, to_picture: Doubles, window: Window, scale: float) -> Floats:
    """The cells found as an alpha matte of a part of the picture, whose edges follow those of the picture.

    Source: guided filter, He and others 2010.
    """
    if not found.any():
        return np.zeros(part.shape[:2], np.float32)
    here = to_picture.copy()
    here[:, 2] -= window.x0, window.y0
    how = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_CONSTANT}
    coarse = cv2.warpAffine(found.astype(np.float32), here, part.shape[1::-1], **how)
    guide = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    side = 2 * max(1, round(RADIUS * scale)) + 1

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)

    of_guide, of_coarse = mean(guide), mean(coarse)
    slope = (mean(guide * coarse) - of_guide * of_coarse) / (mean(guide * guide) - of_guide**2 + np.float32(GROUND))
    answer = mean(slope) * guide + mean(of_coarse - slope * of_guide)
    near = cv2.dilate(coarse, np.ones((3, 3), np.uint8)) > 0  # limits the shift of an edge
    share = np.clip((answer - SLACK[0]) / (SLACK[1] - SLACK[0]), 0, 1) * near
    return np.asarray(share, np.float32)


def occluded_share(occluders: Occluders, parts: Mask, window: Window, straps: bool) -> Floats:
    """The share of each pixel of a mask, float32 (h, w), that occluders hide.

    Args:
        parts: uint8 (h, w), the mask's part labels, values of `template.PARTS`.
        straps: whether the mask has head straps, which go over the hair.
    """
    hair, likely_hair, others = (
        _moved(share, occluders.window, window) for share in (occluders.hair, occluders.likely_hair, occluders.others)
    )
    of_straps = 0 if straps else likely_hair
    return np.maximum(np.where(parts == PARTS["strap"], of_straps, hair), others).astype(np.float32)


def _moved(share: Floats, have: Window, want: Window) -> Floats:
    """Values of one window in another window, 0 outside."""
    out = np.zeros((want.y1 - want.y0, want.x1 - want.x0), np.float32)
    x0, x1 = max(have.x0, want.x0), min(have.x1, want.x1)
    y0, y1 = max(have.y0, want.y0), min(have.y1, want.y1)
    if x0 < x1 and y0 < y1:
        both = Window(x0, y0, x1, y1)
        out[both.within(want)] = share[both.within(have)]
    return out
