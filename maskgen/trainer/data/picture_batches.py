"""Rows of a list as batches of pictures: read, augmented, resized and flipped in the loader's workers.

The result for a row depends only on the seed, the epoch and the row, not on the worker. A row that is in a batch
several times, because its person has few pictures, has new random draws each time. An unreadable picture gives a
warning and is replaced by another one of its batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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

from .transforms import flipped, mirrors, resized

Key = tuple[int, ...]  # (epoch, row), and for a repeated row of a batch the number of its earlier occurrences
# Many pictures at a time, because faces are analysed in a third of the time that they take one by one. The result for a
# picture must not depend on the others.
Augment = Callable[[Sequence[Image], Sequence[dict[str, Any]], Sequence[np.random.Generator]], list[Image]]
_AHEAD = 4  # batches prefetched by each worker
_FAR = 100  # consecutive unreadable pictures after which the run ends


class Late(Protocol):
    """What is left to do on the pictures of a batch, on the network's device; the loader's workers send it."""

    def __call__(self, values: Tensor) -> Tensor:
        """The pictures, uint8 (n, size, size, 3), changed; on `values`'s device, to which this was moved."""
        ...

    def to(self, device: torch.device) -> Late:
        """The same on another device."""
        ...

    def pin_memory(self) -> Late:
        """The same in pinned memory."""
        ...


class Planner(Protocol):
    """An augmentation in two parts: planned for pictures in the workers, done for a batch on the device."""

    def plan(
        self,
        images: Sequence[Image],
        scales: Sequence[tuple[float, float]],
        rows: Sequence[dict[str, Any]],
        rngs: Sequence[np.random.Generator],
    ) -> Sequence[object | None]:
        """The plans for pictures of the network's size, None to leave one; `rows` and `rngs` as for `Augment`, `scales`
        are that size across and down over the stored pictures'. A plan must not depend on the other pictures."""
        ...

    def together(self, plans: Sequence[Any]) -> Late | None:
        """The plans of a batch's pictures, None where a picture stays; None if all stay."""
        ...


class Item(NamedTuple):
    """A row: its picture, uint8 (size, size, 3), or features, float32 (d,); None and a fault if it is unreadable.

    `plan` is a `Planner`'s; with one, `mirror` says whether the picture is to be mirrored after it was carried out.
    """

    row: int
    target: int
    value: np.ndarray[Any, Any] | None
    fault: str = ""
    plan: Any = None
    mirror: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """The last steps on a batch's pictures: `late`, and mirroring those of `mirrored`, bool (n,)."""

    late: Late | None
    mirrored: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """The pictures, uint8 (n, size, size, 3), finished on their device."""
        if self.late is not None:
            values = self.late.to(values.device)(values)
        mirrored = self.mirrored.to(values.device, non_blocking=True)[:, None, None, None]
        return torch.where(mirrored, values.flip(2), values)

    def pin_memory(self) -> Finish:
        """The same in pinned memory."""
        return Finish(self.late and self.late.pin_memory(), self.mirrored.pin_memory())


class Batch(NamedTuple):
    """The input of a step: `values` uint8 (n, size, size, 3) or float32 (n, d), `targets` int64 (n,).

    `faults` are (row, address and reason) of unreadable pictures, which others of the batch replace. `finish` is what
    is left to do on the pictures, None for nothing.
    """

    values: Tensor
    targets: Tensor
    rows: tuple[int, ...]
    faults: tuple[tuple[int, str], ...]
    finish: Finish | None = None

    def on(self, device: torch.device) -> Batch:
        """The finished batch on a device."""
        values, targets = (one.to(device, non_blocking=True) for one in (self.values, self.targets))
        if self.finish is not None:
            values = self.finish(values)
        return self._replace(values=values, targets=targets, finish=None)


