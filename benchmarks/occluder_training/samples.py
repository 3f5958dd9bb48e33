"""Faces as the network of occluders sees them in training: drawn pictures changed anew, with landmarks that are off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from landmark_training.patch import MIRRORED
from landmark_training.store import Store

from maskgen.core.reasons import SetAsideError
from maskgen.masks.apply_mask import analyse_face
from maskgen.masks.occluders.face_view import CELLS, cells_to_picture, face_view

from .canvas import HAIR, RIM, SIDE, Canvas
from .faces import CHANGES, bent, photographed, recoloured
from .things import THINGS

CALM = 0.5  # share of the faces before which training puts nothing
MOST_CROPPED = 40  # pixels of a side
LONG, FEW = 0.03, 0.3  # share of hair below the eyes from which on it is long; share of such pictures
HELD = 10  # each tenth part is not trained on


class Sample(NamedTuple):
    """One face: the grey patch and the channels of `FaceView`, and uint8 (3, CELLS, CELLS), 255 for a whole cell, what
    is in front."""

    grey: np.ndarray
    channels: np.ndarray
    front: np.ndarray


@dataclass(frozen=True, slots=True)
class Drawn:
    """What `benchmarks/occluder_network.py` drew, see there; `held` pictures are not trained on."""

    images: np.ndarray
    shares: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    held: np.ndarray

    @classmethod
    def of(cls, folder: Path) -> Drawn:
        """All parts in a folder."""
        files = sorted(folder.glob("[0-9]*.npz"), key=lambda path: int(path.stem))
        parts = [np.load(path) for path in files]
        columns = [np.concatenate([part[name] for part in parts]) for name in (
            "images", "shares", "normals", "points68")]  # fmt: skip
        held = [np.full(len(part["points68"]), int(path.stem) % HELD == HELD - 1) for path, part in zip(
            files, parts, strict=True)]  # fmt: skip
        return cls(*columns, np.concatenate(held))

    def chances(self) -> np.ndarray:
        """How often each picture is trained on, (n,): never those held back, and few with long hair."""
        below = self.shares[:, SIDE // 2 :, SIDE // 5 : -SIDE // 5, 2].mean((1, 2)) / 255
        long = below > LONG
        each = np.where(long, FEW / max(int((long & ~self.held).sum()), 1), (1 - FEW) / (~long & ~self.held).sum())
        return np.where(self.held, 0.0, each) / np.where(self.held, 0.0, each).sum()

    def canvas(self, at: int, mirrored: bool) -> Canvas:
        """A picture, or its mirror image."""
        turn = slice(None, None, -1) if mirrored else slice(None)
        x = self.images[at][:, turn].astype(np.float32) / 255
        shares = np.moveaxis(self.shares[at][:, turn].astype(np.float32) / 255, 2, 0)
        normals = self.normals[at][:, turn].astype(np.float32) / 127
        points = self.points[at].astype(np.float64)
        if mirrored:
            normals = normals * np.float32([-1, 1])
            points = points[MIRRORED[:68]] * [-1, 1] + [SIDE - 1, 0]
        front = np.zeros((SIDE, SIDE, 3), np.float32)
        front[..., HAIR], front[..., RIM] = shares[2], shares[3]
        return Canvas(x, shares[0], shares[1], shares[2], normals, points, front)


def changed(face: Canvas, store: Store, rng: np.random.Generator) -> np.ndarray:
    """The face as another picture may show it, uint8 (SIDE, SIDE, 3)."""
    if rng.random() < 0.7:
        bent(face, rng)
    recoloured(face, store, rng)
    for change, share in CHANGES:
        if rng.random() < share:
            change(face, store, rng)
    if rng.random() >= CALM:
        some = [thing for thing, share in THINGS if rng.random() < share]
        for at in rng.permutation(len(some)):
            some[at](face, store, rng)
    image = photographed(face, rng)
    return cropped(image, face, rng) if rng.random() < 0.4 else image


def cropped(image: np.ndarray, face: Canvas, rng: np.random.Generator) -> np.ndarray:
    """The picture as if it ended earlier; beyond its edge, its last pixels are repeated."""
    low, high = rng.integers(0, MOST_CROPPED, 2), SIDE - rng.integers(0, MOST_CROPPED, 2)
    inner = image[low[0] : high[0], low[1] : high[1]]
    whole = np.zeros((SIDE, SIDE, 1), np.float32)
    whole[low[0] : high[0], low[1] : high[1]] = 1
    face.front = face.front * whole
    around = low[0], SIDE - high[0], low[1], SIDE - high[1]
    return cv2.copyMakeBorder(inner, *map(int, around), cv2.BORDER_REPLICATE)


def marked(points: np.ndarray, unit: float, rng: np.random.Generator) -> np.ndarray:
    """Landmarks as far off as those that are found: all together, in waves, the jaw's most."""
    much = float(rng.choice([0.5, 1.0, 2.0], p=[0.5, 0.35, 0.15])) * unit
    off = rng.normal(0, 0.02, 2) + rng.normal(0, 0.015, (68, 2))
    off[:17] += rng.normal(0, 0.04, 2) + rng.normal(0, 0.02, (17, 2))
    off[48:] += rng.normal(0, 0.025, 2)
    return points + much * off


def sample(drawn: Drawn, at: int, store: Store, rng: np.random.Generator) -> Sample | None:
    """One face, None where it cannot be analysed."""
    face = drawn.canvas(at, rng.random() < 0.5)
    image = changed(face, store, rng)
    try:
        analysed = analyse_face(image, marked(face.points, face.unit, rng).astype(np.float32))
    except SetAsideError:
        return None
    view = face_view(image, analysed.camera, analysed.shift, analysed.light)
    if view is None:
        return None
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    front = cv2.warpAffine(face.front, cells_to_picture(view.matrix), (CELLS, CELLS), flags=how)
    # Outside of the drawn picture its edge is repeated.
    front = np.rint(255 * np.clip(np.moveaxis(front, 2, 0), 0, 1)).astype(np.uint8)
    return Sample(view.grey, view.channels.astype(np.float16), front)
