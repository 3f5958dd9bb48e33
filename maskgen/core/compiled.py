"""Functions that Numba compiles for this processor at the first call and caches on disk.

The cache is beside the module (`__pycache__`), or in the user's cache folder if that is not writable; `NUMBA_CACHE_DIR`
names another folder. Files are written atomically, so processes may share the cache. Without a writable folder every
process compiles for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers, with strict IEEE arithmetic in the order written."""
    try:
        return cast("F", numba.njit(cache=True, error_model="numpy", nogil=True)(function))
    except RuntimeError as fault:
        if "cannot cache" not in str(fault):
            raise
        return cast("F", numba.njit(error_model="numpy", nogil=True)(function))
