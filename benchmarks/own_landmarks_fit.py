"""Train the landmark network of our own on crops that `benchmarks/own_landmarks.py` drew.

    python benchmarks/own_landmarks_fit.py DRAWN maskgen/faces/landmarkers/own.npz --passes 40

Parts whose number ends in 9 are not trained on: the error on them, in eye distances of the mean head, is printed after
each pass. Every pass sees each picture anew: mirrored, bent, turned, and changed as `own_landmarks_changes` says, at
the detector's five points or at true ones with errors of the same size.

`--seconds` ends it after the pass in which so much time is over; the same command goes on from WEIGHTS.pt and ends in
the same weights as one that was not interrupted. The rate is even and falls in the last fifth of the passes only, so
their number may be chosen later. What is stored is the moving average of the weights.

Source: Hu et al., MiniCPM, 2024 (the rate); Polyak and Juditsky 1992 (the average).
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from own_landmarks_changes import PLACES, Patch, Store, changed
from torch import nn

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.seeding import rng_for
from maskgen.faces.landmarkers.own_network import ALL, MIRRORED, POINTS, SIDE, WIDER, from_patch, to_patch
from maskgen.faces.landmarkers.own_parts import CANVAS
from maskgen.faces.upright_crop import five_points, frontal_eye_distance

# Pictures of a batch in the first passes and after them: many small steps bring the detail, such as how far a mouth is
# open; the share of pictures that are changed a little only; the weight of the features' shape.
FIRST, BATCHES, CALM, SHAPE = 18, (64, 16), (0.0, 0.4), (0.0, 25.0)
WARM, FALL = 3.0, 0.2  # passes in which the rate rises, and the share of all in which it falls
HEAT, SPOT = 1.0, 0.8  # the weight of the heat maps' own loss, and the deviation of their spots in cells
KEPT = 0.995  # of the average at each step of 64 pictures
PARTS = (range(17, 22), range(22, 27), range(27, 36), range(36, 42), range(42, 48), range(48, 68))
GRID = SIDE // 4  # places a side at which the heat maps are
HIDDEN = 160
# Name: channels in and out, kernel, step. The order is that of `classifier_network._network`.
LAYERS = {
    "stem": (1, 16, 3, 2),
    "down1": (16, 32, 3, 2), "stay1": (32, 32, 3, 1),
    "down2": (32, 64, 3, 2), "stay2": (64, 64, 3, 1),
    "down3": (64, 96, 3, 2), "stay3": (96, 96, 3, 1), "stay4": (96, 96, 3, 1),
    "up2": (96, 256, 1, 1), "join2": (64, 64, 3, 1),
    "up1": (64, 128, 1, 1), "join1": (32, 32, 3, 1),
}  # fmt: skip


class Net(nn.Module):
    """Down to 6 x 6 places, up again to 24 x 24 with heat maps, and two dense layers on the 6 x 6."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({
            name: nn.Sequential(nn.Conv2d(a, b, k, s, k // 2, bias=False), nn.BatchNorm2d(b))
            for name, (a, b, k, s) in LAYERS.items()
        })  # fmt: skip
        self.heat = nn.Conv2d(LAYERS["join1"][1], ALL, 1)
        self.hidden = nn.Linear(LAYERS["stay4"][1] * (SIDE // 16) ** 2, HIDDEN)
        self.last = nn.Linear(HIDDEN, 4 * ALL + POINTS)
        self.drop = nn.Dropout(0.1)
        places = (torch.arange(GRID) + 0.5) / GRID
        self.register_buffer("places", (places - 0.5) * WIDER + 0.5, persistent=False)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Grey levels (n, 1, SIDE, SIDE) to points by heat (n, ALL, 2), what the dense layers say (n, ...): points, log
        spread of these, log spread of the points by heat, logits of being seen, and the heat's logs (n, ALL, h, w)."""
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean((1, 2, 3), keepdim=True) + 25.0)
        x = x.to(memory_format=torch.channels_last)
        held = []
        for name, layer in self.layers.items():
            if name.startswith("up"):
                x = torch.relu(nn.functional.pixel_shuffle(layer(x), 2) + held[int(name[-1])])
            else:
                x = torch.relu(x + layer(x) if name.startswith(("stay", "join")) else layer(x))
            if name in ("stem", "stay1", "stay2"):
                held.append(x)
            if name == "stay4":
                dense = self.last(self.drop(torch.relu(self.hidden(x.flatten(1)))))
        log = self.heat(x).float().flatten(2).log_softmax(2).view(-1, ALL, GRID, GRID)
        heat = log.exp()
        return torch.stack([heat.sum(2) @ self.places, heat.sum(3) @ self.places], 2), dense.float(), log


def stored(net: Net) -> dict[str, np.ndarray]:
    """The weights with the norms folded in, float16."""
    out = {}
    for name, layer in net.layers.items():
        conv, norm = layer[0], layer[1]
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        out[f"{name}.w"] = conv.weight * scale[:, None, None, None]
        out[f"{name}.b"] = norm.bias - norm.running_mean * scale
    for name in ("heat", "hidden", "last"):
        out[f"{name}.w"], out[f"{name}.b"] = getattr(net, name).weight, getattr(net, name).bias
    return {name: value.detach().contiguous().numpy().astype(np.float16) for name, value in out.items()}


def save(net: Net, path: Path) -> None:
    held = io.BytesIO()
    np.savez_compressed(held, **stored(net))
    write_atomic(path, held.getvalue())


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
    more = cv2.getRotationMatrix2D((CANVAS / 2 - 0.5, CANVAS / 2 - 0.5), turn, size)
    more[:, :2] = more[:, :2] @ np.diag(np.exp(rng.normal(0, 0.06, 2)))
    middle = np.full(2, CANVAS / 2 - 0.5)
    more[:, 2] = middle - more[:, :2] @ middle + rng.normal(0, 0.025 * CANVAS, 2)
    whole = np.vstack([more, [0, 0, 1]]) @ np.vstack([matrix, [0, 0, 1]])
    return whole[:2]


def bend_of(rng: np.random.Generator) -> np.ndarray:
    """A smooth displacement of the patch, (CANVAS, CANVAS, 2) in pixels: other faces than were drawn."""
    amount = rng.choice([0.0, 1.0], p=[0.3, 0.7]) * rng.uniform(0.2, 1.0) * CANVAS / 64
    out = cv2.resize(
        rng.normal(0, 1.1 * amount, (4, 4, 2)).astype(np.float32), (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC
    )
    fine = rng.normal(0, 0.5 * amount, (8, 8, 2)).astype(np.float32)
    return out + cv2.resize(fine, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)


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
        near = np.clip(np.rint(shown), 0, CANVAS - 1).astype(int)
        shown = points - bend[near[:, 1], near[:, 0]]
    patch = Patch(grey, skin, cloth, hair, normals @ turn.T.astype(np.float32), shown[:POINTS], drawn.seen[at])
    return patch, shown


def sample(
    drawn: Drawn, at: int, store: Store, rng: np.random.Generator, calm: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One patch as training sees it, its points in shares of the side, and which are seen."""
    matrix = shaken(to_patch(drawn.five_of(at, rng), CANVAS), rng)
    patch, points = cut(drawn, at, matrix, bend_of(rng), rng)
    grey, seen = changed(patch, store, rng, calm > 0 and rng.random() < calm), drawn.seen[at]
    points = (points + 0.5) / CANVAS
    if rng.random() < 0.5:
        grey, points, seen = grey[:, ::-1], points[MIRRORED] * [-1, 1] + [1, 0], seen[MIRRORED[:POINTS]]
    return grey, points.astype(np.float32), seen


def batches(drawn: Drawn, store: Store, one: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """All pictures to train on once, in the order and with the changes of a pass."""
    rng, size, calm = rng_for(0, "pass", one), batch_of(one), CALM[one >= FIRST]
    order = rng.permutation(np.flatnonzero(~drawn.held))
    for first in range(0, len(order) - size + 1, size):
        some = [sample(drawn, at, store, rng, calm) for at in order[first : first + size]]
        canvases, points, seen = (np.stack(column) for column in zip(*some, strict=True))
        patches = np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in canvases])
        yield torch.from_numpy(patches), torch.from_numpy(points), torch.from_numpy(seen)


def batch_of(one: int) -> int:
    """Pictures of a batch in a pass."""
    return BATCHES[one >= FIRST]


def loss_of(net: Net, patches: torch.Tensor, points: torch.Tensor, seen: torch.Tensor, shape: float) -> torch.Tensor:
    """Negative log likelihood of a Laplace distribution about each point, and of being seen; `shape` is the weight of
    `shape_error`.

    Source: Kendall and Gal, What uncertainties do we need in Bayesian deep learning for computer vision?, 2017; points
    as the mean of a heat map, Sun et al., Integral human pose regression, 2018.
    """
    with torch.autocast("cpu", torch.bfloat16):
        heat, dense, log = net(patches[:, None].float())
    where, spread, by_heat, shown = dense.split([2 * ALL, ALL, ALL, POINTS], 1)
    weight = 0.4 + 0.6 * torch.cat([seen.float(), torch.ones(len(seen), ALL - POINTS)], 1)
    total = 0.1 * nn.functional.binary_cross_entropy_with_logits(shown, seen.float())
    if shape:
        total = total + HEAT * (away_from(log, points, net.places) * weight).mean()
    for said, wide, share in ((heat, by_heat, 1.0), (where.view(-1, ALL, 2), spread, 0.5)):
        off, wide = (said - points).abs().sum(2), wide.clamp(-6, 1)
        likely = off * torch.exp(-wide) + 2 * wide + 25 * off
        total = total + share * ((likely * weight).mean() + shape * shape_error(said - points, weight))
    return total


def away_from(log: torch.Tensor, points: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Cross entropy of the heat maps and spots of SPOT cells about the points, (n, ALL).

    Without it the maps stay wide and their means say little of what is small, such as how far a mouth is open.
    """
    cell = WIDER / GRID
    spots = []
    for axis in (0, 1):
        off = (places - points[..., axis : axis + 1].clamp(float(places[0]), float(places[-1]))) / (SPOT * cell)
        spots.append((-0.5 * off * off).softmax(2))
    return -torch.einsum("npyx,npy,npx->np", log, spots[1], spots[0])


def shape_error(off: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """How far the points of a part of the face are off beside the shift of the whole part, mean over all points."""
    total = off.new_zeros(())
    for part in PARTS:
        some = off[:, list(part)]
        total = total + ((some - some.mean(1, keepdim=True)).abs().sum(2) * weight[:, list(part)]).sum()
    return total / weight.numel()


def held_error(net: Net, drawn: Drawn) -> np.ndarray:
    """Mean error in eye distances of the mean head by yaw up to 30, 60 and beyond, of the points by heat and the dense
    layers', at what the detector finds."""
    net.eval()
    rows = [at for at in np.flatnonzero(drawn.held) if np.isfinite(drawn.five[at, 0, 0])]
    matrices = [to_patch(drawn.five[at]) for at in rows]
    grey = [cv2.cvtColor(drawn.images[at], cv2.COLOR_RGB2GRAY) for at in rows]
    look = zip(grey, matrices, strict=True)
    patches = np.stack([cv2.warpAffine(g, m, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE) for g, m in look])
    with torch.no_grad():
        heat, dense, _ = net(torch.from_numpy(patches)[:, None].float())
    yaw, out = np.abs(drawn.poses[rows, 0]), []
    for said in (heat.numpy(), dense.numpy()[:, : 2 * ALL].reshape(-1, ALL, 2)):
        found = np.stack([from_patch(one[:POINTS], matrix) for one, matrix in zip(said, matrices, strict=True)])
        off = np.linalg.norm(found - drawn.points[rows, :POINTS], axis=2).mean(1) / drawn.poses[rows, 3]
        out += [off[(yaw >= a) & (yaw < b)].mean() for a, b in ((0, 30), (30, 60), (60, 95))]
    return np.array(out)


def started(drawn: Drawn) -> Net:
    """A network that says the mean of the drawn faces."""
    torch.manual_seed(0)
    net = Net()
    mean = np.stack([(p @ m[:, :2].T + m[:, 2] + 0.5) / SIDE for p, m in zip(
        drawn.points[:500], map(to_patch, drawn.true[:500]), strict=True)]).mean(0)  # fmt: skip
    first = np.concatenate([mean.ravel(), np.full(2 * ALL, -3.0), np.ones(POINTS)])
    with torch.no_grad():
        net.last.weight.mul_(0.1)
        net.last.bias.copy_(torch.from_numpy(first))
    return net.to(memory_format=torch.channels_last)


def fit(folder: Path, path: Path, passes: int, rate: float, seconds: float, until: int) -> None:
    """Train, or go on."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    begun, drawn, store = time.monotonic(), Drawn(folder), Store.of(rng_for(0, "textures"))
    net = started(drawn)
    mean = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=partial(toward_mean, KEPT), use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02)
    print(f"{len(drawn.numbers)} pictures, {int(drawn.held.sum())} held out", flush=True)
    state, first = path.with_suffix(".pt"), 0
    if state.exists():
        held = torch.load(state)
        net.load_state_dict(held["net"])
        mean.load_state_dict(held["mean"])
        optimiser.load_state_dict(held["optimiser"])
        first = held["passes"]
    for one in range(first, min(passes, until)):
        torch.manual_seed(one)
        plan = one, passes, rate, int((~drawn.held).sum())
        loss = one_pass(net, mean, optimiser, batches(drawn, store, one), plan)
        error = " ".join(f"{value:.4f}" for value in held_error(mean.module, drawn))
        print(f"{one + 1:4} loss {loss:.4f} held out {error}  {time.process_time():.0f} s", flush=True)
        stands = {"net": net.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict()}
        torch.save({**stands, "passes": one + 1}, state)
        save(mean.module, path)
        if time.monotonic() - begun > seconds:
            return


def toward_mean(most: float, mean: list[torch.Tensor], new: list[torch.Tensor], count: torch.Tensor) -> None:
    kept = min(most, float(count) / (float(count) + 9))  # the first steps are soon forgotten
    for old, now in zip(mean, new, strict=True):
        if old.is_floating_point():
            old.lerp_(now, 1 - kept)
        else:
            old.copy_(now)


def one_pass(
    net: Net, mean: torch.nn.Module, optimiser: torch.optim.Optimizer, some, plan: tuple[int, int, float, int]
) -> float:
    """Train on all pictures once and give the mean loss.

    Args:
        some: the batches.
        plan: this pass, how many there are, the rate, and the pictures of a pass.
    """
    one, passes, rate, pictures = plan
    net.train()
    total = []
    for number, (patches, points, seen) in enumerate(some):
        done = one + number * batch_of(one) / pictures
        for group in optimiser.param_groups:
            group["lr"] = (
                rate
                * (batch_of(one) / BATCHES[0]) ** 0.5
                * min(1.0, done / WARM + 0.02, (passes - done) / (FALL * passes))
            )
        loss = loss_of(net, patches, points, seen, SHAPE[one >= FIRST])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean.multi_avg_fn = partial(toward_mean, KEPT ** (batch_of(one) / BATCHES[0]))
        mean.update_parameters(net)
        total.append(float(loss.detach()))
    return float(np.mean(total))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--passes", type=int, default=40)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--until", type=int, help="end after so many of the passes")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    fit(options.drawn, options.weights, options.passes, options.rate, options.seconds, options.until or options.passes)


if __name__ == "__main__":
    main()
