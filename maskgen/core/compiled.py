"""Functions compiled by Numba to this processor's instructions when first called, and kept on disk for later starts.

Numba keeps what it compiled beside the module (`__pycache__`), or where that cannot be written in the user's cache
folder; `NUMBA_CACHE_DIR` names another place. Files are written whole under a name of their own and then renamed, so
processes may share the place. Where none can be written every process compiles for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers; its arithmetic is IEEE's, in the order written."""
    try:
        return cast("F", numba.njit(cache=True, error_model="numpy", nogil=True)(function))
    except RuntimeError as fault:
        if "cannot cache" not in str(fault):
            raise
        return cast("F", numba.njit(error_model="numpy", nogil=True)(function))
