"""Train the landmark network of our own on crops that `benchmarks/own_landmarks.py` drew.

    python benchmarks/own_landmarks_fit.py DRAWN maskgen/faces/landmarkers/own.npz --passes 60

Parts whose number ends in 9 are not trained on: the error on them, in eye distances of the mean head, is printed after
each pass. Every pass sees each picture anew: mirrored, bent, turned, lit, hidden in part, soft, noisy, packed as JPEG,
at the detector's five points or at true ones with errors of the same size.
"""

from __future__ import annotations

import argparse
import resource
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from maskgen.core.atomic_writes import write_atomic
from maskgen.faces.landmarkers.own_network import AROUND, MIRRORED, POINTS, SIDE, from_patch, to_patch
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

WIDTHS = (16, 32, 64, 128)
HIDDEN = 256
BATCH = 64


class Net(nn.Module):
    """Convolutions of stride 2, the inner ones each followed by one that adds to its input; two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        layers, before = [], 1
        for at, width in enumerate(WIDTHS):
            layers.append(self._layer(before, width, 2))
            if 0 < at < len(WIDTHS) - 1:
                layers.append(self._layer(width, width, 1))
            before = width
        self.layers = nn.ModuleList(layers)
        self.hidden = nn.Linear(WIDTHS[-1] * (SIDE >> len(WIDTHS)) ** 2, HIDDEN)
        self.last = nn.Linear(HIDDEN, 4 * POINTS)
        self.drop = nn.Dropout(0.1)

    @staticmethod
    def _layer(before: int, width: int, step: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(before, width, 3, step, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Grey levels (n, 1, SIDE, SIDE) to (n, 4 * POINTS): points, log spread, logit of being seen."""
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean((1, 2, 3), keepdim=True) + 25.0)
        for layer in self.layers:
            y = layer(x)
            x = torch.relu(x + y if y.shape == x.shape else y)
        return self.last(self.drop(torch.relu(self.hidden(x.flatten(1)))))


def stored(net: Net) -> dict[str, np.ndarray]:
    """The weights with the norms folded in, float16 but for the last biases."""
    out = {}
    for number, layer in enumerate(net.layers):
        conv, norm = layer[0], layer[1]
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        out[f"w{number}"] = conv.weight * scale[:, None, None, None]
        out[f"b{number}"] = norm.bias - norm.running_mean * scale
    for name in ("hidden", "last"):
        out[f"{name}.w"], out[f"{name}.b"] = getattr(net, name).weight, getattr(net, name).bias
    return {name: value.detach().numpy().astype(np.float16) for name, value in out.items()}


def save(net: Net, path: Path) -> None:
    import io

    held = io.BytesIO()
    np.savez_compressed(held, **stored(net))
    write_atomic(path, held.getvalue())


class Drawn:
    """The drawn pictures in memory, grey in three mixes of their colours."""

    def __init__(self, folder: Path) -> None:
        files = sorted((path for path in folder.glob("[0-9]*.npz")), key=lambda path: int(path.stem))
        parts = [np.load(path) for path in files]
        self.numbers = np.concatenate([np.full(len(p["seen"]), int(f.stem)) for f, p in zip(files, parts, strict=True)])
        self.images = np.concatenate([part["images"] for part in parts])
        self.points = np.concatenate([part["points68"] for part in parts])
        self.seen = np.concatenate([part["seen"] for part in parts])
        self.poses = np.concatenate([part["poses"] for part in parts])
        self.five = np.concatenate([part["points5"] for part in parts])
        self.held = self.numbers % 10 == 9
        true = five_points(self.points)
        units = np.array([frontal_eye_distance(one) for one in true])
        self.true = true
        self.off = (self.five - true) / units[:, None, None]

    def five_of(self, at: int, rng: np.random.Generator) -> np.ndarray:
        """The detector's five points of a picture, or true ones with another face's errors of about the same yaw."""
        if np.isfinite(self.five[at, 0, 0]) and rng.random() < 0.7:
            return self.five[at]
        near = np.flatnonzero((np.abs(self.poses[:, 0] - self.poses[at, 0]) < 15) & np.isfinite(self.five[:, 0, 0]))
        if not len(near) or rng.random() < 0.3:
            return self.true[at]
        return self.true[at] + self.off[rng.choice(near)] * frontal_eye_distance(self.true[at])


