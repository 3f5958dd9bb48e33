"""A column of texts that is put together batch by batch, and is never in memory twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


class GrowingTexts:
    """Texts that are added in batches and end as one array; joined batches would need the memory twice.

    Example:
        >>> texts = GrowingTexts()
        >>> texts.add(pa.array(["a", "bc"]))
        >>> texts.add(pa.array(["d"]))
        >>> texts.array().to_pylist()
        ['a', 'bc', 'd']
    """

    def __init__(self) -> None:
        # A large bytearray grows in place: the system moves its pages, not its bytes.
        self._data = bytearray()
        self._ends = bytearray(np.zeros(1, np.int64).tobytes())

    def __len__(self) -> int:
        return len(self._ends) // 8 - 1

    def add(self, texts: Any) -> None:
        """Append a string, large_string or dictionary array without nulls."""
        wide = texts.cast(pa.large_string())
        ends = text_ends(wide)
        self._ends += (ends[1:] + (len(self._data) - ends[0])).tobytes()
        self._data += text_bytes(wide)

    def array(self) -> Any:
        """All texts, large_string (n,), without a copy; nothing can be added after this."""
        return pa.LargeStringArray.from_buffers(len(self), pa.py_buffer(self._ends), pa.py_buffer(self._data))


def text_ends(texts: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where the texts of a large_string array (n,) begin and end in its bytes, int64 (n + 1,), without a copy."""
    if not len(texts):
        return np.zeros(1, np.int64)
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]


def text_bytes(texts: Any) -> memoryview:
    """The concatenated bytes of a large_string array, without a copy."""
    ends, data = text_ends(texts), texts.buffers()[2]
    return memoryview(data)[ends[0] : ends[-1]] if ends[-1] > ends[0] else memoryview(b"")
