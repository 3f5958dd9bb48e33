"""The kernels compiled in a thread while a run lists its source: workers that are forked then have them.

Otherwise each worker compiles them for itself before its first mask.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from maskgen.core.kernels.arena import compile_kernels

from ..mask.settings import MaskSettings
from .forked_pool import THREADS

LONGEST = 10.0  # seconds to wait for the system's thread, which ends within a millisecond
PAUSE = 0.0005  # seconds between two looks


class KernelsAhead:
    """A thread that compiles the kernels, and nothing without one.

    A fault is not reported here: the first mask compiles them again, and reports it.
    """

    def __init__(self, thread: threading.Thread | None) -> None:
        self._thread = thread
        if thread is not None:
            thread.start()

    def wait(self) -> None:
        """Return when they are compiled and the system has no such thread any more: a process with two threads is not
        forked, see `forked_pool`."""
        if self._thread is None:
            return
        self._thread.join()
        place, until = THREADS / str(self._thread.native_id), time.monotonic() + LONGEST
        while place.exists() and time.monotonic() < until:
            time.sleep(PAUSE)


def begin_ahead(settings: MaskSettings) -> KernelsAhead:
    """Begin to compile if the workers will be this process or forked from it; not for a run that seems complete."""
    run = settings.run
    if settings.backend == "local" and isinstance(run, Path) and not (run / "report.json").exists():
        return KernelsAhead(threading.Thread(target=compile_kernels, name="kernels", daemon=True))
    return KernelsAhead(None)
