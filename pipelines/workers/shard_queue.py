"""The queue of shards: each is kept until it is finished, so none is lost with a worker."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..runs.task import ShardDone, ShardReturned, ShardTask

Answer = ShardDone | ShardReturned


class ShardQueue:
    """Tasks created on demand, from any thread. Requeued tasks come before new ones."""

    def __init__(self, tasks: Iterable[ShardTask]) -> None:
        self._tasks = iter(tasks)
        self._again: deque[ShardTask] = deque()
        self._under_way: dict[str, ShardTask] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[ShardTask]:
        return self

    def __next__(self) -> ShardTask:
        with self._lock:
            task = self._again.popleft() if self._again else next(self._tasks)
            self._under_way[task.id] = task
            return task

    def accept(self, answer: Answer) -> ShardDone | None:
        """Record a worker's answer; None if the shard is queued again."""
        if isinstance(answer, ShardReturned):
            self.requeue([self._under_way[answer.id]])
            return None
        with self._lock:
            del self._under_way[answer.id]
        return answer

    def under_way(self) -> list[ShardTask]:
        """The shards in progress."""
        with self._lock:
            return list(self._under_way.values())

    def requeue(self, tasks: Sequence[ShardTask]) -> None:
        """Queue these again, in a new turn."""
        with self._lock:
            for task in tasks:
                del self._under_way[task.id]
                self._again.append(replace(task, turn=task.turn + 1))

    def is_waiting(self) -> bool:
        """Whether requeued shards wait."""
        return bool(self._again)
