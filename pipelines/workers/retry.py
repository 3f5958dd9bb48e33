"""Process all shards of a run with a pool; a shard whose worker died is retried until it is finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..runs.task import ShardDone, ShardTask
from .pool import Pool
from .shard_queue import ShardQueue


def run_with_retries(tasks: Iterable[ShardTask], pool: Pool) -> Iterator[ShardDone]:
    """Process all shards; yields each as it is finished, in no order.

    A pool retries shards by itself as far as its backend can; a shard that it returns (`ShardReturned`) is queued again
    here. `runs/attempts.py` finds the photograph that kills workers.
    """
    queue = ShardQueue(tasks)
    while True:
        for answer in pool.run(queue):
            if (done := queue.accept(answer)) is not None:
                yield done
        if not queue.is_waiting():
            return
