"""Train the network of occluders on pictures that `benchmarks/occluder_network.py` drew.

    python benchmarks/occluder_network_fit.py DRAWN maskgen/masks/occluders/network.npz --workers 3

Each picture is changed anew each time, see `occluder_training.samples`. Processes change pictures while another one
trains; a changed face is seen about SEEN times, from a pool of the newest POOL. The rate falls as a cosine; what is
stored is the moving average of the weights, with the limits of their 8 bits. Parts whose number ends in 9 are not
trained on. Of these it prints by sort of occluder, for cells on the face below the eyes, at several thresholds (see
`find.confident`): intersection over union, precision, recall, and the share of faces with nothing of the sort there on
which something is found. With `--samples 0` it prints that of stored weights.

Source: Polyak and Juditsky 1992 (the average); Milletari et al., V-Net, 2016 (the loss of overlap).
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from landmark_training.store import Store
from occluder_training.network import Net, stored
from occluder_training.samples import Drawn, sample
from torch import nn

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.dlib_models.photo_features import brightness, photo_features
from maskgen.core.networks.convolutions import LIMITS, SHIFT, Convolutions, rounding_for
from maskgen.core.networks.openvino_core import compiled_for_one_thread, openvino_module
from maskgen.core.seeding import rng_for
from maskgen.masks.occluders.face_view import SIDE
from maskgen.masks.occluders.find import SPECK, confident
from maskgen.masks.occluders.network import network_of

BATCH, RATE, SEEN, POOL, KEPT = 32, 3e-3, 3, 1500, 0.995
BESIDE = 0.1  # weight of cells beside the face or above the cheeks
SHARE = 0.9999  # of the inputs of a convolution that lie within its limits
HELD = 300  # faces that the table is of
ROUNDED = 120  # of these, faces by which limits are found
THRESHOLDS = ((0.5, 0.5), (0.6, 0.9), (0.7, 0.95), (0.7, 0.98), (0.8, 0.8), (0.8, 0.98), (0.9, 0.98))
NAMES = ("hair", "things", "rims")
Row = tuple[
    list[np.ndarray], np.ndarray, np.ndarray, np.ndarray
]  # dlib's maps, channels, what is in front, grey levels


def frozen() -> Any:
    """A request for dlib's maps of a grey patch, in float32."""
    openvino = openvino_module()
    entries = [openvino.opset13.parameter([1, 1, side, side], np.float32) for side in (SIDE, 1, 1)]
    maps = photo_features(Convolutions(openvino.opset13, {}), *entries)
    return compiled_for_one_thread(openvino.Model(maps, entries, "frozen")).create_infer_request()


def rows(drawn: Drawn, numbers: np.ndarray, *seed: str | int) -> Iterator[Row]:
    """Changed faces, of pictures by number."""
    cv2.setNumThreads(1)
    store, request = Store.of(rng_for(0, "textures")), frozen()
    for count, at in enumerate(numbers):
        one = sample(drawn, int(at), store, rng_for(0, *seed, count))
        if one is not None:
            levels = one.grey[None, None].astype(np.float32)
            found = request.infer(dict(enumerate((levels, *brightness(levels))))).values()
            yield [np.array(each[0], np.float16) for each in found], one.channels, one.front, one.grey


def _send(drawn: Drawn, numbers: np.ndarray, worker: int, queue: Any) -> None:
    for row in rows(drawn, numbers, "train", worker):
        queue.put(row)
    queue.put(None)


def weight_of(channels: torch.Tensor) -> torch.Tensor:
    """The weight of each cell, (n, 1, CELLS, CELLS): 1 where masks can lie."""
    masked = (channels[:, :1] > 0.5) & (channels[:, 2:3] > -0.75) & (channels[:, 2:3] < 1.6)
    return torch.where(masked, 1.0, BESIDE)


def loss_of(net: Net, batch: list[Row]) -> torch.Tensor:
    """Cross entropy, and one less the overlap, of each sort and of all together."""
    maps = [torch.from_numpy(np.stack([row[0][at] for row in batch])).float() for at in range(3)]
    channels = torch.from_numpy(np.stack([row[1] for row in batch])).float()
    true = torch.from_numpy(np.stack([row[2] for row in batch])).float() / 255
    logits, weight = net(maps, channels), weight_of(channels)
    plain = nn.functional.binary_cross_entropy_with_logits(logits, true, reduction="none")
    said = torch.sigmoid(logits)
    both = (weight * said * true).sum((0, 2, 3))
    overlap = (2 * both + 10) / ((weight * (said + true)).sum((0, 2, 3)) + 10)
    return (weight * plain).sum() / weight.sum() * 2 + (1 - overlap).mean() * 0.3


class Pool:
    """The newest changed faces, from which batches are drawn."""

    def __init__(self, queues: list[Any]) -> None:
        self._queues, self._held, self._owed, self.taken = queues, list[Row](), 0.0, 0

    def batch(self, rng: np.random.Generator) -> list[Row] | None:
        """Some faces; None when all are taken. New ones come in so that each is seen SEEN times."""
        self._owed += BATCH / SEEN
        while self._owed >= 1 or len(self._held) < 4 * BATCH:
            row = self._queues[self.taken % len(self._queues)].get()  # in turns: the same pool each time
            if row is None:
                return None
            self._held.append(row)
            self._owed -= 1
            self.taken += 1
        del self._held[:-POOL]
        return [self._held[at] for at in rng.choice(len(self._held), BATCH, replace=False)]


