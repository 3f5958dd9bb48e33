"""Patches that the networks of our own landmarks learn from: drawn faces cut, bent, turned and changed.

`changes` changes what a picture shows, in 5 ms on one core of a busy machine; `again` moves a changed
patch once more, in 0.2 ms, so that each serves several times.

Source: Choi et al., Faster neural network training with data echoing, 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.seeding import rng_for
from maskgen.faces.landmarkers.own_network import POINTS, View, to_patch
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

from .changes import changed
from .patch import MIRRORED, PLACES, SIDE, WHOLE, Patch
from .store import Store

ECHO = 3  # times that a changed patch is shown in a pass
TOGETHER = 1500  # changed patches among which these times are spread
SOME = 256  # patches by which stored weights are made ready
NOISE = 0.3  # share of the patches with further noise

Samples = tuple[np.ndarray, np.ndarray, np.ndarray]  # patches, points in shares of the side, which are seen


class Drawn:
    """The drawn pictures in memory."""

    def __init__(self, folder: Path) -> None:
        files = sorted((path for path in folder.glob("[0-9]*.npz")), key=lambda path: int(path.stem))
        parts = [np.load(path) for path in files]
        self.numbers = np.concatenate([np.full(len(p["seen"]), int(f.stem)) for f, p in zip(files, parts, strict=True)])
        self.images, self.shares, self.normals, self.seen, self.poses, self.five = (
            np.concatenate([part[name] for part in parts])
            for name in ("images", "shares", "normals", "seen", "poses", "points5")
        )
        points, outline = (np.concatenate([part[name] for part in parts]) for name in ("points68", "outline"))
        self.points = np.concatenate([points, outline], 1)
        self.held = self.numbers % 10 == 9
        self.true = five_points(points)
        self.units = np.array([frontal_eye_distance(one) for one in self.true])
        self.off = (self.five - self.true) / self.units[:, None, None]
        known = np.isfinite(self.five[:, 0, 0])
        order = np.argsort(self.poses[:, 0])
        self.known = order[known[order]]  # those with the detector's points, by yaw
        self.yaws = self.poses[self.known, 0]

    def five_of(self, at: int, rng: np.random.Generator) -> np.ndarray:
        """The detector's five points of a picture, or true ones with another face's errors of about the same yaw."""
        if np.isfinite(self.five[at, 0, 0]) and rng.random() < 0.7:
            return self.five[at]
        low, high = np.searchsorted(self.yaws, self.poses[at, 0] + np.array([-10, 10]))
        if low >= high or rng.random() < 0.4:
            return self.true[at]
        return self.true[at] + self.off[self.known[rng.integers(low, high)]] * self.units[at]


def shaken(matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The similarity with a further turn, size, stretch and shift about the patch's middle."""
    turn, size = rng.normal(0, 7.0), float(np.exp(rng.normal(0, 0.08)))
    more = cv2.getRotationMatrix2D((SIDE / 2 - 0.5, SIDE / 2 - 0.5), turn, size)
    more[:, :2] = more[:, :2] @ np.diag(np.exp(rng.normal(0, 0.06, 2)))
    middle = np.full(2, SIDE / 2 - 0.5)
    more[:, 2] = middle - more[:, :2] @ middle + rng.normal(0, 0.025 * SIDE, 2)
    whole = np.vstack([more, [0, 0, 1]]) @ np.vstack([matrix, [0, 0, 1]])
    return whole[:2]


