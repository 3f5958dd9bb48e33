"""CSV files with millions of rows, written and read without a loop over the rows."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from maskgen.core.atomic_writes import atomic_file
from maskgen.core.reasons import counted

from .columns.texts import GrowingTexts, text_bytes

_ROWS_AT_ONCE = 1 << 18  # written
_BYTES_AT_ONCE = 1 << 20  # read
_BETWEEN = (",", ";", "\t")  # separators accepted when reading
_EXAMPLES = 3  # of rows with a wrong number of values
_READ = pa_csv.ReadOptions(use_threads=False, block_size=_BYTES_AT_ONCE)
_PATIENCE = 10.0  # most seconds to wait for Arrow's threads, which need milliseconds
_NEEDS_QUOTES = '[",\r\n]|^$'


def write_csv(path: Path, columns: Sequence[str], parts: Iterator[Sequence[Any]]) -> int:
    """Write a CSV file (UTF-8, `\\n`, quotes only where a value needs them) and return how many rows it has.

    Args:
        columns: the header.
        parts: the rows in parts; each part holds one Arrow array per column, of strings or whole numbers.
    """
    rows = 0
    with atomic_file(path) as file:
        file.write(csv_lines([pa.array([name]) for name in columns]))
        for part in parts:
            rows += len(part[0])
            file.write(csv_lines(part))
    return rows


def write_columns(path: Path, columns: Sequence[str], values: Sequence[Any]) -> int:
    """As `write_csv`, for columns that fit in memory."""
    n = len(values[0])
    starts = range(0, n, _ROWS_AT_ONCE)
    return write_csv(path, columns, ([v.slice(i, _ROWS_AT_ONCE) for v in values] for i in starts))


def stretches(rows: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """Row numbers in parts of a size that is fast and small in memory."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[start : start + _ROWS_AT_ONCE]


def csv_lines(columns: Sequence[Any]) -> bytes:
    """Arrow columns as the lines of a CSV file; null is an empty value.

    Example:
        >>> csv_lines([pa.array(['a', 'b "c", d']), pa.array([1, 2])])
        b'a,1\\n"b ""c"", d",2\\n'
    """
    if not len(columns[0]):
        return b""
    texts = [_quoted(column) for column in columns]
    return bytes(text_bytes(joined(joined(*texts, between=","), "\n")))


def joined(*texts: Any, between: str = "") -> Any:
    """Concatenate row by row: arrays of large_string, or one string for all rows."""
    wide = [pa.scalar(text, pa.large_string()) if isinstance(text, str) else text for text in (*texts, between)]
    return pc.binary_join_element_wise(*wide)


def _quoted(column: Any) -> Any:
    texts = column.cast(pa.large_string())
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return texts
    needs = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not pc.any(needs).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(needs, joined('"', doubled, '"'), texts)


@dataclass(frozen=True, slots=True)
class CsvText:
    """A parsed CSV file: every column as text, and the rows with a wrong number of values.

    `columns` are large_string arrays by name; `ragged` gives (line or row number, the number of values) of up
    to `len(ragged)` of the `n_ragged` rows that were left out of the columns.
    """

    columns: dict[str, Any]
    n_ragged: int
    ragged: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows that have a value for every column."""
        return len(next(iter(self.columns.values()))) if self.columns else 0


class CsvBatches:
    """The rows of a CSV file of any program, some thousand at a time, all values as text.

    The separator is detected from the header. Rows with a wrong number of values are left out and counted.

    Raises:
        ValueError: here or while rows are read: it is empty, not UTF-8, or otherwise not a CSV file; the message says
            which.
    """

    def __init__(self, path: Path) -> None:
        self.columns, self._between = _header(path)
        self.n_ragged = 0
        self.ragged: tuple[str, ...] = ()  # the first of them
        self._path = path

    def __iter__(self) -> Iterator[Any]:
        """Record batches of large_string columns."""
        parse = pa_csv.ParseOptions(
            delimiter=self._between, newlines_in_values=True, invalid_row_handler=partial(self._note)
        )
        reader, gone = None, SimpleQueue[Any]()
        _watch = weakref.ref(parse.invalid_row_handler, gone.put)
        try:
            reader = pa_csv.open_csv(self._path, _READ, parse, _as_texts(self.columns))
            yield from reader
        except pa.ArrowException as error:
            detail = str(error).splitlines()[0].rstrip(".").removeprefix("CSV parse error: ")
            raise ValueError("it is no table" if detail.startswith("Empty CSV") else detail) from error
        finally:
            del reader, parse
            # A thread of Arrow's may be the last to drop the reader, and with it the handler. It needs the interpreter
            # for that; if the interpreter is ending by then, the process aborts.
            with suppress(Empty):
                gone.get(timeout=_PATIENCE)

    def _note(self, row: Any) -> str:
        self.n_ragged += 1
        if len(self.ragged) < _EXAMPLES:
            text = f"{counted(row.actual_columns, 'value')} instead of {row.expected_columns}: {row.text[:80]}"
            self.ragged = (*self.ragged, text)
        return "skip"


def _as_texts(columns: Sequence[str]) -> Any:
    return pa_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.large_string()), strings_can_be_null=False)


def read_csv(path: Path) -> CsvText:
    """A whole CSV file, see `CsvBatches`."""
    batches = CsvBatches(path)
    texts = {name: GrowingTexts() for name in batches.columns}
    for batch in batches:
        for name, column in texts.items():
            column.add(batch[name])
    return CsvText({name: column.array() for name, column in texts.items()}, batches.n_ragged, batches.ragged)


def _header(path: Path) -> tuple[list[str], str]:
    """The columns' names and the separator."""
    import csv

    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
    between = separator(first)
    try:
        header = next(csv.reader([first], delimiter=between), [])
    except csv.Error as error:
        raise ValueError(f"its first line cannot be read ({error})") from None
    if not header:
        raise ValueError("the file is empty")
    if len(set(header)) < len(header):
        raise ValueError("two columns have the same name")
    return header, between


def separator(line: str) -> str:
    """The separator of a table with this header: the most common of comma, semicolon and tab.

    Example:
        >>> separator("path;target")
        ';'
    """
    return max(_BETWEEN, key=line.count)
