"""Pictures and what is known of them as Parquet files that `datasets.load_dataset` opens with pictures decoded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskgen.core.files import atomic_file

from ..schema import Ints

EACH = 5000  # rows a file: 50 MB of faces of 160 pixels
GROUP = 100  # rows that a reader has in memory at a time


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type ("image", "int64", "string" or "bool") and what it holds, in a sentence."""

    name: str
    kind: str
    about: str

    def arrow(self) -> pa.DataType:
        """Its type in the file."""
        if self.kind == "image":
            return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        return {"int64": pa.int64(), "string": pa.string(), "bool": pa.bool_()}[self.kind]

    def feature(self) -> dict[str, str]:
        """Its type in the words of `datasets`."""
        return {"_type": "Image"} if self.kind == "image" else {"dtype": self.kind, "_type": "Value"}


Row = Mapping[str, Any]


def save_parquet(
    folder: Path, split: str, columns: Sequence[Column], rows_of: Callable[[Ints], Iterator[Row]], order: Ints
) -> list[tuple[Path, int]]:
    """Write SPLIT-00000-of-00003.parquet, ... into a folder; returns each file and its rows.

    Args:
        rows_of: the rows with these numbers, in the order asked for; an image is {"bytes": ..., "path": ...}.
        order: int64 (n,), in which the rows are written.
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
    """An order of rows by chance: a reader that streams sees people mixed."""
    return np.asarray(rng.permutation(total), np.int64)
