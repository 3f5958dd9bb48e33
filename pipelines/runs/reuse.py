"""Detections from another run's catalogue, so that a run with other masks does not detect faces again.

A photograph is identified by its path below the source and the hash of its bytes. Faces are detected again in a
photograph that is new or changed, or of which the other run set aside any face. The output is the same with and without
reuse; so settings that decide which faces are found must be the same in both runs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from maskgen.core.checksummed_json import parse_checksummed
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath
from maskgen.formats.local_or_remote_files import parquet_of

from ..checks import differences
from ..mask.settings import MaskSettings
from ..sources.output_names import escape
from .run_folder import RunFolder

if TYPE_CHECKING:
    from maskgen.core.records import Face

FINDING = ("maskgen version", "--faces", "--aligned", "--device", "--landmarks", "--landmarks-model", "--points")


def check_reuse(settings: MaskSettings) -> None:
    """Raise UserError where the detections of the --reuse run cannot be used."""
    if settings.reuse is None:
        return
    other = RunFolder(settings.reuse)
    if other.root.resolve() == settings.run.resolve():
        raise UserError(f"--reuse {other.root} is RUN itself: name another run; RUN resumes without --reuse.")
    try:
        stored = parse_checksummed(other.settings.read_bytes())["settings"]
    except (OSError, ValueError, KeyError):
        raise UserError(
            f"--reuse {other.root} is no folder of a run: name the RUN of an earlier `maskgen mask`."
        ) from None
    if not other.is_complete():
        raise UserError(f"--reuse {other.root} is not complete: finish that run first.")
    asked = settings.deciding()
    differing = differences({name: stored.get(name) for name in FINDING}, {name: asked[name] for name in FINDING})
    if differing:
        raise UserError(
            f"--reuse {other.root} found its faces with other settings: {'; '.join(differing)}: give the same ones, or "
            "leave out --reuse."
        )
    CatalogueFaces(other.root)


class CatalogueFaces:
    """The faces of a run's catalogue, with one row group in memory."""

    def __init__(self, root: AnyPath) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from maskgen.faces.catalogue_columns import CERTAINTY, COLUMNS

        run = RunFolder(root)
        self._name = str(run.catalogue)
        self._columns = ["source", "source_sha256", *COLUMNS]
        try:
            self._file = pq.ParquetFile(parquet_of(run.catalogue))
        except (OSError, pa.ArrowInvalid) as error:
            raise UserError(f"{run.catalogue} cannot be read: {error}.") from None
        missing = set(self._columns) - set(self._file.schema_arrow.names)
        if missing and self._file.metadata.num_rows:
            raise UserError(f"{run.catalogue} has no column {min(missing)}: run that run anew with --overwrite.")
        self._columns += [name for name in CERTAINTY if name in self._file.schema_arrow.names]
        self._ranges = [self._range(group) for group in range(self._file.num_row_groups)] if not missing else []
        self._partly = _partly_set_aside(run)
        self._group = lru_cache(maxsize=2)(self._load)

    def faces(self, keys: Sequence[str], hashes: Sequence[str]) -> list[list[Face]]:
        """The faces of photographs, by path below the source and hash; an empty list for an unknown one.

        Raises:
            UserError: the catalogue is damaged.
        """
        from maskgen.faces.catalogue_columns import face_from_row

        sources = [escape(key) for key in keys]
        found: dict[str, dict[int, Face]] = {}
        for row in self._rows(dict(zip(sources, hashes, strict=True))):
            try:
                face = face_from_row(row)
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"--reuse: the catalogue's row of {row['source']} is damaged: {error}.") from None
            found.setdefault(row["source"], {})[face.index] = face
        return [[face for _, face in sorted(found.get(source, {}).items())] for source in sources]

    def _rows(self, hashes: dict[str, str]) -> list[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array([source for source in hashes if source not in self._partly], pa.string())
        low, high = min(hashes, default=""), max(hashes, default="")
        rows: list[dict[str, Any]] = []
        for group, (first, last) in enumerate(self._ranges):
            if first <= high and low <= last:
                table = self._group(group)
                rows += table.filter(pc.is_in(table["source"], wanted)).to_pylist()
        return [row for row in rows if row["source_sha256"] == hashes[row["source"]]]

    def _load(self, group: int) -> Any:
        import pyarrow as pa

        try:
            return self._file.read_row_group(group, columns=self._columns)
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"--reuse: {self._name} is damaged ({error}): finish that run again.") from None

    def _range(self, group: int) -> tuple[str, str]:
        """The first and last source of a row group, in text order."""
        chunk = self._file.metadata.row_group(group).column(self._file.schema_arrow.names.index("source"))
        statistics = chunk.statistics
        if statistics is None or not statistics.has_min_max:
            return "", chr(0x10FFFF)
        return statistics.min, statistics.max


def _partly_set_aside(run: RunFolder) -> frozenset[str]:
    """Photographs of which a face was set aside: the catalogue lacks that face."""
    try:
        text = run.set_aside.read_bytes().decode("utf-8")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        return frozenset(row["path"] for row in rows if row["what"] == "face")
    except (ValueError, KeyError, csv.Error) as error:
        raise UserError(f"--reuse: {run.set_aside} is damaged ({error}): finish that run again.") from None


@lru_cache(maxsize=1)
def _open(root: AnyPath, start: str) -> CatalogueFaces:
    del start  # a worker may outlive a start, and the other run may differ in the next one
    return CatalogueFaces(root)


def stored_faces(
    settings: MaskSettings, start: str, keys: Sequence[str], hashes: Sequence[str]
) -> list[list[Face]] | None:
    """The faces of these photographs in the --reuse run; None without --reuse.

    Args:
        start: the token of the run's start.
    """
    return None if settings.reuse is None else _open(settings.reuse, start).faces(keys, hashes)
