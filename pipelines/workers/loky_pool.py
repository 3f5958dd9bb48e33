"""Shards on child processes of this machine.

When a worker dies, joblib's call fails with all its workers. The shards in progress are then retried one at a time
until each is finished; the others continue in parallel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from maskgen.core.reasons import UserError

from ..runs.shard import run_shard
from ..runs.task import ShardTask
from .pool import Pool, through_joblib
from .shard_queue import Answer, ShardQueue


class InProcess(Pool):
    """One worker: this process."""

    children = True

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Process all shards."""
        return map(run_shard, feed)


class LokyPool(Pool):
    """Local processes of joblib's loky backend."""

    children = True

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Process all shards; yields each as it is finished, in no order."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        while True:
            try:
                yield from _through_loky(feed, self.workers)
                return
            except TerminatedWorkerError:
                pass
            yield from self.after_death(feed)

    def after_death(self, feed: ShardQueue) -> Iterator[Answer]:
        """Process the shards that were begun when a worker died, each alone; the others under way are queued again."""
        left = feed.under_way()
        begun = [task for task in left if task.log.exists()]
        feed.requeue([task for task in left if task not in begun])
        for task in begun:
            yield from self._alone(task)

    def _alone(self, task: ShardTask) -> Iterator[Answer]:
        """Retry one shard until the photographs that kill workers are found and set aside."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        while True:
            try:
                # With one worker joblib would use this process.
                yield from _through_loky([task], 2)
                return
            except TerminatedWorkerError:
                continue


def _through_loky(tasks: Iterable[ShardTask], workers: int) -> Iterator[Answer]:
    """Process the shards in child processes.

    Raises:
        UserError: they cannot be started, as where this user may not run the Python program.
    """
    try:
        yield from through_joblib(tasks, "loky", workers, inner_max_num_threads=1)
    except BrokenPipeError:
        # From the pipe to joblib's own helper process, which ended at once; by `cli` it would end the command unseen.
        raise no_worker_starts() from None


def no_worker_starts() -> UserError:
    """What to tell where no child process can be started."""
    return UserError("No worker process can be started here: give --workers 1.")
