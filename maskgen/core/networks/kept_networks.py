"""Compiled networks in the cache folder: OpenVINO takes 20 to 230 ms to compile one, and a third to load it again.

What is kept is OpenVINO's export: the network's description as OpenVINO has changed it for this processor, and the
weights. The machine code is made at each start, and the answers are the same, bit for bit.
"""

from __future__ import annotations

import contextlib
import io
import os
import platform
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from maskgen.core.cache.kept_files import build_of, file_state, kept_bytes
from maskgen.core.networks.openvino_core import (
    COMPILING,
    compiled_for_one_thread,
    imported_for_one_thread,
    openvino_core,
    openvino_module,
)

_CPUINFO = Path("/proc/cpuinfo")  # of Linux
_SETTINGS = "ONEDNN_", "DNNL_", "OV_"  # of OpenVINO and oneDNN, which change what is made for a processor


def kept_network(make: Callable[[], Any], packages: Sequence[str], files: Sequence[Path] = (), about: str = "") -> Any:
    """The network that `make` gives, an `openvino.Model`, compiled as by `compiled_for_one_thread`; from the cache
    folder if it was compiled before on such a processor.

    Args:
        packages: of this program; the network depends on their files.
        files: others that it depends on; without one of them nothing is kept, and `make` reports the fault.
        about: what else tells it from other networks of these packages.
    """
    with COMPILING:
        key = _key(packages, files, about)
        if key is None or "EXPORT_IMPORT" not in _of_cpu("OPTIMIZATION_CAPABILITIES"):
            return compiled_for_one_thread(make())
        made: list[Any] = []

        def exported() -> bytes:
            made.append(compiled_for_one_thread(make()))
            stream = io.BytesIO()
            made[0].export_model(stream)  # without a stream some versions return bytes, others a stream
            return stream.getvalue()

        data = kept_bytes("network", key, exported)
        if not made:
            with contextlib.suppress(RuntimeError):  # OpenVINO refuses it
                made.append(imported_for_one_thread(data))
        return made[0] if made else compiled_for_one_thread(make())


def _key(packages: Sequence[str], files: Sequence[Path], about: str) -> str | None:
    """All that a compiled network depends on; None if that is not known."""
    build = build_of(*packages)
    try:
        states = [file_state(path) for path in files]
    except OSError:
        return None
    return build and "\0".join([about, build, *states, _engine()])


@cache
def _engine() -> str:
    """OpenVINO's version, and what it may know of the processor: its name, abilities and instructions, and settings
    that keep OpenVINO from some of these."""
    known = [openvino_module().get_version(), platform.machine(), _of_cpu("FULL_DEVICE_NAME")]
    known += map(str, _of_cpu("OPTIMIZATION_CAPABILITIES"))
    known += sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(_SETTINGS))
    return "\0".join([*known, _instructions()])


def _of_cpu(name: str) -> Any:
    return openvino_core().get_property("CPU", name)


def _instructions() -> str:
    """The line of the first core's instructions, where the system is Linux: elsewhere the name tells enough."""
    with contextlib.suppress(OSError), _CPUINFO.open(encoding="ascii", errors="replace") as file:
        return next((line for line in file if line.startswith(("flags", "Features"))), "")
    return ""
