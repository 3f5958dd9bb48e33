"""Choice of the workers: this process, its child processes, or a cluster, each through a joblib backend."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from maskgen.core.extras import need

from ..mask.settings import MaskSettings
from ..reports.progress import Notify
from .forked_pool import can_fork, open_forked
from .kernels_ahead import wait_ahead
from .loky_pool import InProcess, LokyPool
from .pool import Pool

# Most shards for which workers are forked, which takes less time: forked ones have this process's names of photographs
# in memory, and for more shards these are many.
FORKED_SHARDS = 1024


def check_backend(backend: str) -> None:
    """Raise UserError for a backend whose package is not installed."""
    packages = {"dask": "distributed", "ray": "ray"}
    if backend in packages:
        need(packages[backend], backend)


def open_pool(settings: MaskSettings, shards: int, notify: Notify) -> AbstractContextManager[Pool]:
    """The pool of workers that the settings select, for this number of shards.

    Raises:
        UserError: it is not available.
    """
    if settings.backend == "dask":
        from .dask_pool import open_dask

        return open_dask(settings, notify)
    if settings.backend == "ray":
        from .ray_pool import open_ray

        return open_ray(settings)
    wait_ahead()
    if settings.workers == 1 or not shards:
        return nullcontext(InProcess())
    # What is not on this machine's disk may be open, with threads of its own, or be in this process's memory.
    local = settings.backend == "local" and isinstance(settings.run, Path)
    if local and shards <= FORKED_SHARDS and can_fork():
        return open_forked(min(settings.workers, shards))
    return nullcontext(LokyPool(settings.workers))
