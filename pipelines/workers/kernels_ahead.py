"""The kernels compiled in a thread while a command imports and lists: workers that are forked then have them.

Otherwise each worker compiles them for itself before its first mask.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from maskgen.core.kernels.arena import compile_kernels
from maskgen.formats.any_path import RemotePath

from ..mask.settings import MaskSettings

THREADS = Path("/proc/self/task")  # of Linux: a folder for each thread of this process
LONGEST = 10.0  # seconds to wait for the system's thread, which ends within a millisecond
PAUSE = 0.0005  # seconds between two looks
_BEGUN: list[threading.Thread] = []


def begin_ahead(settings: MaskSettings) -> None:
    """Begin to compile, once, if the workers will be this process or forked from it; not for a run that seems complete,
    nor without a source.

    A fault is not reported here: the first mask compiles them again, and reports it.
    """
    run, source = settings.run, settings.source
    if _BEGUN or settings.backend != "local" or isinstance(run, RemotePath) or (run / "report.json").exists():
        return
    if isinstance(source, RemotePath) or source.exists():
        _BEGUN.append(threading.Thread(target=compile_kernels, name="kernels"))
        _BEGUN[0].start()


def wait_ahead() -> None:
    """Return when what was begun is compiled and the system has no such thread any more: a process with two threads is
    not forked, see `forked_pool`."""
    for thread in _BEGUN:
        thread.join()
        place, until = THREADS / str(thread.native_id), time.monotonic() + LONGEST
        while place.exists() and time.monotonic() < until:
            time.sleep(PAUSE)
