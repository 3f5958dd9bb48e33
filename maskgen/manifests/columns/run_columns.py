"""The columns of a run's catalogue, each read in batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath
from maskgen.formats.local_or_remote_files import parquet_of

from ..schema import CATALOGUE

COLUMNS = ("path", "source", "source_sha256", "person", "kind")
_OTHERS = "picture_face"
_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class RunColumns:
    """An open catalogue: its run's name, its path, and the file."""

    run: str
    path: AnyPath
    file: Any

    @staticmethod
    def of(run: str, folder: AnyPath) -> RunColumns:
        """The catalogue of a run's folder.

        Raises:
            UserError: it is missing, unreadable, or lacks a column.
        """
        path = folder / CATALOGUE
        if not path.is_file():
            raise UserError(f"{folder} has no {CATALOGUE}; give the folder that a finished `maskgen mask` wrote.")
        try:
            file = pq.ParquetFile(parquet_of(path))
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, error) from error
        if missing := sorted(set(COLUMNS) - set(file.schema_arrow.names)):
            raise UserError(f"{path} lacks the column {missing[0]!r}; write it again with `maskgen mask`.")
        return RunColumns(run, path, file)

    def batches(self, *names: str) -> Iterator[Sequence[Any]]:
        """These columns, an array of each for some thousand rows at a time.

        A picture with several masked faces has a row for each, and only its first is read; older catalogues have one
        row per picture.

        Raises:
            UserError: the file cannot be read, or a value is missing.
        """
        marked = [_OTHERS] if _OTHERS in self.file.schema_arrow.names else []
        try:
            for batch in self.file.iter_batches(_ROWS_AT_ONCE, columns=[*names, *marked]):
                rows = batch.filter(pc.equal(batch[_OTHERS], 0)) if marked else batch
                yield [self._whole(rows, name) for name in names]
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.path, error) from error

    def _whole(self, rows: Any, name: str) -> Any:
        if rows[name].null_count:
            raise UserError(f"{self.path} has rows without {name}; write it again.")
        return rows[name]


def codes_of(columns: Iterator[Sequence[Any]]) -> tuple[NDArray[np.int32], list[str]]:
    """A column as codes by the sorted order of its values, int32 (n,), and those values.

    Args:
        columns: the column's batches, each as the only one of a sequence.
    """
    known: dict[str, int] = {}
    parts = [np.empty(0, np.int32)]
    for (column,) in columns:
        encoded = column.dictionary_encode()
        own = [known.setdefault(value, len(known)) for value in encoded.dictionary.to_pylist()]
        parts.append(np.array(own, np.int32)[encoded.indices.to_numpy()])
    values = sorted(known)
    place = np.empty(len(values), np.int32)
    place[[known[value] for value in values]] = np.arange(len(values), dtype=np.int32)
    return place[np.concatenate(parts)], values


def _unreadable(path: AnyPath, error: Exception) -> UserError:
    first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
    return UserError(f"{path} cannot be read ({first}); write it again.")
