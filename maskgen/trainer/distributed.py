"""Distributed training: several processes train one model, each on its own device, as started by `torchrun`.

Every process computes the gradients of its share of the pictures; the gradients are averaged.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

# Imported before any process group is created: its functions take the group that exists at import as a default and keep
# it alive. If PyTorch imported it with the first model, the group's threads would outlive the group, and sometimes the
# interpreter would abort at exit in one of them (seen with PyTorch 2.14).
import torch.distributed.nn
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from maskgen.core.reasons import UserError, are, counted

from .told_once import ToldElsewhereError, told_once

T = TypeVar("T")
# Timeout of the group: the others wait while one process prepares the data. If one dies, torchrun ends the others.
PATIENCE = timedelta(days=2)
_LOST = "gloo/transport"  # in the message of a connection to another process that is no more


@dataclass(frozen=True, slots=True)
class Ranks:
    """One of `world` processes, each on its own device; `rank` is its number from 0."""

    rank: int = 0
    world: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this process writes files and messages."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with the gradients of all its parameters averaged over the processes.

        On GPUs batch norm is synchronised over the whole batch; on CPUs, where PyTorch does not support it, it is not.
        """
        if self.world == 1:
            return module
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
        return DistributedDataParallel(module, device_ids=[self.device] if on_gpu else None)

    def synchronise(self, module: nn.Module) -> None:
        """Broadcast the first process's buffers: batch norm's running means, which differ between processes."""
        if self.world > 1:
            for buffer in module.buffers():
                dist.broadcast(buffer, 0)

    def broadcast(self, value: T) -> T:
        """Broadcast the first process's value."""
        if self.world == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values)
        return values[0]

    def from_first(self, work: Callable[[], T]) -> T:
        """Run work in the first process and broadcast its result; its UserError is raised in all processes, in the
        others as one that is told elsewhere."""
        value: T | None = None
        fault = ""
        if self.first:
            try:
                value = work()
            except UserError as error:
                fault = str(error)
        value, fault = self.broadcast((value, fault))
        if fault:
            raise UserError(fault) if self.first else ToldElsewhereError(fault)
        return value  # type: ignore[return-value]

    def total(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place; also returned."""
        if self.world > 1:
            dist.all_reduce(values)
        return values


def without_averaging(module: nn.Module) -> AbstractContextManager[None]:
    """Accumulate gradients locally, if another batch follows before the step."""
    return module.no_sync() if isinstance(module, DistributedDataParallel) else nullcontext()


def _environment() -> tuple[int, int, int]:
    """Rank, world size and local rank from torchrun's environment; those of a single process without it."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1, 0
    try:
        return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_RANK"])
    except (KeyError, ValueError):
        raise UserError(
            "WORLD_SIZE is set, and RANK or LOCAL_RANK is not: start with torchrun -m maskgen.trainer, or unset it."
        ) from None


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """Join the other processes, if there are any.

    Args:
        device: "auto" (a GPU if available), "cpu", "cuda" (each process of a machine takes its own) or "cuda:N".

    Raises:
        UserError: the device is not available.
        ToldElsewhereError: the same of another process, or another process has ended.
    """
    rank, world, local = _environment()
    with told_once():
        ranks = Ranks(rank, world, choose_device(device, local))
    if world == 1:
        yield ranks
        return
    on_gpu = ranks.device.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(ranks.device)
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)
    try:
        yield ranks
    except RuntimeError as error:
        if _LOST not in str(error):
            raise
        raise ToldElsewhereError(
            "Another process of this training has ended: its message says why. Give --resume to go on after the last "
            "checkpoint."
        ) from error
    finally:
        dist.destroy_process_group()


def choose_device(device: str, local: int = 0) -> torch.device:
    """The device of the process with local rank `local`; see `joined`."""
    there = torch.cuda.device_count()
    if device == "cpu" or (device == "auto" and not there):
        return torch.device("cpu")
    if device not in ("auto", "cuda") and not device.startswith("cuda:"):
        raise UserError(f"--device {device} is unknown: give auto, cpu, cuda or cuda:N.")
    if not there:
        raise UserError(f"--device {device}: there is no GPU that PyTorch can use here; give --device cpu.")
    number = device.partition(":")[2] or str(local)
    if not number.isdecimal() or int(number) >= there:
        raise UserError(
            f"--device {device}: there {are(there)} {counted(there, 'GPU')} here, and none is {number}; "
            "start fewer processes."
        )
    return torch.device("cuda", int(number))
