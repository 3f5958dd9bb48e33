"""Embed a list: the Parquet file is written batch by batch, so memory does not grow with the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen import __version__
from maskgen.core.reasons import UserError

from ..alignment_checks import check_pictures
from ..embedding import Part, embed_parts, open_model
from ..output_file import refuse_foreign, refuse_out
from ..reports.progress import Notify
from .settings import EmbedSettings

if TYPE_CHECKING:
    from maskgen.embedders.base import FaceEmbedder

COLUMN, SUFFIX = "embedding", ".parquet"
_GROUP = 1 << 14  # rows per row group


@dataclass(frozen=True, slots=True)
class Written:
    """The size of a file of embeddings: its rows, their length, and how many pictures could not be read."""

    rows: int
    dim: int
    unreadable: int


def run_embed(settings: EmbedSettings, notify: Notify) -> Written:
    """Embed every picture of a list.

    Raises:
        UserError: the model or the list cannot be read, the list has a column `embedding` already, no picture can
            be read, or OUT may not be replaced.
        OSError: the output cannot be written.
    """
    import pyarrow.parquet as pq

    from maskgen.core.atomic_writes import atomic_file, remove_parts_of
    from maskgen.manifests.list_alignment import alignment_of_list

    inputs = [settings.list_file, *([] if settings.input_file is None else [settings.input_file])]
    refuse_out(settings.out, SUFFIX, inputs, settings.model)
    refuse_foreign(settings.out, "embed", _is_own)
    columns = _columns(settings.list_file)  # first: a model takes seconds
    if not len(columns["path"]):
        raise UserError(f"{settings.list_file} names no picture: give a list with a row for each.")
    embedder = open_model(settings.model, settings.device, settings.trust_pickle, settings.input_file)
    alignment = alignment_of_list(settings.list_file.parent, columns["path"], columns)
    check_pictures(embedder, alignment, settings.allow_misaligned, notify)
    schema = _schema(columns, embedder, alignment)
    remove_parts_of(settings.out)
    with atomic_file(settings.out) as file:
        with pq.ParquetWriter(file, schema) as writer:
            root = settings.list_file.parent
            written, left_out = _write(writer, schema, columns, embedder, root, settings.workers, notify)
        if not written:
            raise UserError(f"No picture of {settings.list_file} can be read: correct its paths.")
    return Written(written, embedder.dim, left_out)


def _is_own(path: Path) -> bool:
    """Whether a file holds embeddings of this command, by its metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except pa.ArrowException:
        return False
    return COLUMN in schema.names and {b"maskgen", b"model"} <= set(schema.metadata or {})


def _columns(list_file: Path) -> Mapping[str, Any]:
    """The columns of a list, targets as numbers. A list of pairs becomes its pictures, each once."""
    import pyarrow as pa

    from maskgen.manifests.formats.label_pairs import is_label_pairs
    from maskgen.manifests.lists import read_image_list
    from maskgen.manifests.schema import PAIR_COLUMNS

    if is_label_pairs(list_file):
        return _label_pictures(list_file)
    found = read_image_list(list_file)
    columns = dict(found.columns)
    if COLUMN in columns:
        raise UserError(f"{list_file} has a column {COLUMN} already: give the list without it.")
    if "target" in columns:
        columns["target"] = pa.array(found.numbers("target"))
    if set(PAIR_COLUMNS) <= set(columns):
        return _pictures(columns["path"], columns["target"], columns["pair_path"], found.numbers("pair_target"))
    return columns


def _label_pictures(list_file: Path) -> Mapping[str, Any]:
    """The paths of lines of two paths and 1 or 0, without targets: such a file does not name the people."""
    from maskgen.manifests.lists import read_pair_lists

    return {"path": read_pair_lists([list_file]).addresses}


def _pictures(paths: Any, targets: Any, pair_paths: Any, pair_targets: Any) -> Mapping[str, Any]:
    """Path and target of each picture of the pairs, in order of first appearance."""
    import numpy as np
    import pyarrow as pa

    every = pa.concat_arrays([paths, pair_paths]).dictionary_encode()
    _, first = np.unique(every.indices.to_numpy(), return_index=True)
    whose = np.concatenate([targets.to_numpy(), pair_targets])
    return {"path": every.dictionary, "target": pa.array(whose[first])}


def _schema(columns: Mapping[str, Any], embedder: FaceEmbedder, alignment: str) -> Any:
    import pyarrow as pa

    fields = [pa.field(name, values.type) for name, values in columns.items()]
    fields.append(pa.field(COLUMN, pa.list_(pa.float32(), embedder.dim)))
    about = {"maskgen": __version__, "model": embedder.name, "dim": str(embedder.dim), "alignment": alignment}
    return pa.schema(fields, metadata=about)


def _write(
    writer: Any,
    schema: Any,
    columns: Mapping[str, Any],
    embedder: FaceEmbedder,
    root: Path,
    workers: int,
    notify: Notify,
) -> tuple[int, int]:
    written, left_out, waiting = 0, 0, []
    for part in embed_parts(embedder, root, columns["path"], workers, notify):
        waiting.append(_rows(schema, columns, part))
        written, left_out = written + len(part.rows), left_out + len(part.faults)
        if sum(len(rows) for rows in waiting) >= _GROUP:
            writer.write_table(_joined(waiting))
            waiting = []
    if waiting:
        writer.write_table(_joined(waiting))
    return written, left_out


def _rows(schema: Any, columns: Mapping[str, Any], part: Part) -> Any:
    import pyarrow as pa

    rows = pa.array(part.rows, pa.int64())
    numbers = pa.FixedSizeListArray.from_arrays(pa.array(part.embeddings.ravel()), type=schema.field(COLUMN).type)
    return pa.table([*(values.take(rows) for values in columns.values()), numbers], schema=schema)


def _joined(tables: list[Any]) -> Any:
    import pyarrow as pa

    return pa.concat_tables(tables).combine_chunks()