class Batches(Protocol):
    """The rows of each batch of an epoch, the same on every iteration."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sequence[int]]: ...


class Rows(Protocol):
    """A dataset loaded by rows; it is sent to worker processes."""

    def __len__(self) -> int: ...

    def items(self, keys: Sequence[Key]) -> list[Item]:
        """The items of some epochs and rows, each the same whichever others are asked for."""
        ...


@dataclass(frozen=True)
class Pictures(Dataset[Item]):
    """Pictures of a list.

    Attributes:
        root, addresses: where the pictures are, large_string (n,).
        targets: int64 (n,).
        size: side of the output.
        flip: mirror pictures with probability 1/2.
        seed: with epoch and row the key of all random draws.
        augment: a function of stored pictures, and for each {"row", "address", "target"} and a random generator.
        planner: an augmentation of the resized pictures in two parts, in place of `augment`.
    """

    root: AnyPath
    addresses: Any
    targets: np.ndarray[Any, np.dtype[np.int64]]
    size: int
    flip: bool = False
    seed: int = 0
    augment: Augment | None = None
    planner: Planner | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, key: Key) -> Item:
        return self.items([key])[0]

    def items(self, keys: Sequence[Key]) -> list[Item]:
        """See `Rows`."""
        stored = [self._read(key[1]) for key in keys]
        readable = [at for at, item in enumerate(stored) if item.value is not None]
        some, own = [stored[at] for at in readable], [keys[at] for at in readable]
        shown = self._augmented(some, own) if self.planner is None else self._planned(self.planner, some, own)
        for at, item in zip(readable, shown, strict=True):
            stored[at] = item
        return stored

    def _read(self, row: int) -> Item:
        """The stored picture of a row."""
        address, target = self.addresses[row].as_py(), int(self.targets[row])
        try:
            return Item(row, target, decode(read_bytes(self.root, address)))
        except (SetAsideError, OSError) as fault:
            return Item(row, target, None, f"{address}: {fault}")

    def _augmented(self, stored: Sequence[Item], keys: Sequence[Key]) -> list[Item]:
        images = [item.value for item in stored if item.value is not None]
        if self.augment is not None:
            images = self.augment(images, self._known(stored), self._rngs(keys))
        shown = [self._shown(image, key) for image, key in zip(images, keys, strict=True)]
        return [item._replace(value=image) for item, image in zip(stored, shown, strict=True)]

    def _known(self, stored: Sequence[Item]) -> list[dict[str, Any]]:
        return [
            {"row": item.row, "address": self.addresses[item.row].as_py(), "target": item.target} for item in stored
        ]

    def _rngs(self, keys: Sequence[Key]) -> list[np.random.Generator]:
        return [rng_for(self.seed, "augment", *key) for key in keys]

    def _shown(self, image: Image, key: Key) -> Image:
        image = resized(image, self.size)
        return flipped(image, rng_for(self.seed, "flip", *key)) if self.flip else image

    def _planned(self, planner: Planner, stored: Sequence[Item], keys: Sequence[Key]) -> list[Item]:
        images = [item.value for item in stored if item.value is not None]
        small = [resized(image, self.size) for image in images]
        scales = [(self.size / image.shape[1], self.size / image.shape[0]) for image in images]
        plans = planner.plan(small, scales, self._known(stored), self._rngs(keys))
        mirror = [self.flip and mirrors(rng_for(self.seed, "flip", *key)) for key in keys]
        every = zip(stored, small, plans, mirror, strict=True)
        return [item._replace(value=image, plan=plan, mirror=side) for item, image, plan, side in every]

    def together(self, items: Sequence[Item]) -> Finish | None:
        """What is left to do on these items' pictures as one batch."""
        if self.planner is None:
            return None
        mirrored = torch.tensor([item.mirror for item in items])
        return Finish(self.planner.together([item.plan for item in items]), mirrored)


def keys_of(epoch: int, rows: Sequence[int]) -> list[Key]:
    """The keys of a batch's rows."""
    met: Counter[int] = Counter()
    found: list[Key] = []
    for row in rows:
        found.append((epoch, row, met[row]) if met[row] else (epoch, row))
        met[row] += 1
    return found


