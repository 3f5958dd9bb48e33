"""Where prepared files are kept from one start to the next.

`MASKGEN_CACHE` names the folder; otherwise it is `maskgen` in the system's place for caches. It may be deleted at any
time. A home that cannot be written is no fault: then nothing is kept.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The folder, which need not exist."""
    if named := os.environ.get("MASKGEN_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "maskgen"
    home = os.path.expanduser("~")  # noqa: PTH111  Path.expanduser raises where there is no home
    return Path(home) / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "maskgen"