def train(drawn: Drawn, samples: int, workers: int, save: Any) -> Net:
    """Train, and give the average of the weights."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = Net().to(memory_format=torch.channels_last)
    mean = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(KEPT), use_buffers=True
    )
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.02)
    numbers = rng_for(0, "order").choice(len(drawn.held), samples, p=drawn.chances())
    fork = multiprocessing.get_context("fork")
    queues = [fork.Queue(32) for _ in range(workers)]
    for at, queue in enumerate(queues):
        fork.Process(target=_send, args=(drawn, numbers[at::workers], at, queue), daemon=True).start()
    pool, rng, losses, begun = Pool(queues), rng_for(0, "batches"), list[float](), time.monotonic()
    while (batch := pool.batch(rng)) is not None:
        done = pool.taken / samples
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, 0.02 + done * 40) * (0.5 + 0.5 * np.cos(np.pi * min(done, 1.0)) + 0.005)
        loss = loss_of(net, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean.update_parameters(net)
        losses.append(float(loss.detach()))
        if len(losses) % 50 == 0:
            spent = f"{time.process_time():.0f} s of {time.monotonic() - begun:.0f}"
            print(f"{pool.taken:6} loss {np.mean(losses[-50:]):.4f}  {spent}", flush=True)
        if len(losses) % 500 == 0:
            save(mean.module)
    return mean.module


def rounded(net: Net, held: list[Row]) -> dict[str, np.ndarray]:
    """The stored weights with the limits of all convolutions, by some faces."""
    kept = stored(net)
    model, made = network_of({name: each.astype(np.float32) for name, each in kept.items()})
    names = list(made.inputs)
    inputs = openvino_module().Model(
        [made.ops.result(made.inputs[name]) for name in names], model.get_parameters(), "inputs"
    )
    request = compiled_for_one_thread(inputs).create_infer_request()
    found: list[list[np.ndarray]] = [[] for _ in names]
    for _, channels, _, grey in held[:ROUNDED]:
        levels = grey[None, None].astype(np.float32)
        entries = (levels, *brightness(levels), channels[None].astype(np.float32))
        request.infer(dict(enumerate(entries)))
        for at in range(len(names)):
            found[at].append(np.array(request.get_output_tensor(at).data))
    for name, each in zip(names, found, strict=True):
        one = rounding_for(made.made[name], np.concatenate(each), SHARE)
        kept |= {name + LIMITS: np.array([one.least, one.most], np.float32), name + SHIFT: one.shift}
    return kept


def report(weights: dict[str, np.ndarray], held: list[Row]) -> None:
    """Print the table of held-back faces, of the network as it is stored."""
    model, _ = network_of({name: each.astype(np.float32) for name, each in weights.items()})
    request = compiled_for_one_thread(model).create_infer_request()
    said, true, on = [], [], []
    for _, channels, front, grey in held:
        levels = grey[None, None].astype(np.float32)
        request.infer(dict(enumerate((levels, *brightness(levels), channels[None].astype(np.float32)))))
        said.append(1 / (1 + np.exp(-np.array(request.get_output_tensor(0).data)[0])))
        true.append(front > 127)
        on.append((channels[0] > 0.5) & (channels[2] > -0.5) & (channels[2] < 1.35))
    p, t, m = np.stack(said), np.stack(true), np.stack(on)
    t = t & m[:, None]
    for sort, name in enumerate(NAMES):
        for least, surest in THRESHOLDS:
            found = np.stack([confident(one, least, surest) for one in p[:, sort]])
            print(f"{name:<8}{least:5.2f}{surest:5.2f}  " + figures(found & m, t[:, sort]))


def figures(found: np.ndarray, true: np.ndarray) -> str:
    """A row of the table, of what is found and what is true, flags (n, CELLS, CELLS)."""
    both, one, other = (found & true).sum(), found.sum(), true.sum()
    shares = both / max(one + other - both, 1), both / max(one, 1), both / max(other, 1)
    bare = true.sum((1, 2)) == 0
    wrong = (found[bare].sum((1, 2)) >= SPECK).mean()
    return "IoU {:.3f}  precision {:.3f}  recall {:.3f}  ".format(*shares) + f"wrong on {wrong:.3f} of {bare.sum()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--samples", type=int, default=12000)
    parser.add_argument("--workers", type=int, default=3, help="processes that change pictures")
    parser.add_argument("--held", type=int, default=HELD)
    asked = parser.parse_args()
    drawn = Drawn.of(asked.drawn)
    numbers = rng_for(0, "held").choice(np.flatnonzero(drawn.held), asked.held)
    held = list(rows(drawn, numbers, "held"))

    def save(net: Net) -> None:
        weights, bytes_ = rounded(net, held), io.BytesIO()
        np.savez_compressed(bytes_, **weights)
        write_atomic(asked.weights, bytes_.getvalue())
        report(weights, held)

    if asked.samples:
        save(train(drawn, asked.samples, asked.workers, save).eval())
    else:
        report(dict(np.load(asked.weights)), held)


if __name__ == "__main__":
    main()
