"""What is recorded of each shard: a report of what became of its photographs, beside its catalogue rows.

The rows come first and the report last, so a report marks a shard that is wholly done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from .catalogue import Row, table_bytes
from .run_folder import RunFolder, check_may_write


@dataclass(frozen=True, slots=True)
class SetAside:
    """A photograph, or one face of it, that gave no output, and why; `path` is its key as text."""

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What became of the photographs of one shard.

    `written` counts photographs with at least one output, `set_aside` holds the others; `faces_set_aside`
    holds further faces. `outputs` counts pictures by kind, `rows` the masked faces in them; `people` are those
    who have any; `several_faces` counts the written photographs in which more than one face was found.

    Raises:
        ValueError: the counts do not add up.
    """

    photographs: int
    written: int
    set_aside: tuple[SetAside, ...] = ()
    faces_set_aside: tuple[SetAside, ...] = ()
    outputs: Mapping[str, int] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    several_faces: int = 0
    rows: int = 0

    def __post_init__(self) -> None:
        if self.photographs != self.written + len(self.set_aside):
            raise ValueError(
                f"{self.photographs} photographs, but {self.written} written, {len(self.set_aside)} set aside"
            )
        if not 0 <= self.several_faces <= self.written:
            raise ValueError(f"{self.several_faces} photographs of several faces, but {self.written} written")
        if sum(self.outputs.values()) < self.written:
            raise ValueError(f"{self.written} photographs written in {sum(self.outputs.values())} pictures")
        if self.rows < sum(self.outputs.values()):
            raise ValueError(f"{self.rows} rows for {sum(self.outputs.values())} pictures")


def save_shard(run: RunFolder, shard: str, rows: Sequence[Row], report: ShardReport) -> None:
    """Commit a shard: its rows, then its report.

    Raises:
        UserError: this start is over, and another may be at work.
    """
    check_may_write(run)
    if rows:
        run.place(run.rows(shard), table_bytes(rows))
    run.place_text(run.shard(shard), json.dumps(asdict(report)) + "\n")


def load_report(run: RunFolder, shard: str) -> ShardReport:
    """The report of a finished shard."""
    stored = json.loads(run.shard(shard).read_text("utf-8"))
    for name in ("set_aside", "faces_set_aside"):
        stored[name] = tuple(SetAside(**one) for one in stored[name])
    stored["people"] = tuple(stored["people"])
    return ShardReport(**stored)


def forget_shard(run: RunFolder, shard: str) -> None:
    """Take back a commit: the report first, so that no report stands without its rows."""
    run.shard(shard).unlink(missing_ok=True)
    run.rows(shard).unlink(missing_ok=True)
