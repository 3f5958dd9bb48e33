"""Shards on a Dask cluster: an existing one, or local processes.

A dead worker is replaced by the program that started it, and Dask retries its shard on another worker. If Dask gives a
shard up because more workers died than `allowed-failures`, the shard is queued again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from maskgen.core.extras import need
from maskgen.core.reasons import UserError, are, counted

from ..mask.settings import MaskSettings
from ..reports.progress import Notify
from .pool import Pool, through_joblib
from .shard_queue import Answer, ShardQueue

# Shards sent in advance: joblib sends twice the number of workers at the start, and a cluster may grow.
LEAST_AHEAD = 256
PATIENCE = 15  # seconds for a scheduler to answer
# Interrupts are left to the process that starts workers.
QUIET_WORKER = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


class DaskPool(Pool):
    """The workers of a Dask cluster."""

    def __init__(self, client: Any, where: str) -> None:
        import dask

        self.client, self.where = client, where
        # This machine's setting; a scheduler with a smaller value gives up earlier, and the shard is queued again.
        self.lives = int(dask.config.get("distributed.scheduler.allowed-failures"))

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        """Process all shards; yields each as it is finished, in no order."""
        from distributed import KilledWorker

        while True:
            try:
                yield from through_joblib(feed, _backend(self.client), LEAST_AHEAD)
                return
            except KilledWorker:
                feed.requeue(feed.under_way())
            except CancelledError:
                raise UserError(
                    f"The Dask scheduler {self.where} was lost: start it and give the same command to resume."
                ) from None


def _backend(client: Any) -> Any:
    """joblib's Dask backend with two fixes."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def effective_n_jobs(self, n_jobs: int) -> int:
            """The number of shards to send in advance; for one worker joblib would use the calling process."""
            return max(super().effective_n_jobs(n_jobs), LEAST_AHEAD)

        def submit(self, func: Any, callback: Any = None) -> Any:
            """As in joblib, but with an answer for a shard that Dask gives up; joblib would wait for ever."""
            future = super().submit(func, callback)
            future.add_done_callback(lambda done: done.exception() is None or callback(done.exception()))
            return future

    return Backend(client=client)


@contextmanager
def open_dask(settings: MaskSettings, notify: Notify) -> Iterator[DaskPool]:
    """Connect to the cluster that --scheduler names, or start one here of --workers processes.

    Raises:
        UserError: Dask is not installed, no scheduler answers, or its workers cannot be used.
    """
    need("distributed", "dask")
    with _quiet(), ExitStack() as stack:
        if settings.scheduler is None:
            client = stack.enter_context(_started_here(settings.workers))
        else:
            client = stack.enter_context(_connected(settings.scheduler))
        _wait_for(client, max(settings.workers, 1), notify)
        yield DaskPool(client, settings.scheduler or "")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log of handled faults off the terminal."""
    import distributed  # noqa: F401  sets the levels

    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "tornado.application")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _started_here(workers: int) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    with (
        # Dask's profiler samples every worker's stack a hundred times a second: a sixth of the time of a mask.
        dask.config.set({"distributed.worker.profile.enabled": False}),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None is a port of 8787, with a warning where that is taken
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            preload=[QUIET_WORKER],
        ) as cluster,
        Client(cluster, set_as_default=False) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client

    where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        client = Client(**where, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(
            f"No Dask scheduler answers at {address} ({error}): give --scheduler its HOST:PORT, or the file that "
            "`dask scheduler --scheduler-file` wrote."
        ) from None
    with client:
        yield client


def _wait_for(client: Any, least: int, notify: Notify) -> None:
    """Wait for this number of workers, and check them."""
    notified = False
    while len(threads := client.nthreads()) < least:
        if not notified:
            notify(f"Waiting for {counted(least, 'Dask worker')}; {len(threads)} {are(len(threads))} connected.")
            notified = True
        time.sleep(0.5)
    if any(number != 1 for number in threads.values()):
        raise UserError(
            "The Dask workers have several threads each: start them with `dask worker --nthreads 1 --nworkers N`."
        )
