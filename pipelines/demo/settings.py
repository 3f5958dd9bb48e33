"""Settings of `maskgen demo`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskgen.core.reasons import UserError

from ..checks import check_place, check_range
from .folder import refuse_out


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """All settings of `maskgen demo OUT`.

    Attributes:
        source: the photographs; None for the built-in sample.
        workers: processes; None for one per core.

    Example:
        maskgen demo demo --workers 2

    Raises:
        UserError: a value that cannot be used.
    """

    out: Path
    source: Path | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        check_place("OUT", self.out)
        if self.workers is not None:
            check_range("--workers", self.workers, 1, 4096)
        if self.source is not None and not self.source.exists():
            raise UserError(f"--source {self.source} does not exist: name a folder of photographs.")
        refuse_out(self.out)
