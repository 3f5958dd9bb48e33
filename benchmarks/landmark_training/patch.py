"""A drawn face as it is cut, the axes of a face, and shapes laid over it; all in grey."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.faces.landmarkers.own_network import View

SIDE = 100  # of a cut face in pixels
WHOLE = View(SIDE, 3.6)
# The index of each point's mirror image on the other side of the face.
MIRRORED = np.array([
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65, *range(84, 67, -1),
])  # fmt: skip
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
