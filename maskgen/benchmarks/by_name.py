"""The benchmarks by name."""

from __future__ import annotations

import difflib

from maskgen.core.reasons import UserError

from .base import Benchmark
from .insightface_bin import BIN
from .lfw import LFW
from .mfr2 import MFR2
from .rmfrd import RMFRD

BENCHMARKS = {one.name: one for one in (MFR2, LFW, RMFRD, BIN)}
ABSENT = ("mlfw", "ocfr")  # MLFW and OCFR-2022: no public source states the format of their pair lists


def benchmark(name: str) -> Benchmark:
    """The benchmark of that name.

    Raises:
        UserError: it does not exist.
    """
    if name in ABSENT:
        raise UserError(f"--benchmark {name} is not included: no public source states the format of its pair list.")
    if name not in BENCHMARKS:
        near = difflib.get_close_matches(name, BENCHMARKS, 1)
        hint = f": did you mean {near[0]}?" if near else f": give one of {', '.join(BENCHMARKS)}."
        raise UserError(f"--benchmark {name} is not known{hint}")
    return BENCHMARKS[name]
