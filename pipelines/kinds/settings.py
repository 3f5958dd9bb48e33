"""Settings of `maskgen kinds`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PREVIEWS = Path("mask_previews")


@dataclass(frozen=True, slots=True)
class KindsSettings:
    """Everything that `maskgen kinds` can be told.

    Attributes:
        kinds: the masks to list; all where it is empty.
        copy_form, copy_to: a built-in form, and the folder that it is copied to; nothing else is done then.

    Example:
        maskgen kinds --out previews
    """

    out: Path = PREVIEWS
    kinds: tuple[str, ...] = ()
    list_only: bool = False
    copy_form: str | None = None
    copy_to: Path | None = None
