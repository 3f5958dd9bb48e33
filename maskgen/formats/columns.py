"""Columns of plain values as Arrow arrays, and back, without the import of pandas (0.3 s) in `pyarrow.array`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from maskgen.core.records import Doubles

if TYPE_CHECKING:
    import pyarrow as pa


def column(values: Sequence[Any], narrow: bool = False) -> pa.Array:
    """The array that `pyarrow.array(values)` gives.

    Args:
        values: str, bool, int, float (also mixed with int), nested lists of these, and None; other and mixed types are
            left to pyarrow.
        narrow: whether numbers in lists are float32.
    """
    import pyarrow as pa

    there = [value for value in values if value is not None]
    if not there:
        return pa.nulls(len(values))
    kinds = set(map(type, there))
    valid = _bits([value is not None for value in values]) if len(there) < len(values) else None
    if kinds == {str}:
        data = [b"" if value is None else value.encode("utf-8") for value in values]
        buffers = [valid, _ends(data), pa.py_buffer(b"".join(data))]
        return pa.Array.from_buffers(pa.string(), len(values), buffers)
    if kinds == {bool}:
        return pa.Array.from_buffers(pa.bool_(), len(values), [valid, _bits([bool(value) for value in values])])
    if kinds <= {int, float}:
        whole = kinds == {int}
        numbers = np.array([0 if value is None else value for value in values], np.int64 if whole else np.float64)
        kind = pa.int64() if whole else pa.float64()
        return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(numbers)])
    if kinds == {list}:
        inner = _inner(list(chain.from_iterable(there)), narrow)
        buffers = [valid, _ends([() if value is None else value for value in values])]
        return pa.Array.from_buffers(pa.list_(inner.type), len(values), buffers, children=[inner])
    return pa.array(values)


def _inner(values: Sequence[Any], narrow: bool) -> pa.Array:
    """What is in lists."""
    import pyarrow as pa

    if narrow and values and set(map(type, values)) <= {int, float}:
        return pa.Array.from_buffers(pa.float32(), len(values), [None, pa.py_buffer(np.array(values, np.float32))])
    return column(values, narrow)


def numbers(array: pa.Array) -> Doubles:
    """A column of numbers as float64 (n,), NaN for what is null; `to_numpy` would import pandas."""
    import pyarrow as pa

    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan)
    # A cast would import pyarrow.compute, a tenth of a second.
    whole = array if pa.types.is_float64(array.type) else array.cast(pa.float64())
    valid, data = whole.buffers()
    if not len(whole) or data is None:
        return np.full(len(whole), np.nan)
    found = np.frombuffer(data, np.float64, len(whole), 8 * whole.offset)
    if not whole.null_count:
        return found
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
    return np.where(bits[whole.offset : whole.offset + len(whole)] == 1, found, np.nan)


def _bits(flags: Sequence[bool]) -> pa.Buffer:
    import pyarrow as pa

    return pa.py_buffer(np.packbits(np.array(flags, bool), bitorder="little"))


def _ends(values: Sequence[Any]) -> pa.Buffer:
    """The offsets of the values, one more than values."""
    import pyarrow as pa

    return pa.py_buffer(np.cumsum([0, *map(len, values)], dtype=np.int32))
