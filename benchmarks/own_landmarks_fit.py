"""Train the first landmark network of our own on crops that `benchmarks/own_landmarks.py` drew.

    python benchmarks/own_landmarks_fit.py DRAWN maskgen/faces/landmarkers/own.npz --passes 18 [--start OLD.npz]

Parts whose number ends in 9 are not trained on: the error on them, in eye distances of the mean head at yaws up to 30,
60 and beyond, is printed after each pass, by the bins and by the dense layers. Every pass changes each picture anew,
see `landmark_training.samples`, at the detector's five points or at true ones with errors of the same size.

`--start` begins with stored weights; weights from before the bins have none, and these are then learned from nothing.
`--seconds` ends it after the pass in which so much time is over; the same command goes on from WEIGHTS.pt and ends in
the same weights as one that was not interrupted. The rate is even and falls in the last fifth of the passes only, so
their number may be chosen later. What is stored is the moving average of the weights.
`--workers` shares each batch among processes.

Source: Hu et al., MiniCPM, 2024 (the rate); Polyak and Juditsky 1992 (the average).
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from landmark_training.samples import Drawn, Samples
from landmark_training.training import Task, options_of, train
from torch import nn
from torch.utils.hooks import RemovableHandle

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.dlib_models.photo_features import CONTRAST, USED, stored_stages
from maskgen.core.dlib_models.photo_features import SIDE as LARGE
from maskgen.faces.landmarkers.own_network import ALL, BINS, FACE, MIDDLES, POINTS, SIDE, cut_patch, to_patch

BATCH, RATE, CALM = 60, 2e-3, 0.4  # patches of a batch; the rate; share of the patches with nothing before the face
SHAPE = 25.0  # weight of the features' shape
WARM, FALL = 0.3, 0.2  # passes in which the rate rises, and the share of all in which it falls
SHARP, SPOT = 1.0, 1.2  # the weight of the bins' own loss, and the deviation of what they learn in bins
KEPT = 0.996  # of the average at each step
PARTS = (range(17, 22), range(22, 27), range(27, 36), range(36, 42), range(42, 48), range(48, 68))
GRID = 10  # places a side of the maps that the bins are made from
HIDDEN = 256
FEATURES = (32, 64, 128)  # channels of the frozen maps
# Name: channels in and out, kernel, step; see `own_network._own_layers`.
LAYERS = {
    "from1": (32, 32, 3, 2), "down1": (32, 96, 3, 2), "down2": (64, 96, 3, 2), "mix3": (96 + 128, 96, 1, 1),
    "stay1": (96, 96, 3, 1), "stay2": (96, 96, 3, 1),
    "down4": (96, 128, 3, 2), "stay3": (128, 128, 3, 1), "stay4": (128, 128, 3, 1),
    "up2": (128, 384, 1, 1), "join2": (96, 96, 3, 1),
}  # fmt: skip
DENSE = ("spots", "bins", "hidden", "last")


class Frozen(nn.Module):
    """The first stages of dlib's recognition network, see `photo_features`, which training does not change."""

    def __init__(self) -> None:
        super().__init__()
        stem, stages = stored_stages()
        self.stem = frozen_conv(*stem, step=2, around=0)
        self.stages = nn.ModuleList(nn.ModuleList(FrozenBlock(*block) for block in blocks) for blocks in stages)

    @torch.no_grad()
    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Evened patches (n, 1, SIDE, SIDE) to the maps after each stage."""
        x = nn.functional.interpolate(x, size=(LARGE, LARGE), mode="bilinear", align_corners=False) * CONTRAST
        x = nn.functional.max_pool2d(torch.relu(self.stem(x.to(memory_format=torch.channels_last))), 3, 2)
        maps = []
        for blocks in self.stages:
            for block in blocks:
                x = block(x)
            maps.append(x)
        return maps


class FrozenBlock(nn.Module):
    """Two of its convolutions. Where they halve the maps, these are cut to the size that the convolutions give, as in
    `photo_features`; the recogniser's own block (`trainer.networks.dlib_resnet`) fills up the smaller ones instead."""

    def __init__(self, first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> None:
        super().__init__()
        out, into = first[0].shape[:2]
        self.halves, self.more = out != into, out - into
        self.first = frozen_conv(*first, step=2 if self.halves else 1, around=0 if self.halves else 1)
        self.second = frozen_conv(*second, step=1, around=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps to maps, half as large if the channels become more."""
        y = self.second(torch.relu(self.first(x)))
        if self.halves:
            x = nn.functional.avg_pool2d(x, 2)[:, :, : y.shape[2], : y.shape[3]]
            x = nn.functional.pad(x, (0, 0, 0, 0, 0, self.more))
        return torch.relu(x + y)


def frozen_conv(weight: np.ndarray, bias: np.ndarray, step: int, around: int) -> nn.Conv2d:
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], step, around)
    conv.weight.data, conv.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
    return conv.requires_grad_(False)


class Net(nn.Module):
    """Frozen maps, then down to 5 x 5 places with two dense layers, and up again to 10 x 10 with a map of each point,
    of which a dense layer makes the shares of BINS columns and as many rows.

    Source: Li et al., SimCC, a simple coordinate classification perspective for human pose estimation, 2022.
    """

    def __init__(self) -> None:
        super().__init__()
        self.frozen = Frozen()
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in FEATURES[:USED])
        self.layers = nn.ModuleDict({
            name: nn.Sequential(nn.Conv2d(a, b, k, s, k // 2, bias=False), nn.BatchNorm2d(b))
            for name, (a, b, k, s) in LAYERS.items()
        })  # fmt: skip
        self.spots = nn.Conv2d(LAYERS["join2"][1], ALL, 1)
        self.bins = nn.Linear(GRID * GRID, 2 * BINS)
        self.hidden = nn.Linear(LAYERS["stay4"][1] * (GRID // 2) ** 2, HIDDEN)
        self.last = nn.Linear(HIDDEN, 4 * ALL + POINTS)
        self.drop = nn.Dropout(0.1)
        self.register_buffer("middles", torch.from_numpy(MIDDLES), persistent=False)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Grey levels (n, 1, SIDE, SIDE) to points by bins (n, ALL, 2), what the dense layers say (n, ...): points, log
        spread of these, log spread of the points by bins, logits of being seen, and the logs of the bins' shares
        (n, ALL, 2, BINS)."""
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean((1, 2, 3), keepdim=True) + 25.0)
        maps = zip(self.norms, self.frozen(x), strict=True)
        fine, middle, coarse = (nn.functional.pad(norm(one), (1, 1, 1, 1)) for norm, one in maps)
        layer = self.layers
        x = torch.relu(layer["down2"](middle) + layer["down1"](torch.relu(layer["from1"](fine))))
        x = torch.relu(x + layer["mix3"](torch.cat([x, coarse], 1)))
        for name in ("stay1", "stay2"):
            x = torch.relu(x + layer[name](x))
        held, x = x, torch.relu(layer["down4"](x))
        for name in ("stay3", "stay4"):
            x = torch.relu(x + layer[name](x))
        dense = self.last(self.drop(torch.relu(self.hidden(x.flatten(1)))))
        x = torch.relu(nn.functional.pixel_shuffle(layer["up2"](x), 2) + held)
        x = torch.relu(x + layer["join2"](x))
        log = self.bins(self.spots(x).flatten(2)).view(-1, ALL, 2, BINS).log_softmax(3)
        return log.exp() @ self.middles, dense, log


def stored(net: Net) -> dict[str, np.ndarray]:
    """The trained weights with the norms folded in, float16."""
    out = {}
    for name, layer in net.layers.items():
        conv, norm = layer[0], layer[1]
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        out[f"{name}.w"] = conv.weight * scale[:, None, None, None]
        out[f"{name}.b"] = norm.bias - norm.running_mean * scale
    for at, norm in enumerate(net.norms):
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        out[f"norm{at}.w"], out[f"norm{at}.b"] = scale, norm.bias - norm.running_mean * scale
    for name in DENSE:
        out[f"{name}.w"], out[f"{name}.b"] = getattr(net, name).weight, getattr(net, name).bias
    return {name: value.detach().contiguous().numpy().astype(np.float16) for name, value in out.items()}


def save(net: Net, path: Path) -> None:
    held = io.BytesIO()
    np.savez_compressed(held, **stored(net))
    write_atomic(path, held.getvalue())


def loss_of(net: Net, batch: Samples, rng: np.random.Generator) -> torch.Tensor:
    """Negative log likelihood of a Laplace distribution about each point, and of being seen; the bins' cross entropy
    and the error of the features' shape.

    Source: Kendall and Gal, What uncertainties do we need in Bayesian deep learning for computer vision?, 2017; points
    as the mean of what is likely, Sun et al., Integral human pose regression, 2018.
    """
    patches, points, seen = (torch.from_numpy(one) for one in batch)
    by_bins, dense, log = net(patches[:, None].float())
    where, spread, wide_bins, shown = dense.split([2 * ALL, ALL, ALL, POINTS], 1)
    weight = 0.4 + 0.6 * torch.cat([seen.float(), torch.ones(len(seen), ALL - POINTS)], 1)
    total = 0.1 * nn.functional.binary_cross_entropy_with_logits(shown, seen.float())
    total = total + SHARP * (away_from(log, points, net.middles) * weight).mean()
    for said, wide, share in ((by_bins, wide_bins, 1.0), (where.view(-1, ALL, 2), spread, 0.5)):
        off, wide = (said - points).abs().sum(2), wide.clamp(-6, 1)
        likely = off * torch.exp(-wide) + 2 * wide + 25 * off
        total = total + share * ((likely * weight).mean() + SHAPE * shape_error(said - points, weight))
    return total


def away_from(log: torch.Tensor, points: torch.Tensor, middles: torch.Tensor) -> torch.Tensor:
    """Cross entropy of the bins and spots of SPOT bins about the points, (n, ALL).

    Without it the shares stay wide and their means say little of what is small, such as how far a mouth is open.
    """
    bin_ = float(middles[1] - middles[0])
    off = (middles - points[..., None].clamp(float(middles[0]), float(middles[-1]))) / (SPOT * bin_)
    return -((-0.5 * off * off).softmax(3) * log).sum((2, 3))


def shape_error(off: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """How far the points of a part of the face are off beside the shift of the whole part, mean over all points."""
    total = off.new_zeros(())
    for part in PARTS:
        some = off[:, list(part)]
        total = total + ((some - some.mean(1, keepdim=True)).abs().sum(2) * weight[:, list(part)]).sum()
    return total / weight.numel()


def held_patches(drawn: Drawn) -> tuple[list[int], np.ndarray, list[np.ndarray]]:
    """The faces that are not trained on, their patches at what the detector finds, and the patches' similarities."""
    rows = [at for at in np.flatnonzero(drawn.held) if np.isfinite(drawn.five[at, 0, 0])]
    matrices = [to_patch(drawn.five[at]) for at in rows]
    return rows, np.stack([cut_patch(drawn.images[at], m) for at, m in zip(rows, matrices, strict=True)]), matrices


def held_error(net: Net, drawn: Drawn) -> np.ndarray:
    """Mean error in eye distances of the mean head by yaw up to 30, 60 and beyond, of the points by bins and the dense
    layers', at what the detector finds."""
    net.eval()
    rows, patches, matrices = held_patches(drawn)
    with torch.no_grad():
        said = [
            net(torch.from_numpy(patches[at : at + BATCH])[:, None].float())[:2] for at in range(0, len(rows), BATCH)
        ]
    by_bins, dense = (torch.cat(some) for some in zip(*said, strict=True))
    truth = np.stack([drawn.points[at, :POINTS] @ m[:, :2].T + m[:, 2] for at, m in zip(rows, matrices, strict=True)])
    scale = drawn.poses[rows, 3] * [np.hypot(*m[0, :2]) for m in matrices]
    yaw, out = np.abs(drawn.poses[rows, 0]), []
    for said in (by_bins.numpy(), dense.numpy()[:, : 2 * ALL].reshape(-1, ALL, 2)):
        off = np.linalg.norm(said[:, :POINTS] * SIDE - 0.5 - truth, axis=2).mean(1) / scale
        out += [off[(yaw >= a) & (yaw < b)].mean() for a, b in ((0, 30), (30, 60), (60, 95))]
    return np.array(out)


def started(drawn: Drawn, some: Samples, start: Path | None) -> Net:
    """A network whose dense layers say the mean of the drawn faces, or one with stored weights.

    Args:
        drawn: the drawn faces.
        some: patches, by which the norms of stored convolutions are set.
        start: the stored weights.
    """
    torch.manual_seed(0)
    net = Net()
    mean = np.stack([(p @ m[:, :2].T + m[:, 2] + 0.5) / SIDE for p, m in zip(
        drawn.points[:500], map(to_patch, drawn.true[:500]), strict=True)]).mean(0)  # fmt: skip
    first = np.concatenate([mean.ravel(), np.full(2 * ALL, -3.0), np.ones(POINTS)])
    with torch.no_grad():
        net.last.weight.mul_(0.1)
        net.last.bias.copy_(torch.from_numpy(first))
        if start is not None:
            load(net, np.load(start), torch.from_numpy(some[0])[:, None].float())
    return net.to(memory_format=torch.channels_last)


def load(net: Net, weights: np.lib.npyio.NpzFile, patches: torch.Tensor) -> None:
    """Give the network stored convolutions and dense layers; each norm is set so that it changes nothing on average."""
    hooks = [load_conv(layer, weights, name) for name, layer in net.layers.items()]
    for at, norm in enumerate(net.norms):
        hooks.append(
            load_norm(norm, *(torch.from_numpy(weights[f"norm{at}.{part}"].astype(np.float32)) for part in "wb"))
        )
    for name in (name for name in DENSE if f"{name}.w" in weights):
        getattr(net, name).weight.copy_(torch.from_numpy(weights[f"{name}.w"].astype(np.float32)))
        getattr(net, name).bias.copy_(torch.from_numpy(weights[f"{name}.b"].astype(np.float32)))
    net.train()(patches)
    for hook in hooks:
        hook.remove()


def load_norm(norm: nn.BatchNorm2d, scale: torch.Tensor, shift: torch.Tensor) -> RemovableHandle:
    """Make a norm scale and shift its maps as stored; it is set when it first sees something."""

    def set_norm(norm: nn.Module, seen: tuple[torch.Tensor]) -> None:
        var, mean = torch.var_mean(seen[0], (0, 2, 3), correction=0)
        norm.weight.copy_(scale * torch.sqrt(var + norm.eps))
        norm.bias.copy_(scale * mean + shift)

    return norm.register_forward_pre_hook(set_norm)


def load_conv(layer: nn.Sequential, weights: np.lib.npyio.NpzFile, name: str) -> RemovableHandle:
    """Give a convolution with its norm stored weights; the norm is set when it first sees something."""
    layer[0].weight.copy_(torch.from_numpy(weights[f"{name}.w"].astype(np.float32)))
    bias = torch.from_numpy(weights[f"{name}.b"].astype(np.float32))
    return load_norm(layer[1], torch.ones_like(bias), bias)


TASK = Task(started, loss_of, held_error, save, BATCH, CALM, FACE, WARM, FALL, KEPT)


if __name__ == "__main__":
    train(TASK, options_of(__doc__ or "", 20, RATE))
