"""Train the second network of our own landmarks, which moves the first network's answers by dlib's maps around them.

    python benchmarks/own_landmarks_refiner_fit.py DRAWN maskgen/faces/landmarkers/own_refiner.npz --passes 6

DRAWN is what `benchmarks/own_landmarks.py` drew; the first network is the one that is installed. Parts whose number
ends in 9 are not trained on: the error on them, in eye distances of the mean head, at yaws up to 30, 60 and beyond, is
printed after each pass, first that of the first network. Every pass changes each picture anew, see
`landmark_training.samples`, with further errors in half of the first network's answers. `--start` begins with stored
weights.

`--seconds` ends it after the pass in which so much time is over; the same command goes on from WEIGHTS.pt and ends in
the same weights as one that was not interrupted. The rate is even and falls in the last two fifths of the passes. What
is stored is the moving average of the weights.

Source: see `own_refiner`; the loss and the rate as in `own_landmarks_fit`.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from landmark_training.samples import Drawn, Samples
from landmark_training.training import Task, options_of, train
from own_landmarks_fit import PARTS as SHAPES
from own_landmarks_fit import held_patches, shape_error
from torch import nn

from maskgen.core.atomic_writes import write_atomic
from maskgen.faces.landmarkers.own_network import FACE, POINTS, SIDE, Sight, predict
from maskgen.faces.landmarkers.own_refiner import JAW, MAPS, PLACES, UNIT, in_map, seen_places, shapes

# Patches of a batch; passes in which the rate rises; share of the passes in which it falls; of the average a step.
BATCH, WARM, FALL, KEPT = 48, 0.2, 0.4, 0.997
CALM = 0.5  # share of the pictures with nothing before the face
SHARP = 15.0  # weight of the distances and of the shape beside the likelihood
HARMED, HARM = 0.5, 0.6  # share of the first network's answers with further errors, and how large they get
MIXED, HIDDEN, SECOND = 32, 384, 192


class Refiner(nn.Module):
    """Maps at the places and the shape so far to moves of the points in face units and the logs of their spreads."""

    def __init__(self) -> None:
        super().__init__()
        channels = sum(each[0] for each in MAPS)
        self.norm, self.mix = nn.BatchNorm1d(channels), nn.Conv1d(channels, MIXED, 1)
        wide = MIXED * PLACES + 2 * POINTS
        self.hidden, self.second = nn.Linear(wide, HIDDEN), nn.Linear(HIDDEN, SECOND)
        self.last, self.direct = nn.Linear(SECOND, 3 * POINTS), nn.Linear(wide, 2 * POINTS, bias=False)
        self.drop = nn.Dropout(0.1)
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.direct.weight.mul_(0.1)
            self.last.bias.copy_(torch.cat([torch.zeros(2 * POINTS), torch.full((POINTS,), -3.0)]))

    def forward(self, seen: torch.Tensor, shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps at the places (n, channels, PLACES) and shapes (n, 136) to (n, 68, 2) and (n, 68)."""
        x = torch.relu(self.mix(self.norm(seen))).flatten(1)
        x = self.drop(torch.cat([x, shape], 1))
        out = self.last(torch.relu(self.second(torch.relu(self.hidden(x)))))
        moves = out[:, : 2 * POINTS] + self.direct(x)
        return moves.view(-1, POINTS, 2), out[:, 2 * POINTS :].clamp(-6, 1)


def started(drawn: Drawn, some: Samples, start: Path | None) -> Refiner:
    """A network that moves the points little, or one with stored weights.

    Args:
        drawn: the drawn faces; the start does not depend on them.
        some: patches; neither does it on these.
        start: the stored weights.
    """
    torch.manual_seed(0)
    net = Refiner()
    if start is not None:
        weights = np.load(start)
        with torch.no_grad():
            net.norm.weight.mul_(np.sqrt(1 + net.norm.eps))  # so that it changes nothing
            for name in ("mix", "hidden", "second", "last", "direct"):
                copy_dense(getattr(net, name), weights, name)
    return net


def copy_dense(layer: nn.Linear | nn.Conv1d, weights: np.lib.npyio.NpzFile, name: str) -> None:
    """Set the first rows of a layer, as many as are stored."""
    rows = torch.from_numpy(weights[f"{name}.w"].astype(np.float32))
    layer.weight[: len(rows)] = rows.view(rows.shape + layer.weight.shape[2:])
    if layer.bias is not None:
        layer.bias[: len(rows)] = torch.from_numpy(weights[f"{name}.b"].astype(np.float32))


