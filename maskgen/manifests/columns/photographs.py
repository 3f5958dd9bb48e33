"""Codes of photographs by the hash of their bytes, without the hashes' texts in memory."""

from __future__ import annotations

import hashlib
from binascii import Error, unhexlify
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .run_columns import RunColumns
from .texts import text_bytes, text_ends

_LETTERS = 64  # of a SHA-256 in hexadecimal
_BYTES = 16  # of it that are compared: two of 10^8 photographs share them by chance in one case of 10^22


def photograph_codes(runs: Sequence[RunColumns]) -> NDArray[np.int32]:
    """A code for each row of the runs, int32 (n,): equal where the bytes of the photographs are.

    Photographs of a catalogue without hashes go by run and key.
    """
    words = bytearray()
    for run in runs:
        for hashes, keys in run.batches("source_sha256", "source"):
            words += _digests(hashes.cast(pa.large_string()), keys, run.run)
    return equal_codes(np.frombuffer(words, np.uint64).reshape(-1, 2))


def equal_codes(words: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Codes of the rows of pairs of numbers, uint64 (n, 2): int32 (n,), equal where both numbers are."""
    first = np.ascontiguousarray(words[:, 0])
    order = np.argsort(first)
    new = _steps(first, order)
    if (_steps(words[:, 1], order) & ~new).any():  # one first number, two second ones
        order = np.lexsort((words[:, 1], first))
        new = _steps(first, order) | _steps(words[:, 1], order)
    codes = np.empty(len(words), np.int32)
    codes[order] = np.cumsum(new, dtype=np.int32)
    return codes


def _steps(values: NDArray[np.uint64], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where values in this order differ from the one before, bool (n,)."""
    ordered = values[order]
    steps = np.zeros(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=steps[1:])
    return steps


def _digests(hashes: Any, keys: Any, run: str) -> bytes:
    """The bytes that stand for each photograph, one after the other."""
    if (np.diff(text_ends(hashes)) == _LETTERS).all():
        letters = np.frombuffer(text_bytes(hashes), np.uint8).reshape(-1, _LETTERS)
        with suppress(Error):
            return unhexlify(letters[:, : 2 * _BYTES].tobytes())
    texts = zip(hashes.to_pylist(), keys.to_pylist(), strict=True)
    return b"".join(_digest(text or f"{run}\n{key}") for text, key in texts)


def _digest(text: str) -> bytes:
    """The first bytes of a SHA-256, or of that of another text."""
    data = text.encode()
    if len(data) == _LETTERS:
        with suppress(Error):
            return unhexlify(data[: 2 * _BYTES])
    return hashlib.sha256(data).digest()[:_BYTES]
