"""Make the mean head: 68 points in three dimensions from nothing but 2-D landmarks of many photographs.

    python build.py LANDMARKS.npz        # holds L, float (N, 68, 2), pixels; writes mean68.json beside this file

Needs only NumPy. `mean68.json` was made from the landmarks of 2,013 photographs of Labeled Faces in the Wild.

Source: orthographic factorisation, Tomasi and Kanade 1992; metric upgrade and mirror symmetry Bregler et al. 2000.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# For each point the one that takes its place when the face is mirrored.
MIRROR = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
]  # fmt: skip


def normalise(landmarks: Array) -> Array:
    """The faces and their mirror images, centred and of unit size: (2 N, 68, 2)."""
    both = np.concatenate([landmarks, landmarks[:, MIRROR] * [-1, 1]])
    both = both - both.mean(1, keepdims=True)
    return np.asarray(both / np.sqrt((both**2).sum((1, 2), keepdims=True)))


def metric_upgrade(motion: Array) -> Array:
    """The symmetric (3, 3) Q with m1.Q.m1 = m2.Q.m2 and m1.Q.m2 = 0 for every photograph, by least squares."""

    def products(p: Array, q: Array) -> Array:
        pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        return np.stack([p[:, i] * q[:, j] + (p[:, j] * q[:, i] if i != j else 0) for i, j in pairs], 1)

    first, second = motion[0::2], motion[1::2]
    rows = np.concatenate([products(first, first) - products(second, second), products(first, second)])
    a, b, c, d, e, f = np.linalg.svd(rows, full_matrices=False)[2][-1]
    q = np.array([[a, b, c], [b, d, e], [c, e, f]])
    return q * np.sign(np.trace(q))


def refine(shape: Array, faces: Array, rounds: int = 60) -> Array:
    """Alternate between a scaled-orthographic camera for each face and the shape (3, 68) that suits them all."""
    for _ in range(rounds):
        top, bottom = np.zeros((3, 68)), np.zeros((3, 3))
        for face in faces:
            u, s, vt = np.linalg.svd(face.T @ np.linalg.pinv(shape), full_matrices=False)
            camera = s.mean() * u @ vt
            top += camera.T @ face.T
            bottom += camera.T @ camera
        shape = np.linalg.solve(bottom, top)
    return shape


def stand_upright(shape: Array) -> Array:
    """Head axes and unit: x through the eyes, y toward the chin, z toward the viewer, 1 = distance of the eyes."""
    left, right = shape[:, 36:42].mean(1), shape[:, 42:48].mean(1)
    x = (right - left) / np.linalg.norm(right - left)
    y = shape[:, 8] - (left + right) / 2
    y -= (y @ x) * x
    y /= np.linalg.norm(y)
    turned = np.stack([x, y, np.cross(x, y)]) @ shape
    turned[2] *= np.sign(turned[2, 30] - turned[2, [0, 16]].mean())
    return turned / np.linalg.norm(right - left)


def factorise(landmarks: Array) -> Array:
    """The mean head, (68, 3), from landmarks (N, 68, 2)."""
    faces = normalise(landmarks)
    u, s, vt = np.linalg.svd(faces.transpose(0, 2, 1).reshape(-1, 68), full_matrices=False)
    values, vectors = np.linalg.eigh(metric_upgrade(u[:, :3] * s[:3]))
    shape = np.linalg.inv(vectors @ np.diag(np.sqrt(np.maximum(values, 1e-6)))) @ vt[:3]
    shape = stand_upright(refine(shape - shape.mean(1, keepdims=True), faces)).T
    return np.asarray((shape + shape[MIRROR] * [-1, 1, 1]) / 2)


if __name__ == "__main__":
    mean = factorise(np.load(sys.argv[1], allow_pickle=False)["L"].astype(float))
    Path(__file__).with_name("mean68.json").write_text(
        json.dumps(np.round(mean, 4).tolist()).replace("], ", "],\n ") + "\n"
    )
