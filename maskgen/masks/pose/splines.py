"""Two interpolating functions; importing them from SciPy would take as long as masking a photograph."""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Doubles


def curve_through(x: Doubles, y: Doubles, at: Doubles) -> Doubles:
    """The cubic spline through points, whose first two pieces are one cubic, as its last two are ("not a knot").

    Args:
        x: (n,), n >= 2, ascending; fewer than five points lie on one polynomial.
        y: (n, ...).
        at: (m,) between the first and the last x.

    Returns:
        (m, ...).

    Source: de Boor, A Practical Guide to Splines, 1978, chapter 4.
    """
    values = y.reshape(len(x), -1)
    curve = _cubics(x, values, at) if len(x) > 4 else _lagrange(x, at) @ values
    return np.asarray(curve.reshape(len(at), *y.shape[1:]))


def _lagrange(x: Doubles, at: Doubles) -> Doubles:
    """The weight of each point at each place, (m, n)."""
    weights = np.ones((len(at), len(x)))
    for k in range(len(x)):
        for other in range(len(x)):
            if other != k:
                weights[:, k] *= (at - x[other]) / (x[k] - x[other])
    return weights


def _cubics(x: Doubles, y: Doubles, at: Doubles) -> Doubles:
    step, n = np.diff(x), len(x)
    rise = np.diff(y, axis=0) / step[:, None]
    system, right = np.zeros((n, n)), np.zeros_like(y)
    inner = np.arange(1, n - 1)
    system[inner, inner - 1], system[inner, inner + 1] = step[1:], step[:-1]
    system[inner, inner] = 2 * (step[:-1] + step[1:])
    right[1:-1] = 3 * (step[1:, None] * rise[:-1] + step[:-1, None] * rise[1:])
    for end, (near, far), (first, second) in ((0, step[:2], rise[:2]), (n - 1, step[:-3:-1], rise[:-3:-1])):
        both = near + far
        system[end, end], system[end, 1 if end == 0 else end - 1] = far, both
        right[end] = ((near + 2 * both) * far * first + near**2 * second) / both
    slope = np.linalg.solve(system, right)
    piece = np.clip(np.searchsorted(x, at, "right") - 1, 0, n - 2)
    h, t = step[piece, None], (at - x[piece])[:, None]
    start, end_slope, mean = slope[piece], slope[piece + 1], rise[piece]
    bend = (start + end_slope - 2 * mean) / h
    return np.asarray(y[piece] + t * (start + t * ((mean - start) / h - bend + t * bend / h)))


class ThinPlate:
    """A smooth function in space that approximates known values: r^2 log r about each place, and a linear function.

    Args:
        places: (n, 3).
        values: (n,).
        smoothing: 0 interpolates every value exactly.

    Source: Duchon 1977; Wahba, Spline Models for Observational Data, 1990.
    """

    def __init__(self, places: Doubles, values: Doubles, smoothing: float) -> None:
        self._places, n = places, len(places)
        low, high = places.min(0), places.max(0)
        self._middle, self._half = (low + high) / 2, (high - low) / 2
        plane = self._plane(places)
        system = np.zeros((n + 4, n + 4))
        system[:n, :n] = _bending(places, places) + smoothing * np.eye(n)
        system[:n, n:], system[n:, :n] = plane, plane.T
        self._weights = np.linalg.solve(system, np.concatenate([values, np.zeros(4)]))

    def at(self, places: Doubles) -> Doubles:
        """The values at places (m, 3): (m,)."""
        return np.asarray(np.hstack([_bending(places, self._places), self._plane(places)]) @ self._weights)

    def _plane(self, places: Doubles) -> Doubles:
        return np.column_stack([np.ones(len(places)), (places - self._middle) / self._half])


def _bending(places: Doubles, others: Doubles) -> Doubles:
    """r^2 log r for each place and each of the others."""
    r = np.linalg.norm(places[:, None] - others[None], axis=2)
    return np.asarray(r * r * np.log(np.where(r > 0, r, 1.0)))
