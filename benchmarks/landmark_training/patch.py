"""A drawn face as it is cut, the axes of a face, and shapes laid over it; all in grey."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.faces.landmarkers.own_network import View

SIDE = 100  # of a cut face in pixels
WHOLE = View(SIDE, 3.6)
PLACES = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)  # y and x of the patch's pixels


@dataclass(frozen=True, slots=True)
class Patch:
    """A face as it is cut: grey 0..1 (SIDE, SIDE), shares 0..1 of skin, clothes and hair, x and y of the normals,
    the 68 points in its pixels and which of them are seen."""

    grey: np.ndarray
    skin: np.ndarray
    cloth: np.ndarray
    hair: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    seen: np.ndarray


def axes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between the eyes, and the vectors of one eye distance to the face's right and up."""
    eyes, mouth = (points[36:42].mean(0) + points[42:48].mean(0)) / 2, points[48:60].mean(0)
    up = (eyes - mouth) * 0.93
    return eyes, np.array([-up[1], up[0]]), up


def laid(x: np.ndarray, cover: np.ndarray, paint: np.ndarray, soft: float) -> np.ndarray:
    if soft > 0.2:
        cover = cv2.GaussianBlur(cover, (0, 0), soft)
    return x + cover * (paint - x)


def polygon(corners: np.ndarray) -> np.ndarray:
    cover = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillPoly(cover, [np.round(corners * 8).astype(np.int32)], 1.0, cv2.LINE_AA, 3)
    return cover


def face_of(patch: Patch) -> np.ndarray:
    """The face from the brows to the jaw, 0..1."""
    return polygon(np.concatenate([patch.points[:17], patch.points[26:16:-1]]))