def bent(rng: np.random.Generator, matrix: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each patch pixel comes from under a similarity and a smooth bend: maps x, y, and the bend."""
    back = cv2.invertAffineTransform(matrix)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    amount = rng.choice([0.0, 1.0], p=[0.4, 0.6]) * rng.uniform(0.2, 1.0)
    field = rng.normal(0, 0.9 * amount, (4, 4, 2)).astype(np.float32)
    bend = cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    x, y = x + bend[..., 0], y + bend[..., 1]
    return (
        (back[0, 0] * x + back[0, 1] * y + back[0, 2]).astype(np.float32),
        (back[1, 0] * x + back[1, 1] * y + back[1, 2]).astype(np.float32),
        bend,
    )


def shaken(matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The similarity with a further turn, size, stretch and shift about the patch's middle."""
    turn, size = rng.normal(0, 7.0), float(np.exp(rng.normal(0, 0.08)))
    more = cv2.getRotationMatrix2D((SIDE / 2 - 0.5, SIDE / 2 - 0.5), turn, size)
    more[:, :2] = more[:, :2] @ np.diag(np.exp(rng.normal(0, 0.05, 2)))
    middle = np.full(2, SIDE / 2 - 0.5)
    more[:, 2] = middle - more[:, :2] @ middle + rng.normal(0, 0.02 * SIDE, 2)
    whole = np.vstack([more, [0, 0, 1]]) @ np.vstack([matrix, [0, 0, 1]])
    return whole[:2]


def lit(patch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other contrast, a shadow across, something before a part, blur, noise, JPEG."""
    x = patch.astype(np.float32) / 255
    x = x ** np.float32(np.exp(rng.normal(0, 0.35)))
    x = (x - x.mean()) * np.float32(rng.uniform(0.5, 1.5)) + np.float32(rng.uniform(0.2, 0.75))
    if rng.random() < 0.4:
        x = x * _slope(rng)
    if rng.random() < 0.35:
        x = _hidden(x, rng)
    if rng.random() < 0.35:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.3, 1.6)))
    if rng.random() < 0.2:
        side = int(rng.integers(20, 50))
        x = cv2.resize(cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    x = x + rng.normal(0, rng.choice([0.0, 0.01, 0.04]), x.shape).astype(np.float32)
    out = np.clip(x * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        out = cv2.imdecode(cv2.imencode(".jpg", out, [1, int(rng.integers(15, 80))])[1], 0)
    return out


def _slope(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle, hard = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 8)
    across = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(-0.6, 0.6)
    return (1 - rng.uniform(0.2, 0.8) / (1 + np.exp(-hard * across))).astype(np.float32)


def _hidden(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rotated box or disc of one grey or of noise over a part."""
    cover = np.zeros_like(x)
    middle, size = rng.uniform(0, SIDE, 2), rng.uniform(0.08, 0.4, 2) * SIDE
    box = (tuple(map(float, middle)), tuple(map(float, size)), float(rng.uniform(0, 180)))
    if rng.random() < 0.5:
        cv2.ellipse(cover, box, 1.0, -1)
    else:
        cv2.fillConvexPoly(cover, np.int32(cv2.boxPoints(box)), 1.0)
    field = rng.normal(0, rng.uniform(0, 0.3), (int(rng.integers(2, 16)),) * 2).astype(np.float32)
    paint = np.float32(rng.uniform(0, 1)) + cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return x + (paint - x) * cover


def sample(drawn: Drawn, at: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One patch as training sees it, its points in shares of the side, and which are seen."""
    matrix = shaken(to_patch(drawn.five_of(at, rng)), rng)
    mix = rng.dirichlet([2.0, 3.0, 2.0]) if rng.random() < 0.6 else np.array([0.3, 0.59, 0.11])
    grey = cv2.transform(drawn.images[at], mix[None].astype(np.float32))
    map_x, map_y, bend = bent(rng, matrix, grey.shape[0])
    patch = lit(cv2.remap(grey, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), rng)
    points = drawn.points[at] @ matrix[:, :2].T + matrix[:, 2]
    # A pixel x shows what the similarity takes to x + bend(x): a point p is shown near p - bend(p).
    near = np.clip(np.rint(points), 0, SIDE - 1).astype(int)
    points = (points - bend[near[:, 1], near[:, 0]] + 0.5) / SIDE
    seen = drawn.seen[at]
    if rng.random() < 0.5:
        patch, points, seen = patch[:, ::-1], points[MIRRORED] * [-1, 1] + [1, 0], seen[MIRRORED]
    return patch, points.astype(np.float32), seen


def batches(drawn: Drawn, rng: np.random.Generator):
    """All pictures to train on once, in a new order."""
    order = rng.permutation(np.flatnonzero(~drawn.held))
    for first in range(0, len(order) - BATCH + 1, BATCH):
        some = [sample(drawn, at, rng) for at in order[first : first + BATCH]]
        patches, points, seen = (np.stack(column) for column in zip(*some, strict=True))
        yield torch.from_numpy(patches.copy()), torch.from_numpy(points), torch.from_numpy(seen)


def loss_of(said: torch.Tensor, points: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Negative log likelihood of a Laplace distribution about each point, and of being seen.

    Source: Kendall and Gal, What uncertainties do we need in Bayesian deep learning for computer vision?, 2017.
    """
    where, spread, shown = said.split([2 * POINTS, POINTS, POINTS], 1)
    off = (where.view(-1, POINTS, 2) - points).abs().sum(2)
    weight = 0.4 + 0.6 * seen.float()
    spread = spread.clamp(-6, 1)
    likely = (off * torch.exp(-spread) + 2 * spread) * weight + 25 * off * weight
    return likely.mean() + 0.1 * nn.functional.binary_cross_entropy_with_logits(shown, seen.float())


def held_error(net: Net, drawn: Drawn) -> np.ndarray:
    """Mean error in eye distances of the mean head by yaw up to 30, 60 and beyond, at what the detector finds."""
    net.eval()
    rows = [at for at in np.flatnonzero(drawn.held) if np.isfinite(drawn.five[at, 0, 0])]
    matrices = [to_patch(drawn.five[at]) for at in rows]
    grey = [cv2.cvtColor(drawn.images[at], cv2.COLOR_RGB2GRAY) for at in rows]
    look = zip(grey, matrices, strict=True)
    patches = np.stack([cv2.warpAffine(g, m, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE) for g, m in look])
    with torch.no_grad():
        said = net(torch.from_numpy(patches)[:, None].float()).numpy()[:, : 2 * POINTS].reshape(-1, POINTS, 2)
    yaw = np.abs(drawn.poses[rows, 0])
    off = np.array([
        np.linalg.norm(from_patch(one, matrix) - drawn.points[at], axis=1).mean() / drawn.poses[at, 3]
        for one, matrix, at in zip(said, matrices, rows, strict=True)
    ])  # fmt: skip
    return np.array([off[(yaw >= a) & (yaw < b)].mean() for a, b in ((0, 30), (30, 60), (60, 95))])


def fit(folder: Path, path: Path, passes: int, start: Path | None, rate: float) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng, drawn, net = np.random.default_rng(0), Drawn(folder), Net()
    mean = np.stack([(p @ m[:, :2].T + m[:, 2] + 0.5) / SIDE for p, m in zip(
        drawn.points[:500], map(to_patch, drawn.true[:500]), strict=True)]).mean(0)  # fmt: skip
    with torch.no_grad():
        net.last.weight.mul_(0.1)
        net.last.bias.copy_(torch.from_numpy(np.concatenate([mean.ravel(), np.full(POINTS, -3.0), np.ones(POINTS)])))
    if start is not None:
        net.load_state_dict(torch.load(start))
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02)
    steps = passes * (int((~drawn.held).sum()) // BATCH)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + 1, pct_start=0.1)
    print(f"{len(drawn.numbers)} pictures, {int(drawn.held.sum())} held out, {AROUND} face units a side", flush=True)
    for one in range(passes):
        net.train()
        total = []
        for patches, points, seen in batches(drawn, rng):
            loss = loss_of(net(patches[:, None].float()), points, seen)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            plan.step()
            total.append(float(loss.detach()))
        used = resource.getrusage(resource.RUSAGE_SELF)
        error = " ".join(f"{value:.4f}" for value in held_error(net, drawn))
        print(f"{one + 1:4} loss {np.mean(total):.4f} held out {error}  {used.ru_utime:.0f} s", flush=True)
        torch.save(net.state_dict(), path.with_suffix(".pt"))
        save(net, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--passes", type=int, default=60)
    parser.add_argument("--start", type=Path, help="weights of PyTorch to go on from")
    parser.add_argument("--rate", type=float, default=2e-3)
    options = parser.parse_args()
    fit(options.drawn, options.weights, options.passes, options.start, options.rate)


if __name__ == "__main__":
    main()
