"""The best-fitting rotation (Wahba's problem) for many faces at once, without a singular value decomposition each.

Source: FOAM, Markley 1993, "Attitude determination using vector observations: a fast optimal matrix algorithm".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from maskgen.core.records import Doubles

# One number per face: (n,), or a float for a single face, for which NumPy would be ten times as slow. The arithmetic
# is the same, bit for bit.
Each: TypeAlias = Any
Matrix: TypeAlias = Sequence[Each]  # (3, 3) row by row: nine numbers per face

STEPS = 7  # iterations of Newton's method; on faces five are enough for full precision
SETTLED = 1e-11  # largest last step, relative to the root
APART = 1e-5  # least (s1 + s2)(s2 + s3)(s3 + s1), relative to trace * |B|^2, of a well-determined rotation
TINY = 1e-300  # avoids division by 0


def columns(numbers: Doubles) -> list[Each]:
    """Rows (n, k) of n faces as k numbers per face."""
    return list(np.ascontiguousarray(numbers.T)) if len(numbers) > 1 else numbers[0].tolist()


def rows(numbers: Sequence[Each]) -> Doubles:
    """The inverse of `columns`: (n, k)."""
    return np.ascontiguousarray(np.array(numbers).reshape(len(numbers), -1).T)


def root(number: Each) -> Each:
    """The square root."""
    return math.sqrt(number) if isinstance(number, float) else np.sqrt(number)


def squared(numbers: Matrix) -> Each:
    """The sum of their squares, one after the other: from Python 3.12 on `sum` adds floats more exactly than NumPy."""
    total = numbers[0] * numbers[0]
    for number in numbers[1:]:
        total = total + number * number
    return total


def best_rotations(b: Matrix) -> tuple[Each, Matrix]:
    """For products B the rotation R with the largest trace of R^T B, and that trace: s1 + s2 + s3 of B's singular
    values, the last of them negative where B mirrors."""
    square = squared(b)
    other = _cofactors(b)
    mirror = b[0] * other[0] + b[1] * other[1] + b[2] * other[2]  # the determinant
    trace, step = _largest_root(square, mirror, squared(other))
    half = (trace * trace - square) / 2
    apart = half * trace - mirror  # (s1 + s2)(s2 + s3)(s3 + s1)
    settled = (abs(step) <= SETTLED * trace) & (apart > APART * trace * square)
    return _mended(b, settled, trace, _turn(b, other, half + square, trace, apart + TINY))


def _largest_root(square: Each, mirror: Each, other: Each) -> tuple[Each, Each]:
    """The largest root of (l^2 - |B|^2)^2 - 8 l det B - 4 |adj B|^2 by Newton's method from above, and its last
    step."""
    most, step = root(3.0 * square), 0.0
    for _ in range(STEPS):
        above = most * most - square
        step = (above * above - 8.0 * mirror * most - 4.0 * other) / (4.0 * most * above - 8.0 * mirror + TINY)
        most = most - step
    return most, step


def _cofactors(b: Matrix) -> Matrix:
    x, y, z = (b[at : at + 3] for at in (0, 3, 6))
    return [*_cross(y, z), *_cross(z, x), *_cross(x, y)]


def _cross(x: Matrix, y: Matrix) -> Matrix:
    return [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]


def _turn(b: Matrix, other: Matrix, most: Each, trace: Each, apart: Each) -> Matrix:
    """(most B + trace cof B - B B^T B) / apart."""
    x, y, z = (b[at : at + 3] for at in (0, 3, 6))
    xy, xz, yz = _dot(x, y), _dot(x, z), _dot(y, z)
    xx, yy, zz = most - _dot(x, x), most - _dot(y, y), most - _dot(z, z)
    out = []
    for at in range(3):
        p, q, r = x[at], y[at], z[at]
        out.append((xx * p - xy * q - xz * r + trace * other[at]) / apart)
        out.append((yy * q - xy * p - yz * r + trace * other[3 + at]) / apart)
        out.append((zz * r - xz * p - yz * q + trace * other[6 + at]) / apart)
    return [out[at] for at in (0, 3, 6, 1, 4, 7, 2, 5, 8)]


def _dot(x: Matrix, y: Matrix) -> Each:
    return x[0] * y[0] + x[1] * y[1] + x[2] * y[2]


def _mended(b: Matrix, settled: Each, trace: Each, turn: Matrix) -> tuple[Each, Matrix]:
    """Trace and rotation, by a singular value decomposition where the root is inexact: points nearly in a line."""
    if isinstance(settled, bool):
        return (trace, turn) if settled else _decomposed(b)
    for at in np.flatnonzero(~settled):
        trace[at], one = _decomposed([float(e[at]) for e in b])
        for whole, number in zip(turn, one, strict=True):
            whole[at] = number
    return trace, turn


def _decomposed(b: Matrix) -> tuple[float, list[float]]:
    """`best_rotations` of one matrix by its singular value decomposition."""
    u, s, vt = np.linalg.svd(np.array(b).reshape(3, 3))
    if np.linalg.det(u @ vt) < 0:  # a reflection is not a rotation
        s[2], u[:, 2] = -s[2], -u[:, 2]
    return float(s.sum()), (u @ vt).ravel().tolist()
