"""Blur and noise of a photograph around the face, estimated and applied to the rendered mask.

Source: noise from the Laplacian difference mask, Immerkaer 1996, with the median in place of the mean so that edges
do not count; blur from how fast contrast falls between two scales, as in Zhuo and Sim 2011.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Image
from maskgen.core.seeding import rng_for

LAPLACIAN = np.array([1, -2, 1], np.float32)  # across and down
AGAIN = 1.2  # standard deviation of the second blur, in pixels
OWN_BLUR = 0.5  # standard deviation of the rendered mask's own blur, in pixels
LEAST = 0.6  # least standard deviation of the added blur, in pixels; it smooths the mask's aliased edges
MOST_BLUR = 6.0  # largest standard deviation of the blur, in pixels
LEAST_NOISE = 0.3  # standard deviation of the noise, in levels, below which none is added
MOST_NOISE = 12.0  # largest standard deviation of the noise, in levels
STEEPEST = 2040  # largest sum of two gradients of bytes
TILE = 256  # side of the noise tile, in pixels
COLOURED = 1.5  # standard deviation, in levels, below which colour noise is an artefact of JPEG and decoders
ELSEWHERE = (97, 61)  # rows and columns in the tile from the luma's noise to the colour noise
PRESSED = 24.0  # levels below the brightest one within which the noise decreases


@dataclass(frozen=True, slots=True)
class BlurAndNoise:
    """Blur and noise of a photograph.

    Attributes:
        blur: standard deviation of a Gaussian, in pixels.
        noise: standard deviation of luma, in levels of 0..255.
        colour: standard deviation of (red - blue) / 2, in levels; 0 if below COLOURED.
    """

    blur: float
    noise: float
    colour: float = 0.0


def estimate_blur_and_noise(images: Sequence[Image], points: Doubles) -> list[BlurAndNoise]:
    """Blur and noise of photographs around points (n, k, 2) of each, which should enclose edges, as the eyes do."""
    low = (np.floor(points.min(1)) - 2).astype(int).tolist()
    high = (np.ceil(points.max(1)) + 3).astype(int).tolist()
    return [_grain(image, *box) for image, *box in zip(images, low, high, strict=True)]


def _grain(image: Image, low: tuple[int, int], high: tuple[int, int]) -> BlurAndNoise:
    """Blur and noise of the part of a photograph from `low` to `high`, exclusive, each x and y."""
    (left, up), (right, down) = ((max(x, 0), max(y, 0)) for x, y in (low, high))
    part = image[up:down, left:right]
    if min(part.shape[:2]) < 8:
        return BlurAndNoise(0.0, 0.0)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    return BlurAndNoise(_blur(grey), _noise(grey), _colour_noise(part))


def _noise(grey: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise; that of the filter's response to white noise is six times as large."""
    answer = cv2.convertScaleAbs(cv2.sepFilter2D(grey, cv2.CV_16S, LAPLACIAN, LAPLACIAN)[1:-1, 1:-1])
    return min(_ranked(answer, 256, answer.size // 2) / 0.6745 / 6.0, MOST_NOISE)


def _ranked(values: NDArray[np.integer], levels: int, rank: int) -> float:
    """The value at index `rank` of the sorted values, which are integers below `levels`: a histogram finds it in a
    third of the time of a partition."""
    counts = cv2.calcHist([values], [0], None, [levels], [0, levels]).ravel().astype(np.int64)
    # Whole numbers are added up in a third of the time that floats take.
    return float(np.add.accumulate(counts).searchsorted(rank, side="right"))


def _colour_noise(part: Image) -> float:
    noise = _noise(np.asarray(cv2.addWeighted(part[..., 0], 0.5, part[..., 2], -0.5, 128)))
    return noise if noise >= COLOURED else 0.0


def _steepest(grey: NDArray[np.uint8]) -> float:
    across, down = cv2.spatialGradient(grey)
    size = np.abs(across, out=across)
    size += np.abs(down, out=down)
    return _ranked(size.view(np.uint16), STEEPEST + 1, size.size - max(4, size.size // 50))


def _blur(grey: NDArray[np.uint8]) -> float:
    """Blur from the steepest edges: blurring again by s flattens an edge of blur b by sqrt(1 + s^2 / b^2)."""
    blurred = cv2.sepFilter2D(grey, cv2.CV_32F, _again(), _again())
    before, after = _steepest(grey), _steepest(blurred.astype(np.uint8))
    ratio = before / max(after, 1.0)
    if ratio <= 1.02:
        return MOST_BLUR if before > 60 else 0.0
    # The gradient's own 3 x 3 window counts as blur of about 0.8 pixels.
    return min(math.sqrt(max(AGAIN**2 / (ratio**2 - 1) - 0.64, 0.0)), MOST_BLUR)


@cache
def _again() -> Floats:
    return np.asarray(cv2.getGaussianKernel(2 * round(4 * AGAIN) + 1, AGAIN, cv2.CV_32F), np.float32)


def blur_reach(grain: BlurAndNoise) -> int:
    """Pixels by which the added blur can widen the mask."""
    return math.ceil(2.5 * added_blur(grain))


def added_blur(grain: BlurAndNoise) -> float:
    """The standard deviation of the blur that the rendered mask still needs, in pixels."""
    return math.sqrt(max(grain.blur**2 - OWN_BLUR**2, LEAST**2))


@lru_cache(256)  # those of a face serve all its masks
def gaussian_kernel(radius: int, sigma: float) -> Floats:
    """The weights (2 * radius + 1,) of a Gaussian blur."""
    return np.asarray(cv2.getGaussianKernel(2 * radius + 1, sigma, cv2.CV_32F), np.float32)[:, 0]


@cache
def noise_tile() -> Floats:
    """White noise of standard deviation 1, slightly blurred as by cameras and JPEG: a seamless tile (TILE, TILE)."""
    field = rng_for(0, "grain").normal(size=(TILE, TILE)).astype(np.float32)
    field = cv2.GaussianBlur(np.pad(field, 4, mode="wrap"), (0, 0), 0.6)[4:-4, 4:-4]
    return np.ascontiguousarray(field / field.std())


def noise_levels(grain: BlurAndNoise) -> tuple[float, float]:
    """The standard deviations of luma's and colour's noise on the mask, in levels; 0 if negligible."""
    return (grain.noise, grain.colour) if grain.noise >= LEAST_NOISE else (0.0, 0.0)


def place_in_tile(seed: int) -> tuple[int, int]:
    """Row and column of `noise_tile` at the first pixel of a mask's layer; colour's noise is ELSEWHERE from there."""
    return seed % TILE, (seed // TILE) % TILE
