"""What training changes in a drawn picture, anew in every pass: room, cloth, light, hair, hats, hands, lens, codec.

`benchmarks/own_landmarks_fit.py` uses it. All of it is in grey, in the patch that the network sees, by the layers that
`maskgen.people.varied.layered` gives.

Source: Tobin et al., Domain randomization for transferring deep neural networks from simulation to the real world,
2017.
"""

from __future__ import annotations

import cv2
import numpy as np

from .clothes import collar, neck, second_chin
from .features import marked
from .light import relit
from .patch import SIDE, Patch
from .store import Store, piece
from .things import beard, glasses, hand, hat, strands, thing


def changed(patch: Patch, store: Store, rng: np.random.Generator, calm: bool = False) -> np.ndarray:
    """The face as another picture may show it, uint8 (SIDE, SIDE); calm ones have nothing before the face."""
    x = _coloured(patch, store, rng)
    x = marked(x, patch, rng)
    x = relit(x, patch, store, rng)
    for share, lay in ((0.25, neck), (0.3, second_chin), (0.3, collar)):
        if rng.random() < share:
            x = lay(x, patch, store, rng)
    if calm:
        return photographed(x, store, rng, 0.3)
    for share, lay in ((0.15, beard), (0.22, hat), (0.2, strands), (0.12, glasses), (0.15, hand), (0.25, thing)):
        if rng.random() < share:
            x = lay(x, patch, store, rng)
    return photographed(x, store, rng)


def _coloured(patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Another room, other cloth, lighter or darker hair, a skin with more or less contrast and texture."""
    x = patch.grey
    if rng.random() < 0.5:  # contrast of what is on the skin, about its mean
        mean = (x * patch.skin).sum() / max(float(patch.skin.sum()), 1.0)
        x = x + patch.skin * (x - mean) * np.float32(rng.uniform(-0.4, 0.6))
    if rng.random() < 0.6:
        x = x * (1 + patch.skin * store.cloud(rng) * np.float32(rng.uniform(0, 0.12)))
    if rng.random() < 0.5:
        dark = np.float32(rng.uniform(0.1, 1.2)) * x + np.float32(rng.choice([0.0, rng.uniform(0, 0.5)]))
        x = x + patch.hair * (dark - x)
    if rng.random() < 0.4:
        x = x + patch.cloth * (piece(store, rng) * (0.4 + 0.6 * x) - x)
    if rng.random() < 0.8:
        room = np.clip(1 - patch.skin - patch.cloth - patch.hair, 0, 1)
        x = x + room * (piece(store, rng) - x)
    return x


def photographed(x: np.ndarray, store: Store, rng: np.random.Generator, often: float = 1.0) -> np.ndarray:
    """Other contrast, a lens out of focus, few pixels, noise, JPEG: each so `often`."""
    x = np.maximum(x, 0) ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.7:
        x = (x - x.mean()) * np.float32(rng.uniform(0.5, 1.5)) + np.float32(rng.uniform(0.25, 0.75))
    if rng.random() < 0.3 * often:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.3, 2.0)))
    if rng.random() < 0.2 * often:
        side = int(rng.integers(24, 70))
        x = cv2.resize(cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if rng.random() < 0.15 * often:  # sharpened, as many cameras do
        x = x + np.float32(rng.uniform(0.3, 1.5)) * (x - cv2.GaussianBlur(x, (0, 0), 1.2))
    noise = float(rng.choice([0.0, 0.05, 0.15])) * float(x.std()) * often
    if noise:
        x = x + rng.standard_normal(x.shape, np.float32) * np.float32(noise)
    out = np.clip(x * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.2 * often:
        out = cv2.imdecode(cv2.imencode(".jpg", out, [1, int(rng.integers(12, 80))])[1], 0)
    return out
