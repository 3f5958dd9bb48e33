"""A worker process: one shard at a time, on one thread, with the run's library versions; it ends with the run."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
from collections.abc import Callable
from functools import lru_cache

from maskgen.core.quiet import quieten
from maskgen.core.reasons import UserError

from .task import ShardTask, Start
from .versions import versions

# A process has one masker. Workers have one thread; if there are more, they take turns.
ONE_AT_A_TIME = threading.Lock()
RELEASED_AFTER = 1024
_held: list[int] = []  # photographs of the shards since memory was released
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h


def prepare_worker(task: ShardTask) -> None:
    """Prepare this process as a worker of a run.

    Raises:
        UserError: it cannot read SOURCE or RUN, or its library versions differ.
    """
    if task.start.parent is not None and task.start.parent != os.getpid():
        import signal

        # The process that started this one handles interrupts.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        quieten()
    stop_if_orphaned(task.start)
    keep_freed_memory()
    if not task.run.scratch.is_dir():
        raise UserError(
            f"The current {task.run.root} is not visible on {socket.gethostname()}: RUN must be on a file system "
            "that all machines share, under one path, or in an object store."
        )
    if task.start.versions:
        _check_versions(task.start)
        if not task.root.exists():
            raise UserError(f"SOURCE {task.root} is not visible on {socket.gethostname()}: share it under one path.")


def stop_if_orphaned(start: Start) -> None:
    """End a worker of this machine whose run was killed, so that it does not write into another run's folder."""
    if start.parent is not None and hasattr(os, "getppid") and start.parent not in (os.getppid(), os.getpid()):
        os._exit(1)


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Restore malloc's default of keeping freed memory for the next picture.

    Dask changes it: its workers return every array to the system at once and page in the next one, which takes a third
    of a worker's time.
    """
    if "MALLOC_TRIM_THRESHOLD_" in os.environ and (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(_MMAP_THRESHOLD, 32 << 20)  # both are the maximum of malloc's own adjustment
        mallopt(_TRIM_THRESHOLD, 64 << 20)


def release_memory(photographs: int) -> None:
    """Return free pages to the system after every RELEASED_AFTER photographs: fragmentation would otherwise make a long
    run grow. To release them and to page them in again takes 15 ms, as long as three photographs."""
    _held.append(photographs)
    if sum(_held) < RELEASED_AFTER:
        return
    _held.clear()
    if (trim := _of_glibc("malloc_trim")) is not None:
        trim(0)


@lru_cache
def _of_glibc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


@lru_cache(maxsize=1)
def _check_versions(start: Start) -> None:
    here = versions()
    for name, wanted in start.versions:
        if here[name] != wanted and name != "python":
            raise UserError(
                f"{socket.gethostname()} has {name} {here.get(name)}, and this machine {wanted}: install the same "
                "versions everywhere, otherwise the pictures would differ."
            )


def worker_name() -> str:
    """A name for this process, unique among all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"


def peak_mb() -> float:
    """The peak memory of this process in MB; 0 where unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)
