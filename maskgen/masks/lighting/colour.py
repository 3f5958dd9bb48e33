"""Colours: "#rrggbb", CIELAB, and the gamma of sRGB."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles

Rgb = tuple[float, float, float]  # red, green and blue, 0..255
GAMMA = 2.2  # a power approximates the sRGB curve, so that light is one factor on encoded values


def parse_hex_colour(text: str) -> Doubles:
    """ "#rrggbb" as three numbers 0..255."""
    return np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float64)


def srgb_factor(light: Doubles) -> Doubles:
    """The factor on sRGB-encoded values for light of a linear strength."""
    return np.asarray(np.maximum(light, 0.0) ** (1 / GAMMA))


def upper_median(values: NDArray[np.floating]) -> Doubles:
    """The median along the first axis, the upper one of an even count; five times as fast as `np.median`."""
    half = len(values) // 2
    return np.asarray(np.partition(values, half, axis=0)[half], np.float64)


def lab_to_rgb(lab: Iterable[float]) -> Rgb:
    """CIELAB (lightness 0..100, a, b; white D65) as sRGB 0..255, clipped to what sRGB can show."""
    lightness, a, b = lab
    fy = (lightness + 16) / 116
    x, y, z = _WHITE[0] * _unrooted(fy + a / 500), _WHITE[1] * _unrooted(fy), _WHITE[2] * _unrooted(fy - b / 200)
    red, green, blue = [255 * _srgb(of_x * x + of_y * y + of_z * z) for of_x, of_y, of_z in _TO_RGB]
    return red, green, blue


def _unrooted(f: float) -> float:
    return f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29)


def _srgb(linear: float) -> float:
    if linear <= 0.0031308:
        return 12.92 * linear if linear > 0 else 0.0
    return 1.055 * min(linear, 1.0) ** (1 / 2.4) - 0.055


def hex_colour(colour: Iterable[float]) -> str:
    """Three numbers 0..255 as "#rrggbb"."""
    red, green, blue = [round(min(max(value, 0.0), 255.0)) for value in colour]
    return f"#{red:02x}{green:02x}{blue:02x}"


_WHITE = (0.95047, 1.0, 1.08883)
_TO_RGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
