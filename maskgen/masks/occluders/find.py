"""Finds the occluders in front of a mask, hair and glasses, and the share of each pixel of a mask that they hide.

Hands are not found: they have the colour of the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, Image, Mask
from maskgen.masks.lighting.light import Light
from maskgen.masks.occluders.face_view import FaceView, Flags, face_view
from maskgen.masks.occluders.glasses import rims_in_front
from maskgen.masks.occluders.hair import hair_in_front
from maskgen.masks.pose.camera import Camera
from maskgen.masks.render import Window
from maskgen.masks.template import PARTS

RADIUS, GROUND = 0.06, 9e-4  # of the guided filter: radius in eye distances; regularisation, a variance of grey 0..1
SLACK = (0.25, 0.75)  # outputs of the guided filter that become 0 and 1


@dataclass(frozen=True, slots=True)
class Occluders:
    """Occluders in a window of the picture: float32 (h, w) each, 0..1, the share hidden of cloth and of straps."""

    window: Window
    cloth: Floats
    straps: Floats


def find_occluders(image: Image, camera: Camera, shift: Doubles, light: Light, outline: Floats) -> Occluders | None:
    """The occluders of a face, by colour models of its photograph; None without any.

    Args:
        image: uint8 RGB (height, width, 3).
        shift, outline: see `apply_mask.AnalysedFace`.
    """
    view = face_view(image, camera, shift, light, outline)
    if view is None:
        return None
    hair, loops = hair_in_front(view)
    rims = rims_in_front(view)
    if not (hair.any() or loops.any() or rims.any()):
        return None
    part = image[view.window.slices]
    cloth = np.maximum(_matte(part, view, hair, camera.scale), _matte(part, view, rims, camera.scale))
    return Occluders(view.window, cloth, np.maximum(cloth, _matte(part, view, loops, camera.scale)))


def _matte(part: Image, view: FaceView, found: Flags, scale: float) -> Floats:
    """The area found in the view as an alpha matte whose edges follow those of the picture.

    Source: guided filter, He and others 2010.
    """
    size = part.shape[1::-1]
    if not found.any():
        return np.zeros(part.shape[:2], np.float32)
    coarse = cv2.resize(found.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
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
    cloth, loops = (_moved(share, occluders.window, window) for share in (occluders.cloth, occluders.straps))
    on_loops = parts == PARTS["strap"]
    return np.where(on_loops, 0 if straps else loops, cloth).astype(np.float32)


def _moved(share: Floats, have: Window, want: Window) -> Floats:
    """Values of one window in another window, 0 outside."""
    out = np.zeros((want.y1 - want.y0, want.x1 - want.x0), np.float32)
    x0, x1 = max(have.x0, want.x0), min(have.x1, want.x1)
    y0, y1 = max(have.y0, want.y0), min(have.y1, want.y1)
    if x0 < x1 and y0 < y1:
        both = Window(x0, y0, x1, y1)
        out[both.within(want)] = share[both.within(have)]
    return out
