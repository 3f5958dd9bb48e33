"""Outcomes of a gallery's photographs as counts that add up, for report.json and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class GalleryReport:
    """The totals.

    Attributes:
        photographs: looked at; `written` and `set_aside` (by reason) add up to it.
        unlike: people with other counts than expected, those without any face among them.
        in_doubt: photographs that were taken though they contradict what is said of them, or hardly show a face.
    """

    photographs: int
    people: int
    bare: int
    masked: int
    set_aside: dict[str, int]
    unlike: int
    in_doubt: int

    def __post_init__(self) -> None:
        if self.written + sum(self.set_aside.values()) != self.photographs:
            raise ValueError(f"{self.photographs} photographs, {self.written} written, set aside {self.set_aside}")

    @property
    def written(self) -> int:
        """Faces in the gallery."""
        return self.bare + self.masked

    @property
    def exit_code(self) -> int:
        """0 all written, 3 some set aside, 4 nothing written."""
        return 4 if not self.written else 3 if self.set_aside else 0

    def table(self) -> str:
        """For the terminal."""
        lines = [("people", self.people), ("photographs in", self.photographs), ("bare faces, enrol", self.bare)]
        lines += [("masked faces, probe", self.masked), ("set aside", sum(self.set_aside.values()))]
        reasons = ", ".join(f"{name} {count}" for name, count in sorted(self.set_aside.items()))
        text = [f"{title:<22}{count:>10,}" for title, count in lines]
        text[-1] += f"    {reasons}" if reasons else ""
        if self.unlike:
            text.append(f"{'not as expected':<22}{self.unlike:>10,}    people, see people.csv")
        if self.in_doubt:
            text.append(f"{'taken though in doubt':<22}{self.in_doubt:>10,}    photographs, see warnings.csv")
        return "\n".join(text)

    def to_json(self, settings: Mapping[str, object]) -> dict[str, object]:
        """For report.json."""
        return {**asdict(self), "settings": dict(settings)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GalleryReport:
        """As it was written."""
        return cls(**{field.name: stored[field.name] for field in fields(cls)})
