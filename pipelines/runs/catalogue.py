"""The catalogue: one row per face of an output, merged from the shards' rows with bounded memory.

`BASE` holds the columns that every run has; the library adds columns on the face and the mask. The bytes depend on the
rows alone: no dates, no machine names, and row groups of ROW_GROUP rows, independent of the shards.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.formats.any_path import AnyPath
from maskgen.formats.columns import column
from maskgen.formats.local_or_remote_files import parquet_of

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

READERS = 2  # threads that read the shards' rows when they are merged
ROW_GROUP = 8192
BASE = {
    "path": "string",  # the output, below the run's folder
    "segmentation": "string",  # its mask's coverage, where that was written
    "source": "string",  # the photograph, below SOURCE, as `sources.escape` writes it
    "source_sha256": "string",  # of the photograph's bytes
    "source_levels": "string",  # "LOW-HIGH", the 16-bit values stretched to 0 and 255; null where all were scaled
    "person": "string",
    "kind": "string",
    "variant": "int64",
    "face": "int64",  # which of the photograph's faces, from 0
    "picture_face": "int64",  # which of the faces that are masked in this picture, from 0: one row each
}


def table_bytes(rows: Sequence[Row]) -> bytes:
    """Rows as a Parquet file; numbers in lists as float32, others in full precision."""
    import pyarrow.parquet as pq

    out = io.BytesIO()
    # With so few rows, dictionary encoding makes files larger and doubles the time.
    pq.write_table(_table(rows), out, compression="zstd", use_dictionary=False)
    return out.getvalue()


def load_rows(path: AnyPath, columns: Sequence[str] | None = None) -> list[Row]:
    """The rows of a Parquet file; none if it does not exist."""
    return _read(path, columns).to_pylist() if path.exists() else []


def import_arrow() -> None:
    """Import what `write_catalogue` needs, which takes a twentieth of a second: best while workers work."""
    import pyarrow.parquet  # noqa: F401


def write_catalogue(out: Path, parts: Sequence[AnyPath]) -> Counter[str]:
    """Merge the parts in the order given; returns the number of rows of each kind."""
    import pyarrow.parquet as pq

    schema = _common_schema(pq.read_schema(parquet_of(part)) for part in parts)
    kinds: Counter[str] = Counter()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for table in _regroup(_conform(table, schema) for table in _read_ahead(parts)):
            writer.write_table(table, row_group_size=ROW_GROUP)
            kinds.update(table["kind"].to_pylist())
    return kinds


def batches(path: AnyPath, columns: Sequence[str]) -> Iterator[list[Row]]:
    """Columns of a catalogue, a few thousand rows at a time."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(parquet_of(path)) as file:
        for batch in file.iter_batches(batch_size=ROW_GROUP, columns=list(columns)):
            yield batch.to_pylist()


def _read(path: AnyPath, columns: Sequence[str] | None = None) -> pa.Table:
    """A small file, read in one call on this thread: half the time of `read_table` for ten thousand files."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(parquet_of(path)) as file:
        return file.read(columns and list(columns), use_threads=False)


def _read_ahead(parts: Sequence[AnyPath]) -> Iterator[pa.Table]:
    """The tables of these files in order, of which a few are read in advance."""
    with ThreadPoolExecutor(READERS) as readers:
        coming = [readers.submit(_read, part) for part in parts[: 2 * READERS]]
        for at in range(len(parts)):
            yield coming.pop(0).result()
            coming += [readers.submit(_read, part) for part in parts[at + 2 * READERS :][:1]]


def _table(rows: Sequence[Row]) -> pa.Table:
    import pyarrow as pa

    names = dict.fromkeys(name for row in rows for name in row)
    arrays = {name: column([row.get(name) for row in rows], narrow=True) for name in names}
    return pa.table({name: _as_narrow(array) for name, array in arrays.items()})


def _as_narrow(array: pa.Array) -> pa.Array:
    return _as_type(array, _narrow(array.type))


def _narrow(kind: pa.DataType, inside: bool = False) -> pa.DataType:
    """The type with float32 in place of float64 inside lists: points are no finer than that."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return pa.list_(_narrow(kind.value_type, inside=True))
    return pa.float32() if inside and (pa.types.is_floating(kind) or pa.types.is_integer(kind)) else kind


def _common_schema(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """One schema for all parts; a column that is missing or empty in a part takes the others' type."""
    import pyarrow as pa

    common = pa.schema(list(BASE.items()))
    for schema in schemas:
        if not schema.equals(common):
            common = pa.unify_schemas([common, schema], promote_options="permissive")
    return common


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    nothing, found = pa.nulls(table.num_rows), dict(zip(table.column_names, table.columns, strict=True))
    return pa.table([_as_type(found.get(field.name, nothing), field.type) for field in schema], schema=schema)


def _as_type(array: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    if array.type == pa.null():
        return pa.nulls(len(array), kind)
    return array if array.type == kind else array.cast(kind)  # a cast imports pyarrow.compute, a tenth of a second


def _regroup(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of ROW_GROUP rows; the last is shorter."""
    import pyarrow as pa

    held: list[pa.Table] = []
    count = 0
    for table in tables:
        held.append(table)
        count += table.num_rows
        while count >= ROW_GROUP:
            whole = pa.concat_tables(held)
            yield whole.slice(0, ROW_GROUP).combine_chunks()
            held, count = [whole.slice(ROW_GROUP)], count - ROW_GROUP
    if count:
        yield pa.concat_tables(held).combine_chunks()
