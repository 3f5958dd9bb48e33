"""Shards on a Ray cluster: an existing one, or local processes.

Ray restarts a dead worker and retries its shard, without a limit.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from maskgen.core.extras import need
from maskgen.core.reasons import UserError, counted

from ..mask.settings import MaskSettings
from .pool import Pool, through_joblib
from .shard_queue import Answer, ShardQueue

# Bytes of Ray's object store, which holds names and reports. Ray's default is a third of all memory.
OBJECTS = 100_000_000


class RayPool(Pool):
    """Actors of a Ray cluster, each with a core, and with a GPU for --device cuda."""

    def __init__(self, workers: int, card: bool) -> None:
        self.workers = workers
        self.each = {"num_cpus": 1, "num_gpus": int(card), "max_restarts": -1, "max_task_retries": -1}

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Process all shards; yields each as it is finished, in no order."""
        return through_joblib(feed, _backend(self.each), self.workers)


def _backend(each: dict[str, Any]) -> Any:
    """Ray's joblib backend with two fixes."""
    from ray.util.joblib.ray_backend import RayBackend

    class Backend(RayBackend):
        # The multiprocessing backend that it inherits from says no; results arrive by callback as in loky and Dask.
        supports_return_generator = True

        def terminate(self) -> None:
            """Drop the actors; Ray's own method ends each and then logs that it ended."""
            self._pool = None

    return Backend(ray_remote_args=each)


@contextmanager
def open_ray(settings: MaskSettings) -> Iterator[RayPool]:
    """Connect to the cluster that --scheduler names, or start one here of --workers processes.

    Raises:
        UserError: Ray is not installed, no cluster answers, or it has too few cores.
    """
    ray = need("ray", "ray")
    begun = not ray.is_initialized()
    if begun:
        _begin(ray, settings)
    try:
        card = settings.device != "cpu"
        yield RayPool(_workers(ray, settings.workers, "GPU" if card else "CPU"), card)
    finally:
        if begun:
            ray.shutdown()


def _begin(ray: Any, settings: MaskSettings) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if settings.scheduler is None:
        # No usage statistics to Ray's makers.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address="local",
            num_cpus=settings.workers,
            include_dashboard=False,
            object_store_memory=OBJECTS,
            **quiet,
        )
        return
    try:
        ray.init(address=settings.scheduler, **quiet)
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        # A Ray started with a token in ~/.ray requires it from all clients, and does not send it by itself.
        raise UserError(
            f"No Ray cluster answers at {settings.scheduler} ({error}): give --scheduler the HOST:PORT that "
            "`ray start` shows, or auto, on a machine of the cluster; set RAY_AUTH_MODE=token if it asks for "
            "a token."
        ) from None


def _workers(ray: Any, asked: int, kind: str) -> int:
    there = int(ray.cluster_resources().get(kind, 0))
    workers = asked or there
    if workers > there:
        raise UserError(f"The Ray cluster has {counted(there, kind)}: give --workers {there} at most.")
    if workers < 2:
        raise UserError("Ray's backend for joblib needs two workers or more: for one, leave --backend out.")
    return workers
