"""Batch samplers: shuffled, or p people with k pictures each; deterministic for seed, epoch and rank."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from maskgen.core.reasons import UserError, counted
from maskgen.core.seeding import rng_for

from ..recipes.recipe import DataSpec

Ints = npt.NDArray[np.int64]


class Batches:
    """One rank's batches of an epoch; a batch sampler for torch's DataLoader.

    All ranks have the same number of batches, all batches are full, and no two ranks share one.
    """

    def __init__(self, seed: int, rank: int, world: int) -> None:
        self.seed = seed
        self.rank = rank
        self.world = world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Use the draws of this epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[list[int]]:
        raise NotImplementedError

    def _rng(self, *names: str | int) -> np.random.Generator:
        return rng_for(self.seed, "batches", self.epoch, *names)


class ShuffledBatches(Batches):
    """Every picture once per epoch; the last batches are filled from the start of the epoch.

    Raises:
        UserError: the batches of all ranks together are larger than the list.
    """

    def __init__(self, n: int, batch_size: int, seed: int, rank: int, world: int) -> None:
        super().__init__(seed, rank, world)
        if batch_size * world > n:
            each = f" on each of {world} processes" if world > 1 else ""
            then = f"give --batch-size {n // world} or less" if n >= world else "start fewer processes"
            size = f"train.batch_size is {batch_size}{each}"
            raise UserError(f"{size}, and the list has only {counted(n, 'picture')}: {then}.")
        self.n = n
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-self.n // (self.batch_size * self.world))

    def __iter__(self) -> Iterator[list[int]]:
        order = self._rng().permutation(self.n)
        for number in range(len(self)):
            begin = (number * self.world + self.rank) * self.batch_size
            places = np.arange(begin, begin + self.batch_size) % self.n
            yield order[places].tolist()


class PeopleBatches(Batches):
    """Batches of p different people with k pictures each.

    An epoch has one or more rounds, so that it has about as many pictures as the set. A round contains all people in a
    new random order; its last batches are filled from its start. Each time a person occurs, the next k of their
    shuffled pictures are taken; a person with fewer than k pictures has duplicates.

    Raises:
        UserError: p is more than the people of the list, or k more than its pictures.
    """

    def __init__(self, targets: Ints, people: int, images: int, seed: int, rank: int, world: int) -> None:
        super().__init__(seed, rank, world)
        order = np.argsort(targets, kind="stable")
        self._rows = np.split(order, np.flatnonzero(np.diff(targets[order])) + 1)
        if len(self._rows) < people:
            raise UserError(
                f"A batch has data.people={people} people, and the list only {len(self._rows)}: "
                f"give --set data.people={len(self._rows)} --set train.batch_size={len(self._rows) * images}."
            )
        if images > len(targets):
            raise UserError(
                f"A batch has data.images={images} pictures of each person, and the list only {len(targets)} of all: "
                "give fewer."
            )
        self.people = people
        self.images = images
        self._a_round = -(-len(self._rows) // (people * world))  # batches of each rank
        self._rounds = max(1, round(len(targets) / (self._a_round * world * people * images)))

    def __len__(self) -> int:
        return self._a_round * self._rounds

    def __iter__(self) -> Iterator[list[int]]:
        rng = self._rng()
        shuffled = [rng.permutation(rows) for rows in self._rows]
        met = np.zeros(len(shuffled), np.int64)
        for _ in range(self._rounds):
            order = rng.permutation(len(shuffled))
            for number in range(self._a_round * self.world):
                people = order[np.arange(number * self.people, (number + 1) * self.people) % len(order)]
                if number % self.world == self.rank:
                    yield [row for person in people for row in self._next(shuffled[person], met[person])]
                met[people] += 1

    def _next(self, rows: Ints, met: int) -> list[int]:
        places = np.arange(met * self.images, (met + 1) * self.images) % len(rows)
        return rows[places].tolist()


def build_batches(
    spec: DataSpec, batch_size: int, targets: npt.ArrayLike, seed: int, rank: int = 0, world: int = 1
) -> Batches:
    """The batch sampler of a recipe.

    Args:
        batch_size: pictures per batch of each rank; with "pk" given by `spec`.
        targets: int64 (n,), the person of each picture.
        rank, world: the process's number from 0, and the number of processes.

    Raises:
        UserError: there are no pictures, or fewer pictures or people than a batch needs.
    """
    whose = np.asarray(targets, np.int64)
    if not len(whose):
        raise UserError("There are no pictures to train on: the list is empty.")
    if spec.sampler == "pk":
        return PeopleBatches(whose, spec.people, spec.images, seed, rank, world)
    return ShuffledBatches(len(whose), batch_size, seed, rank, world)
