"""Settings of `maskgen kinds`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PREVIEWS = Path("mask_previews")


@dataclass(frozen=True, slots=True)
class KindsSettings:
    """All settings of `maskgen kinds`.

    Attributes:
        kinds: the masks to list; empty for all.
        copy_form, copy_to: a built-in form and the folder to copy it to, in place of everything else.

    Example:
        maskgen kinds --out previews
    """

    out: Path = PREVIEWS
    kinds: tuple[str, ...] = ()
    list_only: bool = False
    copy_form: str | None = None
    copy_to: Path | None = None
