"""Shards on this machine's processes, and how a photograph that kills its worker is found out.

A worker that dies takes joblib's whole call with it. The shards that were under way are then done one at a
time, each photograph noted before it is begun; one on which a worker dies twice is set aside, and the rest
goes on.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from maskgen.core.reasons import UserError

from .records import load_report
from .shard import ShardDone, ShardTask, run_shard


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(tasks: Iterable[ShardTask], workers: int) -> Iterator[ShardDone]:
    """Do all shards, yielding each as it is finished, in no order; one worker is this process itself.

    Raises:
        UserError: workers die before their first photograph.
    """
    if workers == 1:
        yield from map(run_shard, tasks)
        return
    feed = _Feed(replace(task, parent=os.getpid()) for task in tasks)
    while True:
        try:
            for done in _parallel(feed, workers):
                feed.under_way.pop(done.id, None)
                yield done
            return
        except _terminated():
            yield from _rescue(feed)


def _rescue(feed: _Feed) -> Iterator[ShardDone]:
    """After a worker's death: the shards that were under way, but for those finished and not yet heard of."""
    left = list(feed.under_way.values())
    feed.under_way.clear()
    for task in left:
        if task.run.shard(task.id).exists() and task.retry is None:
            yield ShardDone(task.id, load_report(task.run, task.id))
        else:
            yield _run_watched(task)


def _run_watched(task: ShardTask) -> ShardDone:
    """Do one shard alone, as often as it takes to learn which of its photographs kill workers."""
    deaths: Counter[str] = Counter()
    while True:
        task.note.unlink(missing_ok=True)
        if not task.run.shard(task.id).exists():
            # What a shard under retry had is gone with its commit: all of it is to be done.
            task = replace(task, retry=None)
        poisoned = frozenset(key for key, times in deaths.items() if times >= 2)
        try:
            return next(_parallel([replace(task, watched=True, poisoned=poisoned)], workers=2))
        except _terminated() as error:
            if not task.note.exists():
                raise UserError(
                    "Worker processes end before their first photograph, perhaps for want of memory: "
                    "give fewer --workers."
                ) from error
            deaths[os.fsdecode(task.note.read_bytes())] += 1


class _Feed:
    """Tasks as joblib takes them, remembering which it has taken; safe to take up again after a failure."""

    def __init__(self, tasks: Iterable[ShardTask]) -> None:
        self._tasks = iter(tasks)
        self._lock = threading.Lock()
        self.under_way: dict[str, ShardTask] = {}

    def __iter__(self) -> Iterator[ShardTask]:
        return self

    def __next__(self) -> ShardTask:
        with self._lock:
            task = next(self._tasks)
            self.under_way[task.id] = task
            return task


def _parallel(tasks: Iterable[ShardTask], workers: int) -> Iterator[ShardDone]:
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        done: Iterator[ShardDone] = pool(delayed(run_shard)(task) for task in tasks)
        yield from done


def _terminated() -> Any:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    return TerminatedWorkerError
