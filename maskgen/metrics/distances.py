"""L2 distances between embeddings, for evaluation and training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

ALIKE = 1e-6  # distances and cosines of unit vectors with a smaller difference are equal: rounding of float32

_AT_ONCE = 1 << 24  # values gathered at once: 64 MB per side
_SHORTEST = 1e-12  # as in torch's normalize: a zero vector stays zero


def normalised(embeddings: ArrayLike) -> Floats:
    """Embeddings (n, d) normalised to length 1, float32; a zero vector stays zero, NaN stays NaN."""
    rows = np.asarray(embeddings, np.float64)
    if rows.ndim != 2:
        raise ValueError(f"embeddings are (n, d), not {rows.shape}")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.maximum(lengths, _SHORTEST)).astype(np.float32)


def l2(a: ArrayLike, b: ArrayLike) -> Floats:
    """Distance of each row of `a` to the same row of `b`, both normalised first.

    Args:
        a: (n, d), any float type, any length.
        b: the same shape.

    Returns:
        float32 (n,), 0 for equal directions, 2 for opposite ones.

    Raises:
        ValueError: the shapes differ.
    """
    one, other = normalised(a), normalised(b)
    if one.shape != other.shape:
        raise ValueError(f"embeddings of different shapes: {one.shape} and {other.shape}")
    return _apart(one, other)


def pair_l2(embeddings: ArrayLike, first: ArrayLike, second: ArrayLike) -> Floats:
    """`l2` of the pairs (first[i], second[i]) of rows of `embeddings` (n, d), without gathering all embeddings at once.

    Args:
        first, second: whole numbers (k,), 0 to n - 1.

    Returns:
        float32 (k,).

    Raises:
        ValueError: they have another shape, or are no such numbers.
    """
    rows = normalised(embeddings)
    first, second = (_rows(name, values, len(rows)) for name, values in (("first", first), ("second", second)))
    if first.shape != second.shape:
        raise ValueError(f"pairs of different shapes: {first.shape} and {second.shape}")
    step = max(1, _AT_ONCE // max(rows.shape[1], 1))
    parts = [
        _apart(rows[first[at : at + step]], rows[second[at : at + step]]) for at in range(0, max(len(first), 1), step)
    ]
    return np.concatenate(parts)


def _rows(name: str, values: ArrayLike, count: int) -> Ints:
    """Numbers of rows; a negative one would count from the end."""
    found = np.asarray(values)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise ValueError(f"{name} must be whole numbers (k,), not {found.dtype} {found.shape}")
    if len(found) and not 0 <= found.min() <= found.max() < count:
        raise ValueError(f"{name} has {found.min()} to {found.max()}: the embeddings are 0 to {count - 1}")
    return found.astype(np.int64, copy=False)


def _apart(one: Floats, other: Floats) -> Floats:
    # Differences, not 2 - 2 cos: near 0 a cosine in float32 has no digits left.
    distances = np.linalg.norm(one - other, axis=1)
    return np.minimum(distances, np.float32(2.0)).astype(np.float32)
