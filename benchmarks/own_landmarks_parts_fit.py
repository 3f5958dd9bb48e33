"""Train the second network of our own landmarks, which moves the first network's answers by patches around them.

    python benchmarks/own_landmarks_parts_fit.py DRAWN maskgen/faces/landmarkers/own_refiner.npz --passes 40

DRAWN is what `benchmarks/own_landmarks.py` drew; the first network is the one that is installed. Parts whose number
ends in 9 are not trained on: the error on them, in eye distances of the mean head, at yaws up to 30, 60 and beyond, is
printed after each pass, first that of the first network. Every pass changes each picture anew, see
`landmark_training.samples`, with further errors in half of the first network's answers. `--start` begins with stored
weights.

`--seconds` ends it after the pass in which so much time is over; the same command goes on from WEIGHTS.pt and ends in
the same weights as one that was not interrupted. The rate is even and falls in the last third of the passes. What is
stored is the moving average of the weights.

Source: Sun, Wang and Tang, Deep convolutional network cascade for facial point detection, 2013; the loss and the rate
as in `own_landmarks_fit`.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import torch
from landmark_training.samples import Drawn, Samples
from landmark_training.training import Task, options_of, train
from own_landmarks_fit import PARTS as SHAPES
from own_landmarks_fit import load_conv, shape_error
from torch import nn

from maskgen.core.atomic_writes import write_atomic
from maskgen.faces.landmarkers.own_network import POINTS, SIDE, cut_patch, predict, to_patch
from maskgen.faces.landmarkers.own_parts import CANVAS, PARTS, Frames, part_middles, part_patches

# Pictures of a batch; passes in which the rate rises; share of the passes in which it falls; of the average a step.
BATCH, WARM, FALL, KEPT = 48, 0.2, 0.4, 0.997
CALM = 0.5  # share of the pictures with nothing before the face
SHARP = 15.0  # weight of the distances and of the shape beside the likelihood
HARMED, HARM = 0.5, 0.6  # share of the first network's answers with further errors, and how large they get
# Channels out, kernel, step of the convolutions on a patch; one of step 1 is residual.
CONVS = ((16, 5, 2), (32, 3, 2), (32, 3, 1), (48, 3, 2))
WIDE, HIDDEN = 64, 192


class Trunk(nn.Module):
    """Convolutions on one kind of patch, and a dense layer."""

    def __init__(self, side: int) -> None:
        super().__init__()
        channels, self.convs = 1, nn.ModuleList()
        for out, kernel, step in CONVS:
            conv = nn.Conv2d(channels, out, kernel, step, kernel // 2, bias=False)
            self.convs.append(nn.Sequential(conv, nn.BatchNorm2d(out)))
            channels, side = out, -(-side // step)
        self.dense = nn.Linear(channels * side * side, WIDE)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Grey levels (n, 1, side, side) to (n, WIDE)."""
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean((1, 2, 3), keepdim=True) + 25.0)
        x = x.to(memory_format=torch.channels_last)
        for conv, (_, _, step) in zip(self.convs, CONVS, strict=True):
            x = torch.relu(x + conv(x) if step == 1 else conv(x))
        return torch.relu(self.dense(x.flatten(1)))


