"""Glasses on a rendered face: rims, bridge, arms, and a faint reflection."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, floats
from maskgen.masks.pose.camera import Camera

from .render_target import GeometryBuffer

INK = (36.0, 31.0, 29.0)  # RGB of rims, bridge and arms
SHIFT = 4  # fractional bits of OpenCV's coordinates: sixteenths of a pixel


def draw_glasses(image: Floats, form: str, points68: Doubles, camera: Camera, drawing: GeometryBuffer) -> None:
    """Draw glasses into a picture (h, w, 3), in place; the head hides parts of rims, bridge and arms.

    Args:
        form: "round" or "square".
        points68: the head's landmarks, (68, 3), in head coordinates.
        drawing: the surfaces that can hide the glasses.
    """
    rims = [_rim(form, points68, eye) for eye in (range(36, 42), range(42, 48))]
    for rim in rims:
        _lens(image, camera.project(rim)[:, :2])
    bridge = points68[27] + np.array([[-0.12, 0.05, 0.08], [0.0, 0.0, 0.14], [0.12, 0.05, 0.08]])
    wide = max(1, round(camera.scale * (0.026 if form == "round" else 0.04)))
    for line, slack in (
        (rims[0], 0.15),
        (rims[1], 0.15),
        (bridge, 0.3),
        (_arm(points68, -1.0), 0.12),
        (_arm(points68, 1.0), 0.12),
    ):
        _stroke(image, camera.project(_dense(line)), drawing, wide, slack * camera.scale)


def _rim(form: str, points68: Doubles, eye: range) -> Doubles:
    around = np.linspace(0, 2 * np.pi, 49)
    power = 1.0 if form == "round" else 0.55
    x = 0.36 * np.sign(np.cos(around)) * np.abs(np.cos(around)) ** power
    y = 0.27 * np.sign(np.sin(around)) * np.abs(np.sin(around)) ** power
    middle = points68[list(eye)].mean(0)
    outward = np.sign(middle[0]) * x
    return np.asarray(middle + np.stack([x, y + 0.05, 0.27 - 0.28 * (outward + 0.1)], 1))


def _arm(points68: Doubles, side: float) -> Doubles:
    eye = points68[45 if side > 0 else 36]
    temple = points68[16 if side > 0 else 0]
    start = np.array([eye[0] + side * 0.2, eye[1] - 0.02, eye[2] + 0.12])
    return np.stack([start, [temple[0] * 1.03, temple[1] - 0.12, -0.75], [temple[0] * 1.02, temple[1] - 0.12, -1.2]])


def _dense(line: Doubles) -> Doubles:
    """The line resampled in short steps, so that parts of it can be hidden."""
    steps = np.linspace(0, len(line) - 1, max(60, 2 * len(line)))
    return np.stack([np.interp(steps, np.arange(len(line)), line[:, k]) for k in range(3)], 1)


def _stroke(image: Floats, line: Doubles, drawing: GeometryBuffer, wide: int, slack: float) -> None:
    """Draw the visible pieces of a line (n, 3) of x, y and depth in pixels: at most `slack` behind the surface."""
    seen = line[:, 2] > drawing.nearest_at(line) - slack
    ends = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8)))
    for first, last in ends.reshape(-1, 2):
        piece = np.round(line[first:last, :2] * 2**SHIFT).astype(np.int32)
        cv2.polylines(image, [piece], False, INK, wide, cv2.LINE_AA, SHIFT)


def _lens(image: Floats, outline: Doubles) -> None:
    """A faint reflection of the sky on a lens, strongest at the top."""
    low = np.maximum(np.floor(outline.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(outline.max(0)).astype(int) + 1, image.shape[1::-1])
    if (high <= low).any():
        return
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(mask, [np.round((outline - low) * 2**SHIFT).astype(np.int32)], 255, cv2.LINE_AA, SHIFT)
    fade = np.linspace(0.09, 0.0, mask.shape[0], dtype=np.float32)[:, None] * mask.astype(np.float32) / 255
    part = image[low[1] : high[1], low[0] : high[0]]
    part += (floats([214, 222, 230]) - part) * fade[..., None]
