"""Counts of a gallery's outcomes, for report.json and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

FILE_BYTES = "file_bytes"


@dataclass(frozen=True, slots=True)
class GalleryReport:
    """The totals.

    Attributes:
        photographs: all of SOURCE; `written` and `set_aside` (by reason) add up to it.
        people: those with a face in the gallery.
        unlike: people with other counts than expected, including those without any face.
        in_doubt: photographs that were kept although they contradict their label or may show no face.
        copies: photographs that are there more than once, byte for byte, of one person or of several.
        faceless: further people, all of whose photographs were set aside; people.csv lists them too.
    """

    photographs: int
    people: int
    bare: int
    masked: int
    set_aside: dict[str, int]
    unlike: int
    in_doubt: int
    faceless: int = 0  # unknown in earlier galleries, as the next
    copies: int = 0

    def __post_init__(self) -> None:
        if self.written + sum(self.set_aside.values()) != self.photographs:
            raise ValueError(f"{self.photographs} photographs, {self.written} written, set aside {self.set_aside}")

    @property
    def written(self) -> int:
        """The number of faces in the gallery."""
        return self.bare + self.masked

    @property
    def exit_code(self) -> int:
        """The exit code: 0 all written, 3 some set aside, 4 nothing written."""
        return 4 if not self.written else 3 if self.set_aside else 0

    def table(self) -> str:
        """The printed summary."""
        lines = [("people", self.people), ("photographs in", self.photographs), ("bare faces, enrol", self.bare)]
        lines += [("masked faces, probe", self.masked), ("set aside", sum(self.set_aside.values()))]
        reasons = ", ".join(f"{name} {count}" for name, count in sorted(self.set_aside.items()))
        text = [f"{title:<22}{count:>10,}" for title, count in lines]
        text[0] += f"    without a face {self.faceless:,}" if self.faceless else ""
        text[-1] += f"    {reasons}" if reasons else ""
        if self.unlike:
            text.append(f"{'unexpected counts':<22}{self.unlike:>10,}    of people, see people.csv")
        if self.in_doubt:
            text.append(f"{'doubtful, kept':<22}{self.in_doubt:>10,}    of photographs, see warnings.csv")
        if self.copies:
            text.append(f"{'the same bytes':<22}{self.copies:>10,}    as another photograph, see warnings.csv")
        return "\n".join(text)

    def to_json(self, settings: Mapping[str, object], sizes: Mapping[str, int]) -> dict[str, object]:
        """For report.json.

        Args:
            sizes: bytes of the gallery's other files, by path below its folder.
        """
        return {**asdict(self), "settings": dict(settings), FILE_BYTES: dict(sizes)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GalleryReport:
        """The report of a report.json."""
        return cls(**{field.name: stored[field.name] for field in fields(cls) if field.name in stored})
