"""Rows of a list as batches of pictures: read, masked where asked, resized and flipped in the loader's workers.

What becomes of a row depends on the seed, the epoch and the row alone, never on the worker or the batch. A picture that
cannot be read costs a warning: another one of its batch stands in for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from maskgen.core.images import decode
from maskgen.core.quiet import quieten
from maskgen.core.reasons import SetAsideError, UserError
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.formats.any_path import AnyPath
from maskgen.formats.reading import read_bytes

from .transforms import flipped, resized

Key = tuple[int, int]  # epoch and row
Augment = Callable[[Image, dict[str, Any], np.random.Generator], Image]
_AHEAD = 4  # batches that each worker has ready
_FAR = 100  # pictures in a row that cannot be read: the set is gone, not a picture


class Item(NamedTuple):
    """A row: its picture, uint8 (size, size, 3), or its features, float32 (d,); None where it has none, and a fault."""

    row: int
    target: int
    value: np.ndarray[Any, Any] | None
    fault: str = ""


class Batch(NamedTuple):
    """What a step takes: `values` uint8 (n, size, size, 3) or float32 (n, d), `targets` int64 (n,).

    `faults` are (row, address and reason) of the pictures for which others of the batch stand in.
    """

    values: Tensor
    targets: Tensor
    rows: tuple[int, ...]
    faults: tuple[tuple[int, str], ...]


class Batches(Protocol):
    """The rows of each batch of an epoch, the same whenever they are asked for."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sequence[int]]: ...


class Rows(Protocol):
    """What can be loaded by rows; it goes to other processes."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: Key) -> Item:
        """The item of an epoch and a row."""
        ...


@dataclass(frozen=True)
class Pictures(Dataset[Item]):
    """Pictures of a list.

    Attributes:
        root, addresses: where the pictures are, large_string (n,).
        targets: int64 (n,).
        size: side of what comes out.
        flip: show mirror images as often.
        seed: with epoch and row it decides all chance.
        augment: what is done to the picture as it is stored; it gets {"row", "address", "target"} and its chance.
    """

    root: AnyPath
    addresses: Any
    targets: np.ndarray[Any, np.dtype[np.int64]]
    size: int
    flip: bool = False
    seed: int = 0
    augment: Augment | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, key: Key) -> Item:
        epoch, row = key
        address, target = self.addresses[row].as_py(), int(self.targets[row])
        try:
            image = decode(read_bytes(self.root, address))
            return Item(row, target, self._shown(image, epoch, {"row": row, "address": address, "target": target}))
        except (SetAsideError, OSError) as fault:
            return Item(row, target, None, f"{address}: {fault}")

    def _shown(self, image: Image, epoch: int, row: dict[str, Any]) -> Image:
        if self.augment is not None:
            image = self.augment(image, row, rng_for(self.seed, "augment", epoch, row["row"]))
        image = resized(image, self.size)
        return flipped(image, rng_for(self.seed, "flip", epoch, row["row"])) if self.flip else image


def collate(items: Sequence[Item]) -> Batch:
    """Items as a batch, in which the next one that can be read stands in for one that cannot; empty where none can."""
    faults = tuple((item.row, item.fault) for item in items if item.value is None)
    readable = [at for at, item in enumerate(items) if item.value is not None]
    if not readable:
        return Batch(torch.empty(0), torch.empty(0, dtype=torch.int64), (), faults)
    after = np.searchsorted(readable, np.arange(len(items))) % len(readable)
    chosen = [items[readable[at]] for at in after.tolist()]
    values = torch.from_numpy(np.stack([item.value for item in chosen if item.value is not None]))
    targets = torch.tensor([item.target for item in chosen], dtype=torch.int64)
    return Batch(values, targets, tuple(item.row for item in chosen), faults)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """What the loader asks for batches, in its workers."""

    rows: Rows
    full: bool

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:  # noqa: PLW3201  PyTorch's name
        batch = collate([self.rows[key] for key in keys])
        return self._other(keys, batch) if self.full and not batch.rows else batch

    def _other(self, keys: Sequence[Key], empty: Batch) -> Batch:
        """A batch of the row's nearest followers in the list that can be read."""
        epoch, row = keys[-1]
        for step in range(1, _FAR + 1):
            item = self.rows[epoch, (row + step) % len(self.rows)]
            if item.value is not None:
                batch = collate([item] * len(keys))
                return batch._replace(faults=empty.faults)
        return empty


@dataclass(slots=True)
class EpochBatchSampler:
    """The batches of one epoch as the loader asks for them, from `skip` on; set anew before each epoch."""

    batches: Batches = ()
    epoch: int = 0
    skip: int = 0

    def __iter__(self) -> Iterator[list[Key]]:
        for rows in islice(self.batches, self.skip, None):
            yield [(self.epoch, row) for row in rows]

    def __len__(self) -> int:
        return len(self.batches) - self.skip


@dataclass
class Loader:
    """Batches ahead of the steps that take them, from `workers` processes, or from this one where that is 0.

    With `full` every batch is as long as it was asked for; without it, what cannot be read is left out.
    """

    rows: Rows
    workers: int = 0
    pin: bool = False
    full: bool = True
    _course: EpochBatchSampler = field(default_factory=EpochBatchSampler)
    _loader: Any = field(init=False)

    def __post_init__(self) -> None:
        more: dict[str, Any] = {"persistent_workers": True, "prefetch_factor": _AHEAD} if self.workers else {}
        fetch: Any = _Fetch(self.rows, self.full)
        if self.workers:
            cv2.setNumThreads(1)  # here too: a forked worker that ended its parent's threads would wait for ever
        self._loader = DataLoader(
            fetch,
            batch_sampler=self._course,
            num_workers=self.workers,
            collate_fn=_as_it_is,
            pin_memory=self.pin,
            worker_init_fn=_one_thread,
            generator=torch.Generator(),  # it draws seeds for its workers, and must not from the network's chance
            **more,
        )

    def epoch(self, batches: Batches, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """The batches of these rows, all but the first `skip`.

        Raises:
            UserError: a hundred pictures in a row cannot be read.
        """
        self._course.batches, self._course.epoch, self._course.skip = batches, epoch, skip
        for batch in _living(self._loader):
            if self.full and not batch.rows:
                raise UserError(f"None of {_FAR} pictures in a row can be read, one being {batch.faults[0][1]}.")
            yield batch


def _living(loader: Iterable[Batch]) -> Iterator[Batch]:
    """The batches, with the death of a worker as a sentence."""
    try:
        yield from loader
    except RuntimeError as fault:
        if "DataLoader worker" not in str(fault):
            raise
        raise UserError(
            "A process that loads pictures died, most likely for want of memory or of shared memory (/dev/shm): give "
            "fewer --workers."
        ) from fault


def _as_it_is(batch: Any) -> Any:
    return batch


def _one_thread(_: int) -> None:
    """Workers are the parallel part; each works by itself."""
    quieten()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
