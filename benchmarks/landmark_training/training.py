"""The training loop of both networks of our own landmarks: several processes, each with its share of every batch.

The gradients of all processes are averaged in each step, so all of them hold the same weights. The rate is even and
falls in the last passes only, so the number of passes may be chosen later. What is stored is the moving average of the
weights, see `own_landmarks_fit.py`.

It computes in float32: on processors without AVX-512 bfloat16 takes five times as long.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import distributed, nn

from maskgen.core.seeding import rng_for
from maskgen.faces.landmarkers.own_network import View

from .samples import Drawn, Passes, Samples, some_patches
from .store import Store


@dataclass(frozen=True, slots=True)
class Task:
    """What is trained.

    Attributes:
        started: makes the network by the drawn faces, some patches and the path of weights to start with.
        loss: of the network on a batch, with a generator for what is random in it.
        held_error: of the network on the faces that are held out, some numbers to print.
        save: writes the weights that the program uses.
        batch: patches of a step, of all processes together.
        calm: share of the patches with nothing before the face.
        view: of the patches.
        warm, fall: passes in which the rate rises, and the share of all in which it falls.
        kept: of the average at each step.
    """

    started: Callable[[Drawn, Samples, Path | None], nn.Module]
    loss: Callable[[nn.Module, Samples, np.random.Generator], torch.Tensor]
    held_error: Callable[[nn.Module, Drawn], np.ndarray]
    save: Callable[[nn.Module, Path], None]
    batch: int
    calm: float
    view: View
    warm: float
    fall: float
    kept: float


class Training:
    """The network, the average of its weights and the optimiser, as they stand after some passes.

    Args:
        task: what is trained.
        net: the network as it is at the start.
        path: of the weights; the state is beside it, with the suffix ".pt".
        rate: the learning rate.
    """

    def __init__(self, task: Task, net: nn.Module, path: Path, rate: float) -> None:
        self._task, self.net, self._path, self._rate, self.passes = task, net, path, rate, 0
        self.mean = torch.optim.swa_utils.AveragedModel(
            net, multi_avg_fn=partial(toward_mean, task.kept), use_buffers=True
        )
        self._optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02, fused=True)
        self._parts = {"net": self.net, "mean": self.mean, "optimiser": self._optimiser}
        self._state = path.with_suffix(".pt")
        if self._state.exists():
            held = torch.load(self._state)
            for name, part in self._parts.items():
                part.load_state_dict(held[name])
            self.passes = held["passes"]

    def one_pass(self, drawn: Drawn, store: Store, passes: int, worker: tuple[int, int]) -> float:
        """Train on all pictures once, with the other processes, and give the mean loss.

        Args:
            drawn: the pictures.
            store: what changes take from.
            passes: how many there are in all.
            worker: the number of this process, and how many there are.
        """
        torch.manual_seed(self.passes * worker[1] + worker[0])
        self.net.train()
        rng, losses = rng_for(1, "jitter", self.passes, worker[0]), []
        size = self._task.batch // worker[1]
        steps, batches = Passes(drawn, store, self._task.calm, self._task.view).one(self.passes, size, worker)
        for number, batch in enumerate(batches):
            self._set_rate(self.passes + number / steps, passes)
            loss = self._task.loss(self.net, batch, rng)
            self._optimiser.zero_grad()
            loss.backward()
            share_gradients(self.net, worker[1])
            self._optimiser.step()
            self.mean.update_parameters(self.net)
            losses.append(float(loss.detach()))
        self.passes += 1
        return float(np.mean(losses))

    def _set_rate(self, done: float, passes: int) -> None:
        falling = (passes - done) / (self._task.fall * passes)
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * max(0.002, min(1.0, done / self._task.warm + 0.02, falling))

    def save(self) -> None:
        """Write the state and the weights."""
        stands = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save({**stands, "passes": self.passes}, self._state)
        self._task.save(self.mean.module, self._path)


def share_gradients(net: nn.Module, workers: int) -> None:
    """Replace the gradients by their mean over all processes."""
    if workers == 1:
        return
    grads = [one.grad for one in net.parameters() if one.grad is not None]
    flat = torch.cat([one.reshape(-1) for one in grads])
    distributed.all_reduce(flat)
    flat /= workers
    for one, mean in zip(grads, flat.split([one.numel() for one in grads]), strict=True):
        one.copy_(mean.view(one.shape))


def toward_mean(most: float, mean: list[torch.Tensor], new: list[torch.Tensor], count: torch.Tensor) -> None:
    kept = min(most, float(count) / (float(count) + 9))  # the first steps are soon forgotten
    for old, now in zip(mean, new, strict=True):
        if old.is_floating_point():
            old.lerp_(now, 1 - kept)
        else:
            old.copy_(now)


def train(task: Task, options: argparse.Namespace) -> None:
    """Train, or go on, in as many processes as the options say."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    drawn, store = Drawn(options.drawn), Store.of(rng_for(0, "textures"))
    print(f"{len(drawn.numbers)} pictures, {int(drawn.held.sum())} held out", flush=True)
    fork = multiprocessing.get_context("fork")  # the processes share the pictures
    with tempfile.TemporaryDirectory() as folder:
        meet = f"file://{folder}/meet"
        others = [
            fork.Process(target=_work, args=(task, options, drawn, store, meet, number), daemon=True)
            for number in range(1, options.workers)
        ]
        for one in others:
            one.start()
        _work(task, options, drawn, store, meet, 0)
        for one in others:
            one.join()


def _work(task: Task, options: argparse.Namespace, drawn: Drawn, store: Store, meet: str, number: int) -> None:
    """The part of one process; the first one prints and saves."""
    worker = number, options.workers
    if worker[1] > 1:
        distributed.init_process_group("gloo", init_method=meet, rank=number, world_size=worker[1])
    net = task.started(drawn, some_patches(drawn, store, task.calm, task.view), options.start)
    training, begun = Training(task, net, options.weights, options.rate), time.monotonic()
    over = torch.zeros(1)
    while training.passes < min(options.passes, options.until) and not over:
        loss = training.one_pass(drawn, store, options.passes, worker)
        if number == 0:
            training.save()
            error = " ".join(f"{value:.4f}" for value in task.held_error(training.mean.module, drawn))
            used, wall = time.process_time(), time.monotonic() - begun
            print(f"{training.passes:4} loss {loss:.4f} held out {error}  {used:.0f} s of {wall:.0f}", flush=True)
            over += wall > options.seconds
        if worker[1] > 1:
            distributed.broadcast(over, 0)
    if worker[1] > 1:
        distributed.destroy_process_group()


def options_of(description: str, passes: int, rate: float) -> argparse.Namespace:
    """The options of a training command."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--passes", type=int, default=passes)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--start", type=Path, help="stored weights to begin with")
    parser.add_argument("--until", type=int, default=10**6, help="end after so many of the passes")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="end after the pass in which these are over"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes, each with its share of a batch")
    return parser.parse_args()
