"""The alignment of runs and lists: from the catalogue's column, a list's column, or the report beside a list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath
from maskgen.formats.local_or_remote_files import parquet_of

from .schema import CATALOGUE, REPORT

COLUMN = "alignment"
# Addresses of pictures that `maskgen pairs --also` packed into a container.
_PACKED = r"^train(-[0-9]{5})?\.(rec|tar)/"


def alignment_of_run(run: AnyPath) -> str:
    """The alignment in the catalogue of a run, "" if unknown.

    Raises:
        UserError: the catalogue cannot be read.
    """
    path = run / CATALOGUE
    if not path.is_file():
        raise UserError(f"{run} has no {CATALOGUE}; give the folder that a finished `maskgen mask` wrote.")
    try:
        if COLUMN not in pq.read_schema(parquet_of(path)).names:
            return ""
        table = pq.read_table(parquet_of(path), columns=[COLUMN], read_dictionary=[COLUMN], partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): mask again.") from None
    return joined_alignments(pc.unique(table[COLUMN].combine_chunks()).to_pylist())


def joined_alignments(names: Iterable[str | None]) -> str:
    """Several alignments joined to one name, "" if one is unknown.

    Example:
        >>> joined_alignments(["maskgen", "arcface", "maskgen"]), joined_alignments(["maskgen", ""])
        ('arcface+maskgen', '')
    """
    found = set(names)
    return "+".join(sorted(map(str, found))) if found and all(found) else ""


def alignment_of_list(folder: Path, addresses: Any, columns: Mapping[str, Any] | None = None) -> str:
    """The alignment of the pictures of a list, "" if unknown.

    Args:
        folder: of the list; its report.json, or that of the parent folder, names the runs of the pictures.
        addresses: large_string (n,), as in the list.
        columns: of the list; `alignment` may be among them, as in gallery.csv.
    """
    if columns is not None and COLUMN in columns:
        return joined_alignments(pc.unique(columns[COLUMN]).to_pylist())
    for place in (folder, folder.parent):
        if (place / REPORT).is_file():
            return _reported(_runs(place / REPORT), addresses)
    return ""


def _reported(runs: Mapping[str, tuple[str, str]], addresses: Any) -> str:
    """The alignment of the runs of the addresses, or of the pictures that `maskgen pairs` packed for training."""
    used = [name for name in runs if pc.any(pc.starts_with(addresses, pattern=f"{name}/")).as_py()]
    if not used and pc.all(pc.match_substring_regex(addresses, _PACKED), min_count=0).as_py():
        used = [name for name, (role, _) in runs.items() if role != "eval"]
    return joined_alignments(runs[name][1] for name in used)


def _runs(report: Path) -> dict[str, tuple[str, str]]:
    """Role and alignment of each run that `maskgen pairs` read, by the run's path."""
    try:
        runs = json.loads(report.read_bytes())["runs"]
        return {str(run["folder"]): (str(run["role"]), str(run.get(COLUMN) or "")) for run in runs}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # report of another program
