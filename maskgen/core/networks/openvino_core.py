"""OpenVINO as this program uses it: imported without telemetry, and one `openvino.Core` per process."""

from __future__ import annotations

import importlib
import io
import os
import sys
import threading
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CONFIG = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
    # Otherwise it binds the thread that infers to the machine's first core: all workers take turns on that one.
    "ENABLE_CPU_PINNING": False,
    # Kernels are cached per input shape; without a limit, photographs of many sizes would fill the memory with them.
    "CPU_RUNTIME_CACHE_CAPACITY": 64,
}
MOST_KEPT = 1 << 20  # bytes of a batch whose memory is used again
_OF_THREAD = threading.local()
# One network at a time is compiled, and no process is forked meanwhile: the child would wait for ever for a thread that
# it does not have.
COMPILING = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=COMPILING.acquire, after_in_parent=COMPILING.release, after_in_child=COMPILING.release)
_KEPT: list[Any] = []  # see `compiled_for_one_thread`
_TELEMETRY = "openvino_telemetry"
_CONVERTER = "openvino.tools.ovc"  # converts models of other frameworks


@cache
def openvino_module() -> Any:
    """The package `openvino`, imported without its telemetry.

    On import, `openvino` sends usage data to an analytics service from a forked process, and writes files into the
    home folder. If its telemetry package cannot be imported, it uses a stub instead. This function therefore makes
    that import fail while `openvino` is imported, unless one of the two is imported already. It also skips the model
    converter, which takes a tenth of a second: `openvino.convert_model` imports it when it is called.
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
    """Replaces `openvino.convert_model` for other code in this process."""
    return importlib.import_module(_CONVERTER).convert_model(*args, **kwargs)


def openvino_core() -> Any:
    """The process's only `openvino.Core`, which is never released; a forked process makes its own.

    The CPU plugin of each core replaces the thread's alternate signal stack, and restores the previous one at its end.
    If two cores end in the order in which they began, the second restores the stack of the first, which is freed: the
    next signal that Python handles ends the process. A forked process does not have the threads of the core and would
    wait for them forever.
    """
    return _core_of(os.getpid())


@cache
def _core_of(process: int) -> Any:
    del process
    return openvino_module().Core()


def request_of_thread(network: Callable[..., Any], *about: Hashable) -> Any:
    """The infer request of this thread for a network, so that threads do not write over each other's results.

    Args:
        network: gives the compiled network, called with the number of this process and `about`; it keeps it.
        about: what tells apart several networks of one function.
    """
    key = (os.getpid(), network, about)
    requests: dict[Hashable, Any] = _OF_THREAD.__dict__.setdefault("requests", {})
    if key not in requests:
        with COMPILING:  # else two threads might compile it at the same time
            requests[key] = network(key[0], *about).create_infer_request()
    return requests[key]


class SharedRequest:
    """An infer request of a compiled network with one input; threads take turns to use it."""

    def __init__(self, network: Any) -> None:
        self._request, self._turn = network.create_infer_request(), threading.Lock()
        self._batch: NDArray[np.uint8] = np.empty(0, np.uint8)  # OpenVINO reads the array where it is

    def answers(self, pictures: Sequence[NDArray[np.uint8]], size: int = 0) -> list[Any]:
        """The outputs for pictures of one shape, and for black ones after them up to `size`: arrays of their own."""
        with self._turn:
            self._fill(pictures, size)
            return list(self._request.infer().values())

    def _fill(self, pictures: Sequence[NDArray[np.uint8]], size: int) -> None:
        """Write the batch. To set a new tensor takes 0.02 ms, a tenth of RNet's time: one serves as long as it fits."""
        shape = (max(size, len(pictures)), *pictures[0].shape)
        if self._batch.shape != shape or self._batch.nbytes > MOST_KEPT:
            self._batch = np.empty(shape, np.uint8)
            self._request.set_input_tensor(0, openvino_module().Tensor(self._batch, shared_memory=True))
        fill_batch(self._batch, pictures)


def fill_batch(batch: NDArray[np.uint8], pictures: Sequence[NDArray[np.uint8]]) -> None:
    """Write pictures into a batch, and black ones after them."""
    for at, picture in enumerate(pictures):  # `np.stack` takes three times as long for so few
        batch[at] = picture
    batch[len(pictures) :] = 0


def compiled_for_one_thread(model: Any) -> Any:
    """An `openvino.Model`, or a model file, compiled to run on one thread, on any core; what it does not round to whole
    numbers is in float32.

    It is kept for ever: OpenVINO passes the threads of a released network on to the next one that is compiled, and a
    forked process, which does not have these threads, would wait for them for ever.
    """
    with COMPILING:
        return _kept(openvino_core().compile_model(model, "CPU", _CONFIG))


def imported_for_one_thread(data: bytes) -> Any:
    """The network that `export_model` of a compiled one gave, as `compiled_for_one_thread`.

    Raises:
        RuntimeError: OpenVINO refuses it.
    """
    with COMPILING:
        return _kept(openvino_core().import_model(io.BytesIO(data), "CPU", _CONFIG))


def _kept(compiled: Any) -> Any:
    _KEPT.append(compiled)
    return compiled
