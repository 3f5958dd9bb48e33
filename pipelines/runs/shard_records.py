"""Records of a shard: a report with the outcome of each photograph, and catalogue rows.

The rows are written first and the report last, so a report marks a finished shard. It holds a checksum of itself and
the hash of the rows: a shard that a power cut or a bad disk damaged is detected and processed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.reasons import UserError
from maskgen.formats.local_or_remote_files import persist

from .catalogue import Row, table_bytes
from .run_folder import RunFolder, check_may_write

_ROWS = "rows_sha256"  # of the catalogue rows' bytes, in a shard's report


@dataclass(frozen=True, slots=True)
class SetAside:
    """A photograph, or one face of it, that gave no output, and why; `path` is its key as text."""

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ShardReport:
    """The outcomes of the photographs of one shard.

    `written` counts photographs with at least one output, `set_aside` holds the others; `faces_set_aside`
    holds further faces. `outputs` counts pictures by kind, `rows` the masked faces in them; `people` are those
    with any output; `several_faces` counts the written photographs in which more than one face was found.

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
        UserError: this start has ended, and another may be running.
    """
    check_may_write(run)
    data = table_bytes(rows) if rows else b""
    if rows:
        run.place(run.rows(shard), data)
    persist(run.root)  # the pictures and the rows must be on disk before the mark
    sealed = add_checksum(asdict(report) | {_ROWS: hashlib.sha256(data).hexdigest()})
    run.place_text(run.shard(shard), json.dumps(sealed) + "\n", durable=True)


class DamagedShardError(UserError):
    """A finished shard whose report or rows are damaged."""


def load_report(run: RunFolder, shard: str) -> ShardReport:
    """The report of a finished shard.

    Raises:
        DamagedShardError: its checksum does not match.
    """
    return _loaded(run, shard)[0]


def check_shard(run: RunFolder, shard: str) -> ShardReport:
    """The report of a finished shard.

    Raises:
        DamagedShardError: its checksum does not match, or that of the shard's rows.
    """
    report, wanted = _loaded(run, shard)
    rows = run.rows(shard)
    if hashlib.sha256(rows.read_bytes() if rows.is_file() else b"").hexdigest() != wanted:
        raise _damaged(run, shard, "its rows are not those that were written")
    return report


def _loaded(run: RunFolder, shard: str) -> tuple[ShardReport, str]:
    """The report, and the hash of the rows."""
    try:
        stored: dict[str, Any] = parse_checksummed(run.shard(shard).read_bytes())
        wanted = str(stored.pop(_ROWS))
        for name in ("set_aside", "faces_set_aside"):
            stored[name] = tuple(SetAside(**one) for one in stored[name])
        stored["people"] = tuple(stored["people"])
        return ShardReport(**stored), wanted
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(run, shard, str(error)) from None


def _damaged(run: RunFolder, shard: str, why: str) -> DamagedShardError:
    return DamagedShardError(f"{run.shard(shard)} is damaged ({why}): give the same command again to process it again.")


def retract_shard(run: RunFolder, shard: str) -> None:
    """Undo a commit: the report first, so that no report exists without its rows."""
    run.shard(shard).unlink(missing_ok=True)
    run.rows(shard).unlink(missing_ok=True)
