"""Totals of a run from its shard reports: the printed table and report.json."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.kindspec import BARE

from ..runs.shard_records import ShardReport
from ..runs.versions import versions

if TYPE_CHECKING:
    from ..runs.task import ShardDone


SUMMARY_BYTES = "summary_bytes"
ALL_WRITTEN, SOME_SET_ASIDE, NOTHING_WRITTEN = 0, 3, 4


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes of all photographs of a run.

    `people` have photographs, `people_written` have outputs. `set_aside` counts photographs by reason,
    `faces_set_aside` further faces; `outputs` counts pictures by kind (the first face's where a picture has several);
    `faces` counts the faces in them, masked or bare, each of which has a row in the catalogue, and `faces_by_kind`
    those of each kind: the same as the pictures where each has one face; `several_faces` counts the photographs among
    the written ones in which more than one face was found.

    Raises:
        ValueError: the counts do not add up.
    """

    people: int
    people_written: int
    photographs: int
    written: int
    catalogue_rows: int
    set_aside: Mapping[str, int] = field(default_factory=dict)
    faces_set_aside: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)
    several_faces: int = 0
    faces: int = 0
    faces_by_kind: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        aside = sum(self.set_aside.values())
        if self.photographs != self.written + aside:
            raise ValueError(f"{self.photographs} photographs, but {self.written} written and {aside} set aside")
        if self.catalogue_rows != self.faces or self.faces < self.images:
            raise ValueError(f"{self.catalogue_rows} rows for {self.faces} faces in {self.images} pictures")
        if sum(self.faces_by_kind.values()) != self.faces:
            raise ValueError(f"{self.faces} faces, but {sum(self.faces_by_kind.values())} by kind")
        if self.people_written > self.people:
            raise ValueError(f"{self.people_written} people written of {self.people}")

    @property
    def images(self) -> int:
        """Pictures written."""
        return sum(self.outputs.values())

    @property
    def pictures(self) -> dict[str, int]:
        """Pictures "masked" and "bare", those that there are."""
        bare = self.outputs.get(BARE, 0)
        return {name: count for name, count in (("masked", self.images - bare), (BARE, bare)) if count}

    @property
    def masks(self) -> dict[str, int]:
        """Masked faces by kind."""
        return {kind: count for kind, count in self.faces_by_kind.items() if kind != BARE}

    @property
    def shares_pictures(self) -> bool:
        """Whether some picture has several faces, so that faces and pictures are two counts."""
        return self.faces > self.images

    @property
    def exit_code(self) -> int:
        """The exit code: 0 all written, 3 some photographs or faces set aside, 4 nothing written."""
        if not self.written:
            return NOTHING_WRITTEN
        return SOME_SET_ASIDE if self.set_aside or self.faces_set_aside else ALL_WRITTEN

    def table(self) -> str:
        """The printed table."""
        lines = [
            _line("people", self.people_written, {"without any picture": self.people - self.people_written}),
            _line("photographs in", self.photographs, {}),
            _line("images out", self.images, self.pictures if self.shares_pictures else self.outputs),
            _line("set aside", sum(self.set_aside.values()), self.set_aside),
        ]
        if self.shares_pictures:
            lines.insert(3, _line("  faces in them", self.faces, self.faces_by_kind))
        if self.several_faces:
            lines.insert(2, _line("  several faces", self.several_faces, {}))
        if self.faces_set_aside:
            lines.append(_line("faces set aside", sum(self.faces_set_aside.values()), self.faces_set_aside))
        return "\n".join(lines)

    def to_json(self, settings: Mapping[str, object], sizes: Mapping[str, int]) -> str:
        """report.json: totals, settings, versions and a checksum; no times, so that equal runs are equal bytes.

        Args:
            sizes: bytes of the other summary files, by name.
        """
        stored = asdict(self) | {"images": self.images, "settings": settings, "versions": versions()}
        stored |= {SUMMARY_BYTES: sizes}
        return json.dumps(add_checksum(stored), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """The report that `to_json` wrote.

        Raises:
            ValueError: it is damaged.
        """
        return cls.with_sizes(text)[0]

    @classmethod
    def with_sizes(cls, text: str | bytes) -> tuple[Report, dict[str, int]]:
        """The report that `to_json` wrote, and the sizes that it was given.

        Raises:
            ValueError: it is damaged.
        """
        stored = parse_checksummed(text)
        try:
            report = cls(**{name: stored[name] for name in cls.__dataclass_fields__})
            return report, dict(stored.get(SUMMARY_BYTES, {}))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it lacks {error}") from None


class Totals:
    """Sums the reports of shards, given in the order of the plan."""

    def __init__(self) -> None:
        self.photographs = self.written = self.several_faces = self.faces = 0
        self.people: set[str] = set()
        self.set_aside: Counter[str] = Counter()
        self.faces_set_aside: Counter[str] = Counter()
        self.outputs: Counter[str] = Counter()

    def add(self, report: ShardReport) -> None:
        """Count one shard; a person of several shards is counted once."""
        self.photographs += report.photographs
        self.written += report.written
        self.several_faces += report.several_faces
        self.faces += report.rows
        self.set_aside.update(one.reason for one in report.set_aside)
        self.faces_set_aside.update(one.reason for one in report.faces_set_aside)
        self.outputs.update(report.outputs)
        self.people.update(report.people)

    def report(self, people: int, faces_by_kind: Mapping[str, int]) -> Report:
        """The run's report.

        Args:
            faces_by_kind: the catalogue's rows of each kind.

        Raises:
            ValueError: the catalogue has other rows than the shards.
        """
        return Report(
            people=people,
            people_written=len(self.people),
            photographs=self.photographs,
            written=self.written,
            catalogue_rows=sum(faces_by_kind.values()),
            set_aside=dict(sorted(self.set_aside.items())),
            faces_set_aside=dict(sorted(self.faces_set_aside.items())),
            outputs=dict(sorted(self.outputs.items())),
            several_faces=self.several_faces,
            faces=self.faces,
            faces_by_kind=dict(sorted(faces_by_kind.items())),
        )


# For report.html.
TIMING = frozenset({"photographs", "workers", "seconds", "photographs_per_second", "worker_peak_mb"})


@dataclass(slots=True)
class Timing:
    """Time and memory of a start; kept out of the report, which is equal for interrupted and uninterrupted runs."""

    photographs: int = 0
    elapsed: float = 0.0
    peak_mb: float = 0.0
    reused: int = 0
    cpu: float = 0.0
    begun: float = field(default_factory=time.time)
    ready: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, done: ShardDone) -> None:
        """Count one shard."""
        self.photographs += done.report.photographs
        self.reused += done.reused
        self.cpu += done.cpu
        if done.ready is not None:
            self.ready[done.worker] = done.ready - self.begun
        self.peak_mb = max(self.peak_mb, done.peak_mb)
        for stage, spent in done.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent

    def stored(self, workers: int) -> dict[str, object]:
        """For timing.json."""
        return {
            "photographs": self.photographs,
            "faces_reused": self.reused,
            "workers": workers,
            "seconds": round(self.elapsed, 3),
            "photographs_per_second": round(self.photographs / max(self.elapsed, 1e-9), 1),
            "start_up_seconds": round(sum(self.ready.values()) / max(len(self.ready), 1), 3),
            "cpu_seconds": round(self.cpu, 3),
            "worker_peak_mb": round(self.peak_mb, 1),
            "stage_seconds": {stage: round(spent, 3) for stage, spent in sorted(self.seconds.items())},
        }


def _line(title: str, total: int, parts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in parts.items() if count)
    return f"{title:<16}{total:>12,}    {shown}".rstrip()