class Refiner(nn.Module):
    """Patches and the shape so far to moves of the points in face units and the logs of their spreads."""

    def __init__(self) -> None:
        super().__init__()
        self.trunks = nn.ModuleDict({name: Trunk(side) for name, side in {p.name: p.side for p in PARTS}.items()})
        wide = WIDE * len(PARTS) + 2 * POINTS
        self.hidden, self.last = nn.Linear(wide, HIDDEN), nn.Linear(HIDDEN, 3 * POINTS)
        self.direct = nn.Linear(wide, 2 * POINTS, bias=False)
        self.drop = nn.Dropout(0.03)
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.direct.weight.mul_(0.1)
            self.last.bias.copy_(torch.cat([torch.zeros(2 * POINTS), torch.full((POINTS,), -3.0)]))

    def forward(self, patches: list[torch.Tensor], shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Grey levels of each of PARTS (n, 1, side, side) and shapes (n, 136) to (n, 68, 2) and (n, 68)."""
        seen = [self.trunks[part.name](patch) for part, patch in zip(PARTS, patches, strict=True)]
        whole = self.drop(torch.cat([*seen, shape.to(seen[0].dtype)], 1))
        out = self.last(torch.relu(self.hidden(whole))).float()
        moves = out[:, : 2 * POINTS] + self.direct(whole).float()
        return moves.view(-1, POINTS, 2), out[:, 2 * POINTS :].clamp(-6, 1)


def started(drawn: Drawn, some: Samples, start: Path | None) -> Refiner:
    """A network that moves the points little, or one with stored weights.

    Args:
        drawn: the drawn faces; the start does not depend on them.
        some: patches, by which the norms of stored convolutions are set.
        start: the stored weights.
    """
    torch.manual_seed(0)
    net = Refiner()
    if start is not None:
        with torch.no_grad():
            load(net, np.load(start), some)
    return net


def load(net: Refiner, weights: np.lib.npyio.NpzFile, some: Samples) -> None:
    """Give the network stored weights, but for those of the spreads, which are not stored."""
    hooks = []
    for name, trunk in net.trunks.items():
        hooks += [load_conv(conv, weights, f"{name}{number}") for number, conv in enumerate(trunk.convs)]
        copy_dense(trunk.dense, weights, name)
    for name in ("hidden", "last", "direct"):
        copy_dense(getattr(net, name), weights, name)
    points = first_points(some[0])
    net.train()(*inputs(some[0], points, Frames.of(points)))
    for hook in hooks:
        hook.remove()


def copy_dense(layer: nn.Linear, weights: np.lib.npyio.NpzFile, name: str) -> None:
    """Set the first rows of a dense layer, as many as are stored."""
    rows = weights[f"{name}.w"].astype(np.float32)
    layer.weight[: len(rows)] = torch.from_numpy(rows)
    if layer.bias is not None:
        layer.bias[: len(rows)] = torch.from_numpy(weights[f"{name}.b"].astype(np.float32))


def stored(net: Refiner) -> dict[str, np.ndarray]:
    """The weights with the norms folded in, float16, without those of the spreads, which only training uses."""
    out = {}
    for name, trunk in net.trunks.items():
        for number, (conv, norm) in enumerate(trunk.convs):
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            out[f"{name}{number}.w"] = conv.weight * scale[:, None, None, None]
            out[f"{name}{number}.b"] = norm.bias - norm.running_mean * scale
        out[f"{name}.w"], out[f"{name}.b"] = trunk.dense.weight, trunk.dense.bias
    out["hidden.w"], out["hidden.b"] = net.hidden.weight, net.hidden.bias
    out["last.w"], out["last.b"] = net.last.weight[: 2 * POINTS], net.last.bias[: 2 * POINTS]
    out["direct.w"] = net.direct.weight
    return {name: value.detach().contiguous().numpy().astype(np.float16) for name, value in out.items()}


def save(net: Refiner, path: Path) -> None:
    held = io.BytesIO()
    np.savez_compressed(held, **stored(net))
    write_atomic(path, held.getvalue())


def inputs(canvases: np.ndarray, points: np.ndarray, frames: Frames) -> tuple[list[torch.Tensor], torch.Tensor]:
    """What the network sees around points (n, 68, 2)."""
    each = zip(canvases, part_middles(points), frames.units, frames.right, strict=True)
    columns = zip(*(part_patches(*one) for one in each), strict=True)
    patches = [torch.from_numpy(np.stack(column))[:, None].float() for column in columns]
    return patches, torch.from_numpy(frames.shape(points))


def first_points(canvases: np.ndarray) -> np.ndarray:
    """What the first network says, in pixels of the canvas."""
    small = np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in canvases])
    return predict(small).points[:, :POINTS] * CANVAS - np.float32(0.5)


def harmed(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points with further errors, of the whole and of the parts: those on photographs are larger."""
    n, unit = len(points), Frames.of(points).units[:, None, None]
    some = (rng.random((n, 1, 1)) < HARMED) * rng.uniform(0, HARM, (n, 1, 1))
    middle = points.mean(1, keepdims=True)
    angle, size = np.radians(rng.normal(0, 4, n)), np.exp(rng.normal(0, 0.07, (n, 1, 2)))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1).reshape(n, 2, 2)
    new = np.einsum("nij,npj->npi", turn, (points - middle) * size) + middle + rng.normal(0, 0.06, (n, 1, 2)) * unit
    for part in (*SHAPES, range(17)):
        new[:, list(part)] += rng.normal(0, 0.05, (n, 1, 2)) * unit
    return (points + some * (new - points)).astype(np.float32)


def loss_of(net: Refiner, batch: Samples, rng: np.random.Generator) -> torch.Tensor:
    """Negative log likelihood of a Laplace distribution about each point, and the shape's error."""
    canvases, truth, seen = batch[0], batch[1][:, :POINTS] * CANVAS - np.float32(0.5), batch[2]
    points = harmed(first_points(canvases), rng)
    weight = torch.from_numpy(0.4 + 0.6 * seen.astype(np.float32))
    frames = Frames.of(points)
    moves, spread = net(*inputs(canvases, points, frames))
    off = moves - torch.from_numpy(frames.moves(truth - points))
    away = off.abs().sum(2)
    likely = away * torch.exp(-spread) + 2 * spread + SHARP * away
    return (likely * weight).mean() + SHARP * shape_error(off, weight)


@torch.no_grad()
def refined(net: Refiner, canvases: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The points where the network says they are."""
    net.eval()
    frames = Frames.of(points)
    return points + frames.vectors(net(*inputs(canvases, points, frames))[0].numpy())


def held_error(net: Refiner, drawn: Drawn) -> np.ndarray:
    """Mean error in eye distances of the mean head by yaw up to 30, 60 and beyond, of the first network and this one,
    at what the detector finds."""
    rows = [at for at in np.flatnonzero(drawn.held) if np.isfinite(drawn.five[at, 0, 0])]
    matrices = [to_patch(drawn.five[at], CANVAS) for at in rows]
    canvases = np.stack([cut_patch(drawn.images[at], m, CANVAS) for at, m in zip(rows, matrices, strict=True)])
    truth = np.stack([drawn.points[at, :POINTS] @ m[:, :2].T + m[:, 2] for at, m in zip(rows, matrices, strict=True)])
    scale = drawn.poses[rows, 3] * [np.hypot(*m[0, :2]) for m in matrices]
    yaw, first = np.abs(drawn.poses[rows, 0]), first_points(canvases)
    out = []
    for points in (first, refined(net, canvases, first)):
        off = np.linalg.norm(points - truth, axis=2).mean(1) / scale
        out += [off[(yaw >= a) & (yaw < b)].mean() for a, b in ((0, 30), (30, 60), (60, 95))]
    return np.array(out)


TASK = Task(started, loss_of, held_error, save, BATCH, CALM, CANVAS, WARM, FALL, KEPT)


if __name__ == "__main__":
    train(TASK, options_of(__doc__ or "", 20, 5e-4))
