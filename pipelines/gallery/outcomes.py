"""Outcomes of a gallery's photographs, before the tables are written."""

from __future__ import annotations

from dataclasses import dataclass, field

from maskgen.core.reasons import SetAsideError

from ..sources.output_names import escape


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """One face of the gallery: its row of gallery.csv without the target."""

    path: str
    person: str
    masked: bool
    source: str
    width: int
    height: int
    box: str
    score: float
    alignment: str


@dataclass(slots=True)
class Outcomes:
    """The outcomes so far: faces, photographs set aside, warnings."""

    members: list[GalleryRow] = field(default_factory=list)
    set_aside: list[tuple[str, str, str]] = field(default_factory=list)
    warnings: list[tuple[str, str, str, str, float]] = field(default_factory=list)

    def refuse(self, path: str, error: SetAsideError) -> None:
        """Set a photograph aside."""
        self.set_aside.append((escape(path), str(error.reason), escape(error.detail)))