def collate(items: Sequence[Item], finish: Callable[[Sequence[Item]], Finish | None] | None = None) -> Batch:
    """Items as a batch; the next readable item replaces an unreadable one; empty if none is readable.

    Args:
        finish: returns what is left to do on the items' pictures.
    """
    faults = tuple((item.row, item.fault) for item in items if item.value is None)
    readable = [at for at, item in enumerate(items) if item.value is not None]
    if not readable:
        return Batch(torch.empty(0), torch.empty(0, dtype=torch.int64), (), faults)
    after = np.searchsorted(readable, np.arange(len(items))) % len(readable)
    chosen = [items[readable[at]] for at in after.tolist()]
    values = torch.from_numpy(np.stack([item.value for item in chosen if item.value is not None]))
    targets = torch.tensor([item.target for item in chosen], dtype=torch.int64)
    return Batch(values, targets, tuple(item.row for item in chosen), faults, finish and finish(chosen))


@dataclass(frozen=True, slots=True)
class _Fetch:
    """The fetcher of the loader's workers."""

    rows: Rows
    full: bool

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:  # noqa: PLW3201  PyTorch's name
        batch = collate(self.rows.items(keys), self._finish)
        return self._other(keys, batch) if self.full and not batch.rows else batch

    @property
    def _finish(self) -> Callable[[Sequence[Item]], Finish | None] | None:
        return self.rows.together if isinstance(self.rows, Pictures) else None

    def _other(self, keys: Sequence[Key], empty: Batch) -> Batch:
        """A batch of the next readable rows of the list."""
        epoch, row = keys[-1][:2]
        for step in range(1, _FAR + 1):
            (item,) = self.rows.items([(epoch, (row + step) % len(self.rows))])
            if item.value is not None:
                batch = collate([item] * len(keys), self._finish)
                return batch._replace(faults=empty.faults)
        return empty


@dataclass(slots=True)
class EpochBatchSampler:
    """The batch sampler of one epoch, from batch `skip` on; set before each epoch."""

    batches: Batches = ()
    epoch: int = 0
    skip: int = 0

    def __iter__(self) -> Iterator[list[Key]]:
        for rows in islice(self.batches, self.skip, None):
            yield keys_of(self.epoch, rows)

    def __len__(self) -> int:
        return len(self.batches) - self.skip


@dataclass
class Loader:
    """A loader that prefetches batches in `workers` processes, or loads in this one if that is 0.

    With `full` every batch has its full length; otherwise unreadable pictures are left out.
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
            cv2.setNumThreads(1)  # also here: a forked worker that waits for its parent's threads would hang
        self._loader = DataLoader(
            fetch,
            batch_sampler=self._course,
            num_workers=self.workers,
            collate_fn=_as_it_is,
            pin_memory=self.pin,
            worker_init_fn=_one_thread,
            generator=torch.Generator(),  # its worker seeds must not be drawn from the global generator
            **more,
        )

    def epoch(self, batches: Batches, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """The batches of these rows, without the first `skip`.

        Raises:
            UserError: a hundred consecutive pictures cannot be read, or a worker died.
        """
        self._course.batches, self._course.epoch, self._course.skip = batches, epoch, skip
        with living_workers():
            for batch in self._loader:
                if self.full and not batch.rows:
                    raise UserError(f"None of {_FAR} pictures in a row can be read, one being {batch.faults[0][1]}.")
                yield batch


@contextmanager
def living_workers() -> Iterator[None]:
    """The death of a loader's worker becomes a UserError. PyTorch raises it by a signal, wherever the process is."""
    try:
        yield
    except RuntimeError as fault:
        if "DataLoader worker" not in str(fault):
            raise
        raise UserError(
            "A process that loads pictures died, probably out of memory or shared memory (/dev/shm): give "
            "fewer --workers."
        ) from fault


def _as_it_is(batch: Any) -> Any:
    return batch


def _one_thread(_: int) -> None:
    """Set one thread per worker process."""
    quieten()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
