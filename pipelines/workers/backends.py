"""Choice of the workers: this process, its child processes, or a cluster, each through a joblib backend."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

from maskgen.core.extras import need

from ..mask.settings import MaskSettings
from ..reports.progress import Notify
from .loky_pool import InProcess, LokyPool
from .pool import Pool


def usable_cores() -> int:
    """The number of CPU cores available to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_backend(backend: str) -> None:
    """Raise UserError for a backend whose package is not installed."""
    packages = {"dask": "distributed", "ray": "ray"}
    if backend in packages:
        need(packages[backend], backend)


def open_pool(settings: MaskSettings, notify: Notify) -> AbstractContextManager[Pool]:
    """The pool of workers that the settings select.

    Raises:
        UserError: it is not available.
    """
    if settings.backend == "dask":
        from .dask_pool import open_dask

        return open_dask(settings, notify)
    if settings.backend == "ray":
        from .ray_pool import open_ray

        return open_ray(settings)
    return nullcontext(InProcess() if settings.workers == 1 else LokyPool(settings.workers))
