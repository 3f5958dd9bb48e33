"""Shards on forked processes of this machine, which start at once: they need not import anything.

Only a process with a single thread is forked: another thread might hold a lock, which nobody would release in the
forked process. Everywhere else, and on other systems than Linux, loky starts the workers.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import active_children, get_context

from ..runs.shard import run_shard
from .kernels_ahead import THREADS
from .loky_pool import LokyPool, no_worker_starts
from .pool import Pool
from .shard_queue import Answer, ShardQueue

AHEAD = 2  # shards for each worker that are sent in advance
_PR_SET_PDEATHSIG = 1  # of sys/prctl.h


def can_fork() -> bool:
    """Whether this process is known to have one thread only."""
    return THREADS.is_dir() and len(list(THREADS.iterdir())) == 1


class ForkedPool(Pool):
    """Forked processes. If one of them dies, the run goes on with loky's: by then this process has several threads."""

    children = True

    def __init__(self, workers: int, processes: ProcessPoolExecutor) -> None:
        self.workers, self._processes = workers, processes

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Process all shards; yields each as it is finished, in no order."""
        try:
            yield from self._answers(feed)
        except BrokenProcessPool:
            self._processes.shutdown()  # ends all, so that nobody is at work on a shard that is processed again
            loky = LokyPool(self.workers)
            yield from loky.after_death(feed)
            yield from loky.run(feed)

    def _answers(self, feed: ShardQueue) -> Iterator[Answer]:
        left = {self._processes.submit(run_shard, task) for task in islice(feed, AHEAD * self.workers)}
        while left:
            done, left = wait(left, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
            left |= {self._processes.submit(run_shard, task) for task in islice(feed, len(done))}


@contextmanager
def open_forked(workers: int) -> Iterator[ForkedPool]:
    """Start workers. After a fault or an interrupt they are killed, whatever they are doing.

    Raises:
        UserError: they cannot be started.
    """
    before = set(active_children())
    try:
        processes = ProcessPoolExecutor(workers, get_context("fork"), _begin, (os.getpid(),))
    except OSError as error:  # no semaphore, as where /dev/shm cannot be written
        raise no_worker_starts() from error
    try:
        _start(processes)
        yield ForkedPool(workers, processes)
    except BaseException:
        for child in set(active_children()) - before:
            child.kill()
        raise
    finally:
        processes.shutdown(cancel_futures=True)


def _start(processes: ProcessPoolExecutor) -> None:
    """Fork all workers, which the first task does. They inherit that interrupts are blocked: those are for the process
    that started them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    gc.freeze()  # a search for cycles in a worker would write to, and so copy, the memory of all that it inherits
    try:
        processes.submit(os.getpid)
    except OSError as error:
        raise no_worker_starts() from error
    finally:
        gc.unfreeze()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int) -> None:
    """Have this worker killed when its parent ends: it would wait for its next shard for ever."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
