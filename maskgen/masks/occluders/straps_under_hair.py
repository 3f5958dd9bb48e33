"""The visible share of straps: an ear loop is hidden where the photograph shows hair or background instead of skin.

Where the head's geometry hides a strap, such as behind an ear, is computed in `ear_and_head_occlusion`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Image
from maskgen.masks.cloth_and_straps import PIECES
from maskgen.masks.lighting.light import Light
from maskgen.masks.lighting.tone import LUMA

DARK, PLAIN = 0.38, 0.62  # shares of the skin's luma: below the first a pixel is not skin, above the second it may be
ALIKE, OTHER = 0.25, 0.55  # distance from the skin's colour, in logarithms of red and blue over green: skin; not skin
LEAST = 4.0  # least level of a colour, so that its logarithm is finite
# Rows of points, counted from the mask. Up to the first a loop lies in front of beard and hair. From the second on hair
# can hide it completely. Between them the effect increases.
BEFORE, UNDER = 3, 8
# Cosines of the skin's normal to the line of sight, below which the photograph begins to count, and counts in full, in
# every row: near the head's outline, what is not skin is the background beside a head narrower than the mean one.
OUTLINE = 0.45, 0.2
ROOT = 0.5  # visibility of the first row, where a strap comes out from under the hem
ENDS = np.array([0.75, 0.4, 0.1])  # visibility of the last rows, where a loop goes behind the ear


CHEEK = 3  # rows of a head strap before the hair that it goes over

_GOES_UNDER = np.clip((np.arange(PIECES) - BEFORE) / (UNDER - BEFORE), 0.0, 1.0)
_ON_CHEEK = (np.arange(PIECES) < CHEEK).astype(float)


def visible_strap_share(
    image: Image,
    points: Doubles,
    count: int,
    lit: Doubles,
    facing: Doubles,
    over_hair: NDArray[np.bool_],
    light: Light,
) -> Doubles:
    """The visible share of straps, 0..1, at their points (count * PIECES * breadth, 3) in the picture: (points,).

    A loop lies on the skin of the cheek. From the first point on where the picture shows no skin, it is hidden.

    Args:
        count: how many straps there are.
        lit: encoded light on the points as a share of that on the face's front.
        facing: cosines of the skin's normals under the points to the line of sight.
        over_hair: for each point whether its strap goes over hair; only where it begins the photograph can hide it.
    """
    if light.skin is None or not len(points):
        return np.ones(len(points))
    breadth = len(points) // (count * PIECES)
    beside = (OUTLINE[0] - facing.reshape(-1, PIECES, breadth)[..., 0]) / (OUTLINE[0] - OUTLINE[1])
    beside = np.minimum(np.maximum(beside, 0.0), 1.0)
    high = over_hair.reshape(-1, PIECES * breadth)[:, :1]
    counts = np.where(high, beside * _ON_CHEEK, np.maximum(_GOES_UNDER, beside))
    skin = 1 - (1 - _skin_share(image, points, lit, light.skin, breadth)) * counts
    # A single pixel is unreliable, and a loop goes under hair bit by bit.
    soft = skin.copy()
    soft[:, 2:-2] = (skin[:, 4:] + skin[:, 3:-1] + skin[:, 2:-2] + skin[:, 1:-3] + skin[:, :-4]) / 5
    soft[:, -len(ENDS) :] *= np.where(high, 1.0, ENDS)
    shown = np.minimum.accumulate(soft, axis=1)
    shown[:, 0] *= ROOT
    return np.repeat(shown.ravel(), breadth)


def _skin_share(image: Image, points: Doubles, lit: Doubles, skin: Doubles, breadth: int) -> Doubles:
    """How far the photograph shows skin of colour `skin` (3,), 0..1, at each row of points: (straps, PIECES)."""
    height, width = image.shape[:2]
    nearest = np.minimum(np.maximum(np.rint(points[:, :2]), 0), (width - 1, height - 1)).astype(np.intp)
    pixels = image.reshape(-1, 3).take(nearest[:, 1] * width + nearest[:, 0], axis=0)
    seen = np.add.reduce(np.maximum(pixels, LEAST).reshape(-1, PIECES, breadth, 3), 2) / breadth
    expected = np.maximum(skin, LEAST)
    bright = np.add.reduce(lit.reshape(-1, PIECES, breadth), 2) / breadth
    share = seen @ LUMA / (expected @ LUMA) / np.minimum(bright, 1.0)
    tint = np.log(seen[..., ::2] / seen[..., 1:2]) - np.log(expected[::2] / expected[1])
    off = np.hypot(tint[..., 0], tint[..., 1])
    return _smooth((share - DARK) / (PLAIN - DARK)) * _smooth((OTHER - off) / (OTHER - ALIKE))


def _smooth(share: Doubles) -> Doubles:
    """Smoothstep: 0 below 0, 1 above 1."""
    held = np.minimum(np.maximum(share, 0.0), 1.0)
    return np.asarray(held * held * (3 - 2 * held))
