"""The base of all pools: workers process shards from a queue through a joblib backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from maskgen.core.reasons import UserError

from ..runs.task import ShardTask
from .shard_queue import Answer, ShardQueue

# Error messages of a worker and of a Dask scheduler without this package.
_LACKING = ("No module named 'maskgen", "deserialization of the task graph")


class Pool(ABC):
    """A pool of workers.

    Attributes:
        children: the workers are child processes and end with this one; others may be on other machines and outlive a
            run.
        lives: how many workers may die on a shard before it is returned; None for no limit.
    """

    children = False
    lives: int | None = None

    @abstractmethod
    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Process all shards, despite dead workers; yields each answer as it arrives, in no order."""


def through_joblib(tasks: Iterable[ShardTask], backend: Any, workers: int, **config: Any) -> Iterator[Answer]:
    """Process the shards through a joblib backend; yields each as it is finished, in no order.

    Raises:
        UserError: the cluster has no maskgen.
    """
    from joblib import Parallel, delayed, parallel_config

    from ..runs.shard import run_packed

    with parallel_config(backend=backend, **config):
        pool = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        # In a tuple: Dask scatters and Ray stores large arguments as separate objects, which are lost with the worker
        # that holds them, or kept until the end.
        answers: Iterator[Answer] = pool(delayed(run_packed)((task,)) for task in tasks)
        try:
            yield from answers
        except Exception as error:
            if any(text in str(error) for text in _LACKING):
                raise UserError(
                    "A machine of the cluster cannot import maskgen: install it on all of them, including the "
                    "scheduler's."
                ) from error
            raise
