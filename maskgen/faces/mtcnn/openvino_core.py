"""OpenVINO as this program uses it: imported without its telemetry, one core for the whole process."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

_TELEMETRY = "openvino_telemetry"


@cache
def openvino_module() -> Any:
    """The package `openvino`, which sends nothing anywhere.

    On import it sends usage data to an analytics service, from a process that it forks, and writes files into the
    home folder, unless its package for that cannot be imported: then it uses a stand-in that does nothing. So the
    import of that package fails while `openvino` is imported, if nobody has imported either before.
    """
    hide = _TELEMETRY not in sys.modules and "openvino" not in sys.modules
    if hide:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        if hide:
            del sys.modules[_TELEMETRY]
    return openvino


def openvino_core() -> Any:
    """The process's one `openvino.Core`, which is never given back; a forked process makes its own.

    The processor plugin of each core moves the thread's alternate signal stack to memory of its own, and puts back
    what it found when it ends. Of two cores that end in the order in which they began, the second puts back the
    stack of the first, which is gone: the next signal that Python handles ends the process. The threads of a core are
    not there in a forked process, which would wait for them.
    """
    return _core_of(os.getpid())


@cache
def _core_of(process: int) -> Any:
    del process
    return openvino_module().Core()
