"""Shards on a Ray cluster: one that is there, or one of this machine's own processes.

Ray starts a worker that died anew and begins its shard again, as often as it takes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from maskgen.core.extras import need
from maskgen.core.reasons import UserError

from ..mask.settings import MaskSettings
from .pool import Pool, through_joblib
from .shard_queue import Answer, ShardQueue

# Bytes of shared memory for what passes between processes: names and reports. Ray would take a third of all memory.
OBJECTS = 100_000_000


class RayPool(Pool):
    """Actors of a Ray cluster, a core each, and a GPU where faces are found on one."""

    def __init__(self, workers: int, card: bool) -> None:
        self.workers = workers
        self.each = {"num_cpus": 1, "num_gpus": int(card), "max_restarts": -1, "max_task_retries": -1}

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Do all shards; each that is finished is yielded, in no order."""
        return through_joblib(feed, _backend(self.each), self.workers)


def _backend(each: dict[str, Any]) -> Any:
    """Ray's own backend for joblib, with two things put right."""
    from ray.util.joblib.ray_backend import RayBackend

    class Backend(RayBackend):
        # What it inherits from multiprocessing's says no; results come by a callback as loky's and Dask's do.
        supports_return_generator = True

        def terminate(self) -> None:
            """Let the actors go; Ray's own asks each to end and then complains that it did."""
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
        # Whoever asks for masks did not ask for reports to Ray's makers.
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
        # A Ray that begins where ~/.ray holds a token wants it of all, and sends it to no address by itself.
        raise UserError(
            f"No Ray cluster answers at {settings.scheduler} ({error}): give --scheduler the HOST:PORT that "
            "`ray start` shows, or auto, on a machine of the cluster; set RAY_AUTH_MODE=token for one that asks for "
            "a token."
        ) from None


def _workers(ray: Any, asked: int, kind: str) -> int:
    there = int(ray.cluster_resources().get(kind, 0))
    workers = asked or there
    if workers > there:
        raise UserError(f"The Ray cluster has {there} {kind}s: give --workers {there} at most.")
    if workers < 2:
        raise UserError("Ray's backend for joblib needs two workers or more: for one, leave --backend out.")
    return workers
