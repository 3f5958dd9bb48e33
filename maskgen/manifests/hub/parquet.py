"""Pictures and metadata as Parquet files for `datasets.load_dataset`, which decodes the pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskgen.core.atomic_writes import atomic_file

from ..schema import Ints

EACH = 5000  # rows per file: 50 MB of faces of 160 pixels
GROUP = 100  # rows per row group


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type ("image", "int64", "string" or "bool") and its description."""

    name: str
    kind: str
    about: str

    def arrow(self) -> pa.DataType:
        """The Arrow type."""
        if self.kind == "image":
            return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        return {"int64": pa.int64(), "string": pa.string(), "bool": pa.bool_()}[self.kind]

    def feature(self) -> dict[str, str]:
        """The feature type of `datasets`."""
        return {"_type": "Image"} if self.kind == "image" else {"dtype": self.kind, "_type": "Value"}


Row = Mapping[str, Any]


def save_parquet(
    folder: Path, split: str, columns: Sequence[Column], rows_of: Callable[[Ints], Iterator[Row]], order: Ints
) -> list[tuple[Path, int]]:
    """Write SPLIT-00000-of-00003.parquet, ... into a folder; returns each file and its rows.

    Args:
        rows_of: returns the rows with given numbers, in their order; an image is {"bytes": ..., "path": ...}.
        order: int64 (n,), the order of the rows in the files.
    """
    many = max(-(-len(order) // EACH), 1)
    written = []
    for number in range(many):
        part = order[number * EACH : (number + 1) * EACH]
        path = folder / f"{split}-{number:05}-of-{many:05}.parquet"
        _save(path, columns, rows_of(part))
        written.append((path, len(part)))
    return written


def _save(path: Path, columns: Sequence[Column], rows: Iterator[Row]) -> None:
    about = {"info": {"features": {column.name: column.feature() for column in columns}}}
    fields = [pa.field(column.name, column.arrow()) for column in columns]
    schema = pa.schema(fields, metadata={"huggingface": json.dumps(about)})
    with atomic_file(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        waiting: list[Row] = []
        for row in rows:
            waiting.append(row)
            if len(waiting) == GROUP:
                writer.write_table(pa.Table.from_pylist(waiting, schema))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_pylist(waiting, schema))


def shuffled(total: int, rng: np.random.Generator) -> Ints:
    """A random order of rows, so that a streaming reader sees mixed people."""
    return np.asarray(rng.permutation(total), np.int64)
