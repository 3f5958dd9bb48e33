"""Shards on child processes of this machine.

A worker that dies takes joblib's whole call with it, and all workers. The shards that were begun are then done one at a
time until each is through; the others go on as before.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..runs.shard import run_shard
from ..runs.task import ShardTask
from .pool import Pool, through_joblib
from .shard_queue import Answer, ShardQueue


class InProcess(Pool):
    """One worker: this process."""

    children = True

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Do all shards."""
        return map(run_shard, feed)


class LokyPool(Pool):
    """Processes of joblib's loky."""

    children = True

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Do all shards; each that is finished is yielded, in no order."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        while True:
            try:
                yield from through_joblib(feed, "loky", self.workers, inner_max_num_threads=1)
                return
            except TerminatedWorkerError:
                left = feed.under_way()
                begun = [task for task in left if task.log.exists()]
                feed.requeue([task for task in left if task not in begun])
            for task in begun:
                yield from self._alone(task)

    def _alone(self, task: ShardTask) -> Iterator[Answer]:
        """Do one shard as often as it takes to learn which of its photographs kill workers."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        while True:
            try:
                # Of one worker joblib makes this process.
                yield from through_joblib([task], "loky", 2, inner_max_num_threads=1)
                return
            except TerminatedWorkerError:
                continue
