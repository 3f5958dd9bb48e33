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
    """The outcomes so far: faces, photographs set aside, warnings.

    `by_bytes` are the faces by the digest of their photograph.
    """

    members: list[GalleryRow] = field(default_factory=list)
    set_aside: list[tuple[str, str, str]] = field(default_factory=list)
    warnings: list[tuple[str, str, str, str, float | str]] = field(default_factory=list)
    by_bytes: dict[str, list[GalleryRow]] = field(default_factory=dict)

    def add(self, row: GalleryRow, digest: str) -> None:
        """A face, and the digest of its photograph."""
        self.members.append(row)
        self.by_bytes.setdefault(digest, []).append(row)

    def warn_of_shared_bytes(self) -> None:
        """A warning for each face whose photograph is, byte for byte, another person's too."""
        for rows in self.by_bytes.values():
            for row in rows:
                other = next((one for one in rows if one.person != row.person), None)
                if other is not None:
                    looks = f"the same bytes as {escape(other.source)}"
                    self.warnings.append((row.path, escape(row.source), escape(row.person), looks, ""))

    def refuse(self, path: str, error: SetAsideError) -> None:
        """Set a photograph aside."""
        self.set_aside.append((escape(path), str(error.reason), escape(error.detail)))
