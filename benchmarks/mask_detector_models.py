"""The two detectors of `mask_detector.py`: what they learn from crops of bare and masked faces, and what they say.

Crops are uint8 RGB (ROOM, ROOM, 3), from `mask_detector.crop`; a detector sees (SIDE, SIDE, 3) of them. A logit above 0
says that the face is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import nn

from maskgen.core.records import Image
from maskgen.masks.lighting.tone import LUMA

SIDE, ROOM = 64, 80  # of what a detector sees, and of the stored crop from which it is cut
# Of a crop's side: how much of it may lie beyond the photograph, on each side; share of these crops in which something
# lies beyond all four, as in a photograph that was cut at the face, and how much at least.
FRAMED, CUT_OUT, LEAST_CUT = 0.35, 0.5, 0.05
BATCH = 64
HOG_TIMES = 4  # altered versions of each crop that HOG learns from
HOG_DECAY = 1e-3
CELL, BINS = 8, 9
EDGES = {"": cv2.BORDER_REPLICATE, " mirrored": cv2.BORDER_REFLECT}  # added to a set's name; the first one counts


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is trained on how much."""

    seeds: int
    steps: int
    most: int


def network() -> nn.Module:
    layers: list[nn.Module] = []
    for before, after, side, stride in ((3, 16, 5, 2), (16, 32, 3, 1), (32, 64, 3, 1), (64, 128, 3, 1)):
        layers += [
            nn.Conv2d(before, after, side, stride, side // 2, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Identity() if stride == 2 else nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 1))


def framed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A crop of a photograph that ends close to the face: beyond up to FRAMED of each side its edge is repeated or
    mirrored. Without it a detector learns that no bare face has such an edge."""
    if rng.random() < CUT_OUT:
        beyond = rng.uniform(LEAST_CUT, FRAMED, 4)
    else:
        beyond = rng.uniform(0, FRAMED, 4) * (rng.random(4) < 0.5)
    top, bottom, left, right = (beyond * SIDE).astype(int)
    inner = image[top : SIDE - bottom, left : SIDE - right]
    return cv2.copyMakeBorder(inner, top, bottom, left, right, int(rng.choice(list(EDGES.values()))))


def altered(picture: Image, rng: np.random.Generator) -> np.ndarray:
    """A crop as another photograph might show it, (SIDE, SIDE, 3)."""
    matrix = cv2.getRotationMatrix2D((ROOM / 2, ROOM / 2), rng.uniform(-12, 12), rng.uniform(0.85, 1.2))
    matrix[:, 2] += rng.uniform(-5, 5, 2) - (ROOM - SIDE) / 2
    image = cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT).astype(np.float32)
    if rng.random() < 0.5:
        image = framed(image, rng)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.5:
        size = int(SIDE * rng.uniform(0.3, 0.9))
        image = cv2.resize(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if rng.random() < 0.15:
        image = np.repeat(image.mean(2, keepdims=True), 3, 2)
    level = image.mean()
    image = (image - level) * rng.uniform(0.7, 1.3) + level * rng.uniform(0.7, 1.3)
    image = image * rng.uniform(0.88, 1.12, 3) + rng.normal(0, rng.uniform(0, 6), image.shape)
    return np.clip(image, 0, 255)


def tensor(pictures: Sequence[np.ndarray]) -> torch.Tensor:
    values = np.stack(pictures).astype(np.float32).transpose(0, 3, 1, 2)
    return torch.from_numpy((values - 110) / 60)


def train_network(bare: np.ndarray, masked: np.ndarray, seed: int, steps: int) -> nn.Module:
    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), network()
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for _ in range(steps):
        at = rng.integers(len(bare), size=BATCH)
        says = rng.integers(2, size=BATCH)
        pictures = [altered((masked if one else bare)[number], rng) for number, one in zip(at, says, strict=True)]
        loss = nn.functional.binary_cross_entropy_with_logits(net(tensor(pictures))[:, 0], torch.tensor(says).float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def cut(pictures: np.ndarray) -> list[np.ndarray]:
    """What a detector sees of crops (n, ROOM, ROOM, 3): as they are, and mirrored."""
    edge = (ROOM - SIDE) // 2
    middle = pictures[:, edge:-edge, edge:-edge]
    return [middle, middle[:, :, ::-1]]


def network_scores(
    bare: np.ndarray, masked: np.ndarray, tests: Sequence[np.ndarray], effort: Effort
) -> list[np.ndarray]:
    """Logits (seeds, n) of each set of test crops, the mean over a crop and its mirror image."""
    nets = [train_network(bare, masked, seed, effort.steps) for seed in range(effort.seeds)]
    with torch.inference_mode():
        return [
            np.stack([np.mean([net(tensor(list(view)))[:, 0].numpy() for view in cut(crops)], 0) for net in nets])
            for crops in tests
        ]


def gradients(pictures: Sequence[np.ndarray]) -> torch.Tensor:
    """Histograms of oriented gradients of pictures (SIDE, SIDE, 3): CELL pixels a cell, BINS bins of 180 degrees, each
    gradient shared by two bins; blocks of two by two cells, scaled to length 1, cut at 0.2 and scaled again.

    Source: Dalal and Triggs 2005.
    """
    return torch.from_numpy(
        np.concatenate([_blocks(np.stack(pictures[at : at + 256])) for at in range(0, len(pictures), 256)])
    )


def _blocks(pictures: np.ndarray) -> np.ndarray:
    grey = np.sqrt(np.clip(pictures, 0, 255).astype(np.float32) @ LUMA)
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, :, 1:-1], down[:, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2], grey[:, 2:] - grey[:, :-2]
    place = np.arctan2(down, across) % np.pi / np.pi * BINS
    low, share = np.floor(place).astype(int) % BINS, place % 1
    size, cells = np.hypot(across, down), SIDE // CELL
    parts = [size * ((low == one) * (1 - share) + ((low + 1) % BINS == one) * share) for one in range(BINS)]
    binned = np.stack(parts, -1).reshape(-1, cells, CELL, cells, CELL, BINS).sum((2, 4))
    blocks = np.concatenate([binned[:, y : cells - 1 + y, x : cells - 1 + x] for y in (0, 1) for x in (0, 1)], -1)
    blocks = np.minimum(blocks / (np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-3), 0.2)
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-3
    return blocks.reshape(len(grey), -1).astype(np.float32)


def train_linear(bare: np.ndarray, masked: np.ndarray, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and bias of a logistic regression on gradients of altered crops."""
    rng = np.random.default_rng(seed)
    both = np.concatenate([bare, masked])
    seen = gradients([altered(picture, rng) for _ in range(HOG_TIMES) for picture in both])
    says = torch.cat([torch.zeros(len(bare)), torch.ones(len(masked))]).repeat(HOG_TIMES)
    weights, bias = torch.zeros(seen.shape[1], requires_grad=True), torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=120, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        wrong = nn.functional.binary_cross_entropy_with_logits(seen @ weights + bias, says)
        total = wrong + HOG_DECAY * weights.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    return weights.detach(), bias.detach()


def linear_scores(
    bare: np.ndarray, masked: np.ndarray, tests: Sequence[np.ndarray], effort: Effort
) -> list[np.ndarray]:
    models = [train_linear(bare, masked, seed) for seed in range(effort.seeds)]
    views = [[gradients(list(view)) for view in cut(crops)] for crops in tests]
    return [
        np.stack([np.mean([(view @ weights + bias).numpy() for view in both], 0) for weights, bias in models])
        for both in views
    ]
