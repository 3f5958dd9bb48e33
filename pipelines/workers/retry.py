"""All shards of a run done by a pool: a shard on which a worker died is retried until it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..runs.task import ShardDone, ShardTask
from .pool import Pool
from .shard_queue import ShardQueue


def run_with_retries(tasks: Iterable[ShardTask], pool: Pool) -> Iterator[ShardDone]:
    """Do all shards, yielding each as it is finished, in no order.

    A pool retries what it can by itself; what it gives back (`ShardReturned`) is queued again here. Which photograph
    killed a worker is found by `runs/attempts.py`.
    """
    queue = ShardQueue(tasks)
    while True:
        for answer in pool.run(queue):
            if (done := queue.accept(answer)) is not None:
                yield done
        if not queue.is_waiting():
            return