def bend_of(rng: np.random.Generator) -> np.ndarray:
    """A smooth displacement of the patch, (SIDE, SIDE, 2) in pixels: other faces than were drawn."""
    amount = rng.choice([0.0, 1.0], p=[0.3, 0.7]) * rng.uniform(0.2, 1.0) * SIDE / 64
    out = cv2.resize(
        rng.normal(0, 1.1 * amount, (4, 4, 2)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
    )
    fine = rng.normal(0, 0.5 * amount, (8, 8, 2)).astype(np.float32)
    return out + cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def cut(
    drawn: Drawn, at: int, matrix: np.ndarray, bend: np.ndarray, rng: np.random.Generator
) -> tuple[Patch, np.ndarray]:
    """The layers of a picture under a similarity and a bend, and all its points in the patch's pixels."""
    back = cv2.invertAffineTransform(matrix).astype(np.float32)
    x, y = PLACES[1] + bend[..., 0], PLACES[0] + bend[..., 1]
    maps = back[0, 0] * x + back[0, 1] * y + back[0, 2], back[1, 0] * x + back[1, 1] * y + back[1, 2]
    mix = rng.dirichlet([2.0, 3.0, 2.0]) if rng.random() < 0.7 else np.array([0.3, 0.59, 0.11])
    grey = cv2.transform(drawn.images[at], mix[None].astype(np.float32))
    four = cv2.merge([grey, *cv2.split(drawn.shares[at])])
    four = cv2.remap(four, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey, skin, cloth, hair = (np.multiply(one, np.float32(1 / 255)) for one in cv2.split(four))
    normals = cv2.remap(drawn.normals[at].astype(np.float32), *maps, cv2.INTER_LINEAR) / np.float32(127)
    turn = matrix[:, :2] / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    points = drawn.points[at] @ matrix[:, :2].T + matrix[:, 2]
    # A pixel x shows what the similarity takes to x + bend(x): a point p is shown at the q with q + bend(q) = p.
    shown = points
    for _ in range(2):
        near = np.clip(np.rint(shown), 0, SIDE - 1).astype(int)
        shown = points - bend[near[:, 1], near[:, 0]]
    patch = Patch(grey, skin, cloth, hair, normals @ turn.T.astype(np.float32), shown[:POINTS], drawn.seen[at])
    return patch, shown


def sample(
    drawn: Drawn, at: int, store: Store, rng: np.random.Generator, calm: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One patch as training sees it, its points in shares of the side, and which are seen."""
    matrix = shaken(to_patch(drawn.five_of(at, rng), WHOLE), rng)
    patch, points = cut(drawn, at, matrix, bend_of(rng), rng)
    grey, seen = changed(patch, store, rng, calm > 0 and rng.random() < calm), drawn.seen[at]
    points = (points + 0.5) / SIDE
    if rng.random() < 0.5:
        grey, points, seen = grey[:, ::-1], points[MIRRORED] * [-1, 1] + [1, 0], seen[MIRRORED[:POINTS]]
    return grey, points.astype(np.float32), seen


def again(grey: np.ndarray, points: np.ndarray, seen: np.ndarray, rng: np.random.Generator, view: View) -> Samples:
    """A changed canvas as one more patch: turned, moved and mirrored, with other light and noise.

    Args:
        grey: uint8 (SIDE, SIDE).
        points: in shares of its side.
        seen: flags (68,).
        rng: for what is done.
        view: of the patch.

    Returns:
        the patch, uint8 (side, side), its points and flags.
    """
    side, x = view.side, SIDE / 2 - 0.5
    scale = side / (SIDE * view.around / WHOLE.around) * float(np.exp(rng.normal(0, 0.05)))
    y = x + SIDE * view.below / WHOLE.around
    matrix = cv2.getRotationMatrix2D((x, y), rng.normal(0, 4.0), scale)
    matrix[:, 2] += side / 2 - 0.5 - np.array([x, y]) + rng.normal(0, 0.015 * side, 2)
    patch = cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    points = ((points * SIDE - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5) / side
    levels = (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.15))
    levels = (levels - 0.5) * rng.uniform(0.7, 1.1) + 0.5 + rng.uniform(-0.1, 0.1)
    patch = cv2.LUT(patch, np.clip(levels * 255, 0, 255).astype(np.uint8))
    if rng.random() < NOISE:
        noise = rng.standard_normal(patch.shape, np.float32) * np.float32(rng.uniform(0, 6))
        patch = np.clip(patch + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        patch, points, seen = patch[:, ::-1], points[MIRRORED] * [-1, 1] + [1, 0], seen[MIRRORED[:POINTS]]
    return patch, points.astype(np.float32), seen


@dataclass(frozen=True, slots=True)
class Passes:
    """Batches of patches.

    Attributes:
        drawn: the pictures.
        store: what changes take from.
        calm: share of the patches with nothing before the face.
        view: of the patches.
    """

    drawn: Drawn
    store: Store
    calm: float
    view: View

    def one(self, number: int, size: int, worker: tuple[int, int]) -> tuple[int, Iterator[Samples]]:
        """How many batches a pass has for one of some processes, and these: a process changes its share of the pictures
        once and shows each ECHO times."""
        train = np.flatnonzero(~self.drawn.held)
        order = rng_for(0, "order", number).permutation(train)[: len(train) // worker[1] * worker[1]]
        groups = np.array_split(order[worker[0] :: worker[1]], max(1, round(len(order) / worker[1] / TOGETHER)))
        steps = sum(ECHO * len(group) // size for group in groups)
        return steps, self._batches(groups, size, rng_for(0, "pass", number, worker[0]))

    def _batches(self, groups: list[np.ndarray], size: int, rng: np.random.Generator) -> Iterator[Samples]:
        for group in groups:
            canvases = stacked([sample(self.drawn, at, self.store, rng, self.calm) for at in group])
            rows = np.concatenate([rng.permutation(len(group)) for _ in range(ECHO)])
            for first in range(0, len(rows) - size + 1, size):
                yield echoed(canvases, rows[first : first + size], rng, self.view)


def some_patches(drawn: Drawn, store: Store, calm: float, view: View) -> Samples:
    """A few patches before the first pass."""
    rng = rng_for(0, "some")
    order = rng.permutation(np.flatnonzero(~drawn.held))[:SOME]
    return echoed(stacked([sample(drawn, at, store, rng, calm) for at in order]), np.arange(len(order)), rng, view)


def echoed(canvases: Samples, rows: np.ndarray, rng: np.random.Generator, view: View) -> Samples:
    """Some of the changed canvases once more, see `again`."""
    return stacked([again(canvases[0][at], canvases[1][at], canvases[2][at], rng, view) for at in rows])


def stacked(rows: list[Samples]) -> Samples:
    """Patches, points and flags of some pictures."""
    patches, points, seen = (np.stack(column) for column in zip(*rows, strict=True))
    return patches, points, seen
