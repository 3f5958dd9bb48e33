"""Settings of `maskgen demo`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Everything that `maskgen demo OUT` can be told.

    Attributes:
        source: the photographs; the built-in sample where it is None.
        workers: processes; one a core where it is None.

    Example:
        maskgen demo demo --workers 2
    """

    out: Path
    source: Path | None = None
    workers: int | None = None
