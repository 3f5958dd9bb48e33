"""The light on a face, read from its skin: level, colour and direction, no more than four numbers a colour.

Source: first-order spherical harmonics of Lambertian surfaces, Ramamoorthi and Hanrahan 2001.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from maskgen.core.records import Doubles, Image
from maskgen.masks.colour import GAMMA, middle
from maskgen.masks.tone import IN_COLOUR, LUMA, Tone, read_tone

# Well exposed skin from very dark to very light lies between these sRGB values; below, the picture is dark.
DARKEST_SKIN = 80.0
BRIGHTEST_SKIN = 222.0
# What light does on most faces when the picture says little: from above and in front.
USUAL = np.array([0.0, -0.16, 0.22])
BELIEF = 0.035  # how strongly the usual light is believed against the samples
ROUNDS = 3
# What encoded values 0..255 are in linear light.
_LINEAR = (np.arange(256) / 255.0) ** GAMMA
# Linear red and blue over green of skin in white light, lowest and highest.
SKIN_RATIOS = np.array([[0.9, 0.42], [2.6, 1.15]])


@dataclass(frozen=True, slots=True)
class Light:
    """Light that falls on a surface of normal n (camera axes: x right, y down, z to the viewer): 1 + direction . n.

    `level` is the picture's exposure (1: white cloth is white), `direction` (3,) relative to the light at the front,
    `cast` (3,) the factor that coloured light puts on encoded red, green and blue, `tone` whether the photograph has
    colours at all.
    """

    level: float
    direction: Doubles
    cast: Doubles
    tone: Tone = IN_COLOUR

    def on(self, normals: NDArray[np.floating]) -> Doubles:
        """Relative linear light on unit normals (n, 3), at least 0.12 (some light comes from everywhere)."""
        front = 1.0 + self.direction[2]
        return np.maximum((1.0 + normals @ self.direction) / front, 0.12)


def read_light(image: Image, points: NDArray[np.floating], normals: NDArray[np.floating], scale: float) -> Light:
    """The light on a face, from samples of its skin.

    Args:
        image: uint8 RGB (height, width, 3).
        points: (n, 2), x, y in pixels, where the skin is; those outside the picture are left out.
        normals: (n, 3), unit, camera axes.
        scale: pixels per distance between the eyes; samples are means over about a tenth of it.
    """
    reduced, colours, inside = _skin(image, points, scale)
    usable = inside & (normals[:, 2] > 0.2)
    if usable.sum() < 12:
        return Light(1.0, USUAL / 1.5, np.ones(3))
    seen, facing = colours[usable], normals[usable]
    linear = _LINEAR[seen]
    brightness = linear @ LUMA
    direction = _direction(brightness / max(float(middle(brightness)), 1e-4), np.asarray(facing, np.float64))
    tone = read_tone(reduced)
    cast = _cast(middle(linear)) ** tone.colour  # a tint is no light
    return Light(_level(float(middle(seen @ LUMA))), direction, cast, tone)


def _cast(skin: Doubles) -> Doubles:
    """The light's colour as far as no skin under white light explains it: factors on encoded values, at most 1.

    Only warm and cool are told apart: what looks like green or magenta light is nearly always the skin's own red.
    """
    ratio = np.maximum(skin[[0, 2]] / max(float(skin[1]), 1e-4), 0.02)
    excess = ratio / np.clip(ratio, SKIN_RATIOS[0], SKIN_RATIOS[1])
    warm = float(np.clip(np.log(excess[0] / excess[1]) / 2 / GAMMA, -0.25, 0.25))
    factors = np.exp([warm, 0.0, -warm])
    return np.asarray(factors / max(1.0, float(factors.max())))


def _skin(image: Image, points: NDArray[np.floating], scale: float) -> tuple[Image, Image, NDArray[np.bool_]]:
    """The picture reduced, mean colours, uint8 (n, 3), about the points, and which points are inside the picture."""
    height, width = image.shape[:2]
    cell = max(1.0, scale / 12)
    small = (max(1, round(width / cell)), max(1, round(height / cell)))
    reduced = _reduced(image, small)
    at = np.floor((points + 0.5) * (small[0] / width, small[1] / height)).astype(np.intp)
    x, y = np.minimum(np.maximum(at, 0), (small[0] - 1, small[1] - 1)).T
    return reduced, reduced[y, x], (at[:, 0] == x) & (at[:, 1] == y)


def _reduced(image: Image, small: tuple[int, int]) -> Image:
    """The picture in so many columns and rows; halved as often as it can be first, which costs next to nothing."""
    while image.shape[1] >= 2 * small[0] and image.shape[0] >= 2 * small[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = cv2.resize(image[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return image if image.shape[1::-1] == small else cv2.resize(image, small, interpolation=cv2.INTER_AREA)


def _direction(relative: Doubles, normals: Doubles) -> Doubles:
    """Ridge regression of brightness on the normal toward the usual light; beards, brows and glare lose their say."""
    design = np.empty((len(normals), 4))
    design[:, 0], design[:, 1:] = 1.0, normals
    prior = np.diag([1e-6, BELIEF, BELIEF, BELIEF]) * len(normals)
    usual = np.array([0.8, *USUAL])
    believed = prior @ usual
    answer, weights = usual, np.ones(len(normals))
    for _ in range(ROUNDS):
        weighted = design.T * weights
        _, answer, _ = dposv(weighted @ design + prior, weighted @ relative + believed)
        weights = 1 / (1 + ((design @ answer - relative) / 0.18) ** 2)
    direction = answer[1:] / max(float(answer[0]), 0.25)
    length = float(np.linalg.norm(direction))
    return np.asarray(direction * min(1.0, 0.95 / max(length, 1e-9)))


def _level(skin: float) -> float:
    """Exposure from the skin's median sRGB luma: any skin is believed, darker than any is a dark picture."""
    if skin < DARKEST_SKIN:
        return float(max((skin / DARKEST_SKIN) ** GAMMA, 0.02))
    return float(min((max(skin, BRIGHTEST_SKIN) / BRIGHTEST_SKIN) ** GAMMA, 1.2))
