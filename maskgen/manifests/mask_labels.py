"""The mask and the photograph of each picture: from the catalogue of its run, else from its file name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from maskgen.core.reasons import UserError
from maskgen.core.records import Doubles
from maskgen.formats.any_path import AnyPath, RemotePath, is_remote
from maskgen.formats.local_or_remote_files import parquet_of

from .csv_table import joined
from .report import stored_report
from .schema import CATALOGUE, Ints

# PHOTOGRAPH__KIND.jpg, PHOTOGRAPH__KIND.f2.jpg: the naming rule of outputs.
_NAME = r"(?s)^(?P<photograph>.*)__(?P<kind>[^/]+?)(?:\.f[0-9]+)?\.[^./]+$"


def mask_kinds_of(folder: Path, addresses: Any) -> list[str]:
    """The kind of each picture: "bare", a mask's name, or "" if unknown.

    Args:
        folder: of the list; its report.json names the runs of the pictures.
        addresses: large_string (n,), as in the list.

    Raises:
        UserError: a catalogue cannot be read, or report.json is damaged.
    """
    kinds = pc.fill_null(_by_name(addresses, "kind"), "")
    for prefix, run in _runs(folder):
        column = _from_catalogue(prefix, run, addresses, "kind")
        kinds = kinds if column is None else pc.coalesce(column.cast(pa.large_string()), kinds)
    texts: list[str] = kinds.to_pylist()
    return texts


def photographs_of(folder: Path, addresses: Any) -> Ints:
    """A code for the photograph of each picture, int64 (n,): equal where two pictures were made from the same bytes.

    Without a catalogue two pictures PHOTOGRAPH__KIND in one folder are of one photograph. Any other picture is a
    photograph of its own. See `mask_kinds_of`.

    Raises:
        UserError: a catalogue cannot be read.
    """
    photographs = pc.coalesce(_by_name(addresses, "photograph"), addresses)
    for prefix, run in _runs(folder):
        for name, before in (("source", f"{prefix}\n"), ("source_sha256", "")):
            column = _from_catalogue(prefix, run, addresses, name)
            if column is not None:
                texts = column.cast(pa.large_string())
                known = pc.fill_null(pc.not_equal(texts, ""), fill_value=False)
                photographs = pc.if_else(known, joined(before, texts), photographs)
    whole = photographs.combine_chunks() if isinstance(photographs, pa.ChunkedArray) else photographs
    return np.asarray(whole.dictionary_encode().indices.to_numpy(zero_copy_only=False), np.int64)


def _by_name(addresses: Any, part: str) -> Any:
    """The kind or the photograph by the pictures' names, large_string (n,), null where a name does not tell."""
    found = pc.extract_regex(addresses, _NAME)
    # A null of the whole is not one of the field.
    return pc.if_else(pc.is_valid(found), found.field(part), pa.scalar(None, pa.large_string()))


def yaws_of(folder: Path, addresses: Any) -> Doubles:
    """The yaw of each picture's face in degrees, float64 (n,), NaN if unknown; see `mask_kinds_of`.

    Raises:
        UserError: a catalogue cannot be read.
    """
    yaws = np.full(len(addresses), np.nan)
    for prefix, run in _runs(folder):
        column = _from_catalogue(prefix, run, addresses, "yaw")
        if column is not None:
            own = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
            yaws = np.where(np.isnan(own), yaws, own)
    return yaws


def _runs(folder: Path) -> Iterator[tuple[str, AnyPath]]:
    """The address prefix and the folder of each run of a list, if the run has a catalogue."""
    try:
        names = [str(run["folder"]) for run in stored_report(folder)["runs"]]
    except (KeyError, TypeError):
        return  # lists of other programs have no such report
    for name in names:
        run: AnyPath = RemotePath(name) if is_remote(name) else folder / name
        if (run / CATALOGUE).is_file():
            yield ("" if name == "." else f"{name}/"), run


def _from_catalogue(prefix: str, run: AnyPath, addresses: Any, column: str) -> Any:
    """A catalogue column at each address, null for addresses it lacks; None if it has no such column."""
    path = run / CATALOGUE
    try:
        if column not in pq.read_schema(parquet_of(path)).names:
            return None
        table = pq.read_table(parquet_of(path), columns=["path", column], partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): mask again.") from None
    own = joined(prefix, table["path"].cast(pa.large_string()).combine_chunks())
    own = pa.concat_arrays(own.chunks) if isinstance(own, pa.ChunkedArray) else own
    place = pc.index_in(addresses, value_set=own)
    values = table[column].combine_chunks()
    return (pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values).take(place)
