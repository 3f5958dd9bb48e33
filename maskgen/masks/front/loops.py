"""How much is seen of loops: hair and ears that lie before them hide them, in the photograph and so on the mask too."""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Doubles, Image
from maskgen.masks.lighting.light import Light
from maskgen.masks.lighting.tone import LUMA
from maskgen.masks.sheet import PIECES

DARK, PLAIN = 0.38, 0.62  # share of the skin's luma below which something dark is seen, above which skin may be
ALIKE, OTHER = 0.25, 0.55  # how far a colour is from the skin's, in logarithms of red and blue over green
LEAST = 4.0  # levels
WELDED = 3  # rows of points at the mask's edge that are always seen: there the loop is above all


def shown_loops(image: Image, points: Doubles, lit: Doubles, light: Light) -> Doubles:
    """How much is seen of loops, 0..1, for their points (loops * PIECES * breadth, 3) in the picture: (points,).

    A loop lies on the skin of the cheek. Where the picture shows no skin but hair or what is behind the head the loop
    is under it, and stays so to its end.

    Args:
        lit: encoded light on the points as a share of that on the face's front.
    """
    if light.skin is None or not len(points):
        return np.ones(len(points))
    height, width = image.shape[:2]
    nearest = np.minimum(np.maximum(np.rint(points[:, :2]), 0), (width - 1, height - 1)).astype(np.intp)
    breadth = 3 if len(points) % (3 * PIECES) == 0 else 2
    pixels = image.reshape(-1, 3).take(nearest[:, 1] * width + nearest[:, 0], axis=0)
    seen = np.add.reduce(np.maximum(pixels, LEAST).reshape(-1, PIECES, breadth, 3), 2) / breadth
    expected = np.maximum(light.skin, LEAST)
    bright = np.add.reduce(lit.reshape(-1, PIECES, breadth), 2) / breadth
    share = seen @ LUMA / (expected @ LUMA) / np.minimum(bright, 1.0)
    tint = np.log(seen[..., ::2] / seen[..., 1:2]) - np.log(expected[::2] / expected[1])
    off = np.hypot(tint[..., 0], tint[..., 1])
    skin = _smooth((share - DARK) / (PLAIN - DARK)) * _smooth((OTHER - off) / (OTHER - ALIKE))
    skin[:, :WELDED] = 1.0
    soft = skin.copy()
    soft[:, 1:-1] = (skin[:, :-2] + skin[:, 1:-1] + skin[:, 2:]) / 3  # one pixel says little
    return np.repeat(np.minimum.accumulate(soft, axis=1).ravel(), breadth)


def _smooth(share: Doubles) -> Doubles:
    """0 below 0, 1 above 1, between them without a bend."""
    held = np.minimum(np.maximum(share, 0.0), 1.0)
    return np.asarray(held * held * (3 - 2 * held))
