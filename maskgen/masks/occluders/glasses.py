"""Rims of glasses in front of a mask: dark lines below both eyes, if there is also a bridge between the eyes."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Floats
from maskgen.masks.occluders.face_view import FaceView, Flags

THICK = 0.13  # largest thickness of a rim, in eye distances
DARK, DARKISH = 12.0, 8.0  # units of lightness by which a rim is darker than both its sides
BRIDGE = ((0.0, 0.13), (-0.9, -0.4))  # head |x| and y between the eyes
BELOW = (-0.52, -0.08)  # head y of lower rims
NOSE = 0.24  # half the nose's width in head x; its wings also cause dark lines
EYE, HALF = 0.5, 0.2  # head x of an eye's centre, and half the width searched for its lower rim
BRIDGED, SPANNED = 0.65, 0.3  # least share of columns that show a bridge, and a rim (mean of both eyes)
WIDE = 0.4  # least width of a rim, in eye distances


def rims_in_front(view: FaceView) -> Flags:
    """The lower rims of glasses, (h, w)."""
    side = 2 * max(1, round(0.5 * THICK * view.scale)) + 1
    lightness = np.ascontiguousarray(view.lab[..., 0])
    closed = cv2.morphologyEx(lightness, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    line = np.asarray(closed - lightness, np.float32)
    none = np.zeros(view.inside.shape, np.bool_)
    if _spanned(view, line, -BRIDGE[0][1], BRIDGE[0][1], BRIDGE[1]) < BRIDGED:
        return none
    sides = [(at - HALF, at + HALF) for at in (-EYE, EYE)]
    if sum(_spanned(view, line, *ends, BELOW) for ends in sides) / 2 < SPANNED:
        return none
    return _long(view, line)


def _spanned(view: FaceView, line: Floats, left: float, right: float, y: tuple[float, float]) -> float:
    """The share of the columns of a part of the face that have a dark line."""
    part = view.inside & (view.x >= left) & (view.x <= right) & (view.y >= y[0]) & (view.y <= y[1])
    columns = part.any(0)
    return float(((line > DARK) & part).any(0).sum() / columns.sum()) if columns.sum() > 2 else 0.0


def _long(view: FaceView, line: Floats) -> Flags:
    """The dark lines below the eyes that are as wide as a lens."""
    part = view.within((NOSE, 1.05), BELOW)
    dark = ((line > DARKISH) & part).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    wide = stats[:, cv2.CC_STAT_WIDTH] > WIDE * view.scale
    wide[0] = False
    return np.asarray(wide[labels])
