"""Records of a shard: a report with the outcome of each photograph, and catalogue rows.

The rows are written first and the report last, so a report marks a finished shard. It holds a checksum of itself, the
hash of the rows, and the size of each output: a shard that a power cut or a bad disk damaged, or of which an output was
removed or cut, is detected and processed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.formats.local_or_remote_files import different_file, persist, size_of

from .catalogue import Row, load_rows, table_bytes
from .run_folder import RunFolder, check_may_write

_ROWS = "rows_sha256"  # of the catalogue rows' bytes, in a shard's report
_SIZES = "output_bytes"  # of each output file, in the order of the rows; none in earlier runs
_PATHS = ("path", "segmentation", "classes")  # columns of the rows


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


def save_shard(
    run: RunFolder, shard: str, rows: Sequence[Row], report: ShardReport, sizes: Mapping[str, int] | None = None
) -> None:
    """Commit a shard: its rows, then its report.

    Args:
        sizes: bytes of outputs, by path below the run's folder; of others they are looked up.

    Raises:
        UserError: this start has ended, and another may be running.
    """
    check_may_write(run)
    data = table_bytes(rows) if rows else b""
    if rows:
        run.place(run.rows(shard), data)
    persist(run.root)  # the pictures and the rows must be on disk before the mark
    known = sizes or {}
    found = [known[path] if path in known else size_of(run.root / path) for path in _outputs(shard, rows)]
    sealed = add_checksum(asdict(report) | {_ROWS: hashlib.sha256(data).hexdigest(), _SIZES: found})
    run.place_text(run.shard(shard), json.dumps(sealed) + "\n", durable=True)


class DamagedShardError(UserError):
    """A finished shard whose report, rows or outputs are damaged; `why` says which."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"{path} is damaged ({why}): give the same command again to process it again.")
        self.why = why


def load_report(run: RunFolder, shard: str) -> ShardReport:
    """The report of a finished shard.

    Raises:
        DamagedShardError: its checksum does not match.
    """
    return _loaded(run, shard)[0]


def check_shard(run: RunFolder, shard: str) -> ShardReport:
    """The report of a finished shard.

    Raises:
        DamagedShardError: its checksum does not match, or that of the shard's rows, or an output is missing or has
            another size than was written. The content of outputs is not read, and those in an object store are not
            looked up: there an upload is complete or absent, and each size would be a request.
    """
    report, wanted, sizes = _loaded(run, shard)
    rows = run.rows(shard)
    if hashlib.sha256(_bytes_of(rows)).hexdigest() != wanted:
        raise _damaged(run, shard, "its rows are not those that were written")
    if sizes and not isinstance(run.root, RemotePath):
        listed = _outputs(shard, load_rows(rows, _PATHS))
        if why := different_file(run.root, dict(zip(listed, sizes, strict=True))):
            raise _damaged(run, shard, why)
    return report


def _bytes_of(path: AnyPath) -> bytes:
    try:
        return path.read_bytes()  # of a hundred thousand shards, so not asked before whether it is there
    except (FileNotFoundError, IsADirectoryError):
        return b""


def _outputs(shard: str, rows: Sequence[Row]) -> list[str]:
    """The files that hold the outputs of these rows, below the run's folder, each once."""
    tar = f"/{shard}.tar"
    found: dict[str, None] = {}
    for path in (path for row in rows for name in _PATHS if (path := row.get(name))):
        top, inside, _ = path.partition(tar)
        found[f"{top}{tar}" if inside else path] = None
    return list(found)


def _loaded(run: RunFolder, shard: str) -> tuple[ShardReport, str, list[int]]:
    """The report, the hash of the rows, and the size of each output."""
    try:
        stored: dict[str, Any] = parse_checksummed(run.shard(shard).read_bytes())
        wanted, sizes = str(stored.pop(_ROWS)), [int(size) for size in stored.pop(_SIZES, ())]
        for name in ("set_aside", "faces_set_aside"):
            stored[name] = tuple(SetAside(**one) for one in stored[name])
        stored["people"] = tuple(stored["people"])
        return ShardReport(**stored), wanted, sizes
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(run, shard, str(error)) from None


def _damaged(run: RunFolder, shard: str, why: str) -> DamagedShardError:
    return DamagedShardError(run.shard(shard), why)


def retract_shard(run: RunFolder, shard: str) -> None:
    """Undo a commit: the report first, so that no report exists without its rows."""
    run.shard(shard).unlink(missing_ok=True)
    run.rows(shard).unlink(missing_ok=True)
