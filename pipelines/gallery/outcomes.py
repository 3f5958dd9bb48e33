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


# A row of warnings.csv: face, photograph, what is said of it, what it looks like, the mask score or "".
Warned = tuple[str, str, str, str, float | str]


@dataclass(slots=True)
class Outcomes:
    """The outcomes so far: faces, photographs set aside, doubtful ones that were kept, and copies of one photograph.

    `by_bytes` are the faces by the digest of their photograph.
    """

    members: list[GalleryRow] = field(default_factory=list)
    set_aside: list[tuple[str, str, str]] = field(default_factory=list)
    doubtful: list[Warned] = field(default_factory=list)
    copies: list[Warned] = field(default_factory=list)
    by_bytes: dict[str, list[GalleryRow]] = field(default_factory=dict)

    def add(self, row: GalleryRow, digest: str) -> None:
        """A face, and the digest of its photograph."""
        self.members.append(row)
        self.by_bytes.setdefault(digest, []).append(row)

    @property
    def warnings(self) -> list[Warned]:
        """The rows of warnings.csv."""
        return sorted([*self.doubtful, *self.copies])

    def warn_of_copies(self) -> None:
        """A warning for each face whose photograph is there again, byte for byte; another person's is named first."""
        for rows in self.by_bytes.values():
            for row in rows:
                others = sorted((one.person == row.person, one.source) for one in rows if one is not row)
                if others:
                    looks = f"the same bytes as {escape(others[0][1])}"
                    self.copies.append((row.path, escape(row.source), escape(row.person), looks, ""))

    def refuse(self, path: str, error: SetAsideError) -> None:
        """Set a photograph aside."""
        self.set_aside.append((escape(path), str(error.reason), escape(error.detail)))
