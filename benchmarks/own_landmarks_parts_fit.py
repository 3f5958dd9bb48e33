"""Train the second network of our own landmarks, which moves the first network's answers by patches around them.

    python benchmarks/own_landmarks_parts_fit.py DRAWN maskgen/faces/landmarkers/own_refiner.npz --passes 40

DRAWN is what `benchmarks/own_landmarks.py` drew; the first network is the one that is installed. Parts whose number
ends in 9 are not trained on: the error on them, in eye distances of the mean head, at yaws up to 30, 60 and beyond, is
printed after each pass, first that of the first network. Every pass sees each picture anew, changed as
`own_landmarks_changes` says, with further errors in half of the first network's answers.

`--seconds` ends it after the pass in which so much time is over; the same command goes on from WEIGHTS.pt and ends in
the same weights as one that was not interrupted. The rate is even and falls in the last third of the passes. What is
stored is the moving average of the weights.

Source: Sun, Wang and Tang, Deep convolutional network cascade for facial point detection, 2013; the loss and the rate
as in `own_landmarks_fit`.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from own_landmarks_changes import Store
from own_landmarks_fit import PARTS as SHAPES
from own_landmarks_fit import Drawn, sample, shape_error, toward_mean
from torch import nn

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.seeding import rng_for
from maskgen.faces.landmarkers.own_network import POINTS, SIDE, cut_patch, predict, to_patch
from maskgen.faces.landmarkers.own_parts import CANVAS, PARTS, Frames, part_middles, part_patches

# Pictures of a batch; passes in which the rate rises; share of the passes in which it falls; of the average a step.
BATCH, WARM, FALL, KEPT = 32, 0.5, 0.3, 0.998
CALM = 0.5  # share of the pictures with nothing before the face
SHARP = 15.0  # weight of the distances and of the shape beside the likelihood
HARMED, HARM = 0.5, 0.6  # share of the first network's answers with further errors, and how large they get
# Channels out, kernel, step of the convolutions on a patch; one of step 1 is residual.
CONVS = ((16, 5, 2), (32, 3, 2), (32, 3, 1), (48, 3, 2))
WIDE, HIDDEN = 64, 192

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]  # canvases, points in their pixels, which of these are seen


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


def loss_of(net: Refiner, batch: Batch, rng: np.random.Generator) -> torch.Tensor:
    """Negative log likelihood of a Laplace distribution about each point, and the shape's error."""
    canvases, truth, seen = batch
    points = harmed(first_points(canvases), rng)
    weight = torch.from_numpy(0.4 + 0.6 * seen.astype(np.float32))
    frames = Frames.of(points)
    with torch.autocast("cpu", torch.bfloat16):
        moves, spread = net(*inputs(canvases, points, frames))
    off = moves - torch.from_numpy(frames.moves(truth - points))
    away = off.abs().sum(2)
    likely = away * torch.exp(-spread) + 2 * spread + SHARP * away
    return (likely * weight).mean() + SHARP * shape_error(off, weight)


def batches(drawn: Drawn, store: Store, one: int) -> Iterator[Batch]:
    """All pictures to train on once, in the order and with the changes of a pass."""
    rng = rng_for(1, "pass", one)
    order = rng.permutation(np.flatnonzero(~drawn.held))
    for first in range(0, len(order) - BATCH + 1, BATCH):
        some = [sample(drawn, at, store, rng, CALM) for at in order[first : first + BATCH]]
        canvases, points, seen = (np.stack(column) for column in zip(*some, strict=True))
        yield canvases, points[:, :POINTS] * CANVAS - np.float32(0.5), seen


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


class Training:
    """The network, the average of its weights and the optimiser, as they stand after some passes.

    Args:
        path: of the weights; the state is beside it, with the suffix ".pt".
        rate: the learning rate.
    """

    def __init__(self, path: Path, rate: float) -> None:
        torch.manual_seed(0)
        self.net, self.path, self.rate, self.passes = Refiner(), path, rate, 0
        self.mean = torch.optim.swa_utils.AveragedModel(
            self.net, multi_avg_fn=partial(toward_mean, KEPT), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=rate, weight_decay=0.02)
        if self._state.exists():
            held = torch.load(self._state)
            for name, part in self._parts.items():
                part.load_state_dict(held[name])
            self.passes = held["passes"]

    @property
    def _state(self) -> Path:
        return self.path.with_suffix(".pt")

    @property
    def _parts(self) -> dict[str, Any]:
        return {"net": self.net, "mean": self.mean, "optimiser": self.optimiser}

    def one_pass(self, drawn: Drawn, store: Store, passes: int) -> float:
        """Train on all pictures once and give the mean loss; `passes` is how many there are in all."""
        torch.manual_seed(self.passes)
        self.net.train()
        steps, rng, losses = int((~drawn.held).sum()) // BATCH, rng_for(1, "jitter", self.passes), []
        for number, batch in enumerate(batches(drawn, store, self.passes)):
            done = self.passes + number / steps
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate * min(1.0, done / WARM + 0.02, (passes - done) / (FALL * passes))
            loss = loss_of(self.net, batch, rng)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.mean.update_parameters(self.net)
            losses.append(float(loss.detach()))
        self.passes += 1
        return float(np.mean(losses))

    def save(self) -> None:
        """Write the state and the weights."""
        stands = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save({**stands, "passes": self.passes}, self._state)
        held = io.BytesIO()
        np.savez_compressed(held, **stored(self.mean.module))
        write_atomic(self.path, held.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--passes", type=int, default=40)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--until", type=int, default=10**6, help="end after so many of the passes")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    begun, drawn, store = time.monotonic(), Drawn(options.drawn), Store.of(rng_for(0, "textures"))
    training = Training(options.weights, options.rate)
    while training.passes < min(options.passes, options.until) and time.monotonic() - begun < options.seconds:
        loss = training.one_pass(drawn, store, options.passes)
        training.save()
        error = " ".join(f"{value:.4f}" for value in held_error(training.mean.module, drawn))
        print(f"{training.passes:4} loss {loss:.4f} held out {error}  {time.process_time():.0f} s", flush=True)


if __name__ == "__main__":
    main()
