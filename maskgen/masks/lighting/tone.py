"""Tone of a photograph: in colours, or in a single tint, such as black and white, sepia, hand-coloured or faded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.masks.lighting.colour import upper_median

LUMA = np.array([0.2126, 0.7152, 0.0722])
# Median distance, in levels, of a picture's red and blue from a smooth function of the luma. Of 500 photographs of LFW,
# all in colours, 99 % have more than 5.8; black and white, sepia and blue prints have 0 to 1.8.
NONE, FULL_COLOUR = 1.5, 5.0
SIDE = 28  # largest number of sampled pixels per side
DARK, GLARE = 25.0, 245.0  # range of luma of the usable pixels, in levels
FEWEST = 50  # least number of usable pixels


@dataclass(frozen=True, slots=True)
class Tone:
    """`colour` is 1 for a photograph in colours, 0 for one in a single tint; `tint` (3,) are that tint's red, green and
    blue over its luma."""

    colour: float
    tint: Doubles


IN_COLOUR = Tone(1.0, np.ones(3))


def tone_pixels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels (n, 3) of a small picture (height, width, 3) that `estimate_tones` samples."""
    height, width = image.shape[:2]
    return image[:: -(-height // SIDE), :: -(-width // SIDE)].reshape(-1, 3)


def estimate_tones(parts: Sequence[NDArray[np.uint8]]) -> list[Tone]:
    """The tones of pictures, from a few hundred pixels of each, uint8 RGB (n, 3)."""
    pixels = np.array(np.concatenate(parts).T, np.float64, order="C")
    terms = _terms(pixels)
    ends = np.cumsum([len(part) for part in parts]).tolist()
    own = [terms[:, first:end] for first, end in zip([0, *ends], ends, strict=False)]
    sums = np.array([each[:3] @ each.T for each in own])  # (n, 3, 5)
    fits = np.linalg.solve(sums[:, :, :3] + 1e-6 * np.eye(3), sums[:, :, 3:]).transpose(0, 2, 1)
    counts = np.rint(sums[:, 0, 0]).astype(int).tolist()
    shares = [_colour(each, fit, count) for each, fit, count in zip(own, fits, counts, strict=True)]
    return [_tone(part, share) for part, share in zip(parts, shares, strict=True)]


def _terms(pixels: Doubles) -> Doubles:
    """For each usable pixel of (3, n), neither dark nor glaring: 1, luma / 255, its square, red minus luma, and blue
    minus luma, (5, n); zeros for the other pixels."""
    out = np.empty((5, pixels.shape[1]))
    luma = LUMA[0] * pixels[0] + LUMA[1] * pixels[1] + LUMA[2] * pixels[2]
    out[0] = _usable(luma)
    np.multiply(luma, out[0] / 255.0, out=out[1])
    np.multiply(out[1], out[1], out=out[2])
    np.subtract(pixels[::2], luma, out=out[3:])
    out[3:] *= out[0]
    return out


def _usable(luma: Doubles) -> NDArray[np.bool_]:
    return (luma > DARK) & (luma < GLARE)


def _colour(terms: Doubles, fit: Doubles, count: int) -> float:
    """Colourfulness of a picture, 0..1: the distance of its usable pixels from parabolas (2, 3) in their luma."""
    if count < FEWEST:
        return 1.0
    rest = terms[3:] - fit @ terms[:3]
    rest *= rest
    squared = rest[0] + rest[1]
    at = len(squared) - count + count // 2  # pixels that are not usable have 0
    squared.partition(at)
    return min(max((math.sqrt(squared[at]) - NONE) / (FULL_COLOUR - NONE), 0.0), 1.0)


def _tone(pixels: NDArray[np.uint8], colour: float) -> Tone:
    if colour == 1.0:
        return IN_COLOUR
    luma = pixels @ LUMA
    usable = _usable(luma)
    return Tone(colour, upper_median(pixels[usable] / luma[usable, None]))
