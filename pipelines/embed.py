"""`maskgen embed` at work: a Parquet file written batch by batch, so that memory does not grow with the list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen import __version__
from maskgen.core.reasons import UserError

from .embedding import Part, Say, embed_parts

if TYPE_CHECKING:
    from maskgen.embedders.base import FaceEmbedder

COLUMN = "embedding"
_GROUP = 1 << 14  # rows that are written together


def write_embeddings(embedder: FaceEmbedder, list_file: Path, out: Path, workers: int, say: Say) -> tuple[int, int]:
    """Embed every picture of a list; returns how many embeddings are written and how many pictures could not be read.

    Raises:
        UserError: the list cannot be read, has a column `embedding` already, or no picture can be read; `out` is a
            folder.
        OSError: `out` cannot be written.
    """
    import pyarrow.parquet as pq

    from maskgen.core.files import whole_file

    if out.is_dir():
        raise UserError(f"{out} is a folder: name the file to write, as {out / 'embeddings.parquet'}.")
    columns = _columns(list_file)
    schema = _schema(columns, embedder)
    with whole_file(out) as file:
        with pq.ParquetWriter(file, schema) as writer:
            written, left_out = _write(writer, schema, columns, embedder, list_file.parent, workers, say)
        if not written:
            raise UserError(f"No picture of {list_file} can be read: mend its paths.")
    return written, left_out


def _columns(list_file: Path) -> Mapping[str, Any]:
    """The columns of a list, targets as numbers; a list of pairs as its pictures, each once."""
    import pyarrow as pa

    from maskgen.manifests.lists import read_image_list
    from maskgen.manifests.schema import PAIR_COLUMNS

    found = read_image_list(list_file)
    columns = dict(found.columns)
    if COLUMN in columns:
        raise UserError(f"{list_file} has a column {COLUMN} already: give the list without it.")
    if "target" in columns:
        columns["target"] = pa.array(found.numbers("target"))
    if set(PAIR_COLUMNS) <= set(columns):
        return _pictures(columns["path"], columns["target"], columns["pair_path"], found.numbers("pair_target"))
    return columns


def _pictures(paths: Any, targets: Any, pair_paths: Any, pair_targets: Any) -> Mapping[str, Any]:
    """Path and target of each picture that pairs name, in the order in which they come first."""
    import numpy as np
    import pyarrow as pa

    every = pa.concat_arrays([paths, pair_paths]).dictionary_encode()
    _, first = np.unique(every.indices.to_numpy(), return_index=True)
    whose = np.concatenate([targets.to_numpy(), pair_targets])
    return {"path": every.dictionary, "target": pa.array(whose[first])}


def _schema(columns: Mapping[str, Any], embedder: FaceEmbedder) -> Any:
    import pyarrow as pa

    fields = [pa.field(name, values.type) for name, values in columns.items()]
    fields.append(pa.field(COLUMN, pa.list_(pa.float32(), embedder.dim)))
    return pa.schema(fields, metadata={"maskgen": __version__, "model": embedder.name, "dim": str(embedder.dim)})


def _write(
    writer: Any, schema: Any, columns: Mapping[str, Any], embedder: FaceEmbedder, root: Path, workers: int, say: Say
) -> tuple[int, int]:
    written, left_out, waiting = 0, 0, []
    for part in embed_parts(embedder, root, columns["path"], workers, say):
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