def stored(net: Refiner) -> dict[str, np.ndarray]:
    """The weights with the norm folded in, float16, without those of the spreads, which only training uses."""
    scale = net.norm.weight / torch.sqrt(net.norm.running_var + net.norm.eps)
    shift, mix = net.norm.bias - net.norm.running_mean * scale, net.mix.weight[:, :, 0]
    out = {"mix.w": mix * scale, "mix.b": net.mix.bias + mix @ shift, "direct.w": net.direct.weight}
    for name in ("hidden", "second"):
        out[f"{name}.w"], out[f"{name}.b"] = getattr(net, name).weight, getattr(net, name).bias
    out["last.w"], out["last.b"] = net.last.weight[: 2 * POINTS], net.last.bias[: 2 * POINTS]
    return {name: value.detach().contiguous().numpy().astype(np.float16) for name, value in out.items()}


def save(net: Refiner, path: Path) -> None:
    held = io.BytesIO()
    np.savez_compressed(held, **stored(net))
    write_atomic(path, held.getvalue())


def moved(net: Refiner, sight: Sight, points: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """How the network moves points (n, 68, 2), in shares of the patch's side, in face units, and the logs of their
    spreads."""
    places, seen = seen_places(points), []
    for number, maps in enumerate(sight):
        grid = torch.from_numpy(in_map(places, number))
        read = nn.functional.grid_sample(torch.from_numpy(maps), grid, padding_mode="border", align_corners=False)
        seen.append(read[..., 0])
    return net(torch.cat(seen, 1), torch.from_numpy(shapes(points)))


def harmed(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points with further errors, of the whole and of the parts: those on photographs are larger."""
    n = len(points)
    some = (rng.random((n, 1, 1)) < HARMED) * rng.uniform(0, HARM, (n, 1, 1))
    middle = points.mean(1, keepdims=True)
    angle, size = np.radians(rng.normal(0, 4, n)), np.exp(rng.normal(0, 0.07, (n, 1, 2)))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1).reshape(n, 2, 2)
    new = np.einsum("nij,npj->npi", turn, (points - middle) * size) + middle + rng.normal(0, 0.06, (n, 1, 2)) * UNIT
    for part in (*SHAPES, range(JAW)):
        new[:, list(part)] += rng.normal(0, 0.05, (n, 1, 2)) * UNIT
    return (points + some * (new - points)).astype(np.float32)


def loss_of(net: Refiner, batch: Samples, rng: np.random.Generator) -> torch.Tensor:
    """Negative log likelihood of a Laplace distribution about each point, and the shape's error."""
    said = predict(batch[0])
    points, weight = harmed(said.points[:, :POINTS], rng), torch.from_numpy(0.4 + 0.6 * batch[2].astype(np.float32))
    moves, spread = moved(net, said.sight, points)
    off = moves - torch.from_numpy((batch[1][:, :POINTS] - points) / np.float32(UNIT))
    away = off.abs().sum(2)
    likely = away * torch.exp(-spread) + 2 * spread + SHARP * away
    return (likely * weight).mean() + SHARP * shape_error(off, weight)


@torch.no_grad()
def held_error(net: Refiner, drawn: Drawn) -> np.ndarray:
    """Mean error in eye distances of the mean head by yaw up to 30, 60 and beyond, of the first network and this one,
    at what the detector finds."""
    net.eval()
    rows, patches, matrices = held_patches(drawn)
    said = predict(patches)
    truth = np.stack([drawn.points[at, :POINTS] @ m[:, :2].T + m[:, 2] for at, m in zip(rows, matrices, strict=True)])
    scale = drawn.poses[rows, 3] * [np.hypot(*m[0, :2]) for m in matrices]
    yaw, first = np.abs(drawn.poses[rows, 0]), said.points[:, :POINTS]
    out = []
    for points in (first, first + UNIT * moved(net, said.sight, first)[0].numpy()):
        off = np.linalg.norm(points * SIDE - 0.5 - truth, axis=2).mean(1) / scale
        out += [off[(yaw >= a) & (yaw < b)].mean() for a, b in ((0, 30), (30, 60), (60, 95))]
    return np.array(out)


TASK = Task(started, loss_of, held_error, save, BATCH, CALM, FACE, WARM, FALL, KEPT)


if __name__ == "__main__":
    train(TASK, options_of(__doc__ or "", 6, 1e-3))
