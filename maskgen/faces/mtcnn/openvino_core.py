"""OpenVINO as this program uses it: imported without its telemetry, one core for the whole process."""

from __future__ import annotations

import importlib
import os
import sys
from functools import cache
from typing import Any

_TELEMETRY = "openvino_telemetry"
_CONVERTER = "openvino.tools.ovc"  # of other frameworks' models


@cache
def openvino_module() -> Any:
    """The package `openvino`, which sends nothing anywhere.

    On import it sends usage data to an analytics service, from a process that it forks, and writes files into the
    home folder, unless its package for that cannot be imported: then it uses a stand-in that does nothing. So the
    import of that package fails while `openvino` is imported, if nobody has imported either before. So does that of
    the converter of models, a tenth of a second: `openvino.convert_model` then imports it when it is called.
    """
    hidden = [] if "openvino" in sys.modules else [name for name in (_TELEMETRY, _CONVERTER) if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        import openvino
    finally:
        for name in hidden:
            del sys.modules[name]
    if not hasattr(openvino, "convert_model"):
        openvino.convert_model = _convert_model
    return openvino


def _convert_model(*args: Any, **kwargs: Any) -> Any:
    """What others in this process may call."""
    return importlib.import_module(_CONVERTER).convert_model(*args, **kwargs)


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
