"""The folder where prepared files are kept between starts."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Where prepared files are kept; it need not exist, and may be deleted at any time.

    `MASKGEN_CACHE` names it; otherwise it is `maskgen` in the system's place for caches.
    """
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


def remove_all_but_newest(prefix: str, count: int) -> None:
    """Remove the files whose names begin so, but for the newest: each environment in which the package is installed has
    its own."""
    kept = sorted(cache_folder().glob(f"{prefix}*"), key=lambda path: path.stat().st_mtime)
    for path in kept[:-count]:
        with contextlib.suppress(OSError):  # another process was quicker, or uses it where that forbids it
            path.unlink()
