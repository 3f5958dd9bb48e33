"""Settings of `maskgen kinds`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskgen.core.reasons import UserError

from ..checks import check_place

PREVIEWS = Path("mask_previews")


@dataclass(frozen=True, slots=True)
class KindsSettings:
    """All settings of `maskgen kinds`.

    Attributes:
        out: folder of the previews; None for PREVIEWS if kinds are named, and for no previews if not.
        kinds: the masks to list; empty for all.
        copy_form, copy_to: a built-in form and the folder to copy it to, in place of everything else.

    Example:
        maskgen kinds --out previews

    Raises:
        UserError: a folder that cannot be made, or options of which one has no effect.
    """

    out: Path | None = None
    kinds: tuple[str, ...] = ()
    list_only: bool = False
    copy_form: str | None = None
    copy_to: Path | None = None

    def __post_init__(self) -> None:
        if self.list_only and self.out is not None:
            raise UserError("--list-only writes nothing: leave out --out.")
        for option, value in (("--out", self.out), ("--kind", self.kinds), ("--list-only", self.list_only)):
            if self.copy_to is not None and value:
                raise UserError(f"--copy writes a form alone: leave out {option}.")
        for option, folder in (("--out", self.out), ("--copy", self.copy_to)):
            if folder is not None:
                check_place(option, folder.parent)

    @property
    def previews(self) -> Path | None:
        """Where previews are written, None for nowhere."""
        if self.list_only:
            return None
        return self.out or (PREVIEWS if self.kinds else None)
