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

from maskgen.core.kernels.arena import JobType, arena_of_thread
from maskgen.core.records import Doubles, Floats, Image
from maskgen.core.seeding import rng_for

AGAIN = 1.2  # standard deviation of the second blur, in pixels
OWN_BLUR = 0.5  # standard deviation of the rendered mask's own blur, in pixels
LEAST = 0.6  # least standard deviation of the added blur, in pixels; it smooths the mask's aliased edges
MOST_BLUR = 6.0  # largest standard deviation of the blur, in pixels
LEAST_NOISE = 0.3  # standard deviation of the noise, in levels, below which none is added
MOST_NOISE = 12.0  # largest standard deviation of the noise, in levels
LINE = 16  # numbers that the kernel takes for each line of pixels besides these
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
    before, after, luma, colour = _measured(part)
    tint = _noise(colour)
    return BlurAndNoise(_blur(before, after), _noise(luma), tint if tint >= COLOURED else 0.0)


def _measured(part: Image) -> list[int]:
    """Steepness of the edges of a picture of at least 3 x 3 pixels, before and after a blur, and the median strength of
    the Laplacian's answer to its luma and to (red - blue) / 2, by the kernel `measure_grain`."""
    arena, (rows, columns) = arena_of_thread(), part.shape[:2]
    arena.begin()
    picture_at, picture = arena.room(part.shape, np.uint8)
    picture[...] = part
    grey_at, grey = arena.room((rows, columns), np.uint8)
    cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY, grey)
    soft_at, soft = arena.room((rows, columns), np.uint8)
    soft[...] = cv2.sepFilter2D(grey, cv2.CV_32F, _again(), _again())
    found_at, found = arena.room((4,), np.int32)
    size, inside = rows * columns, (rows - 2) * (columns - 2)
    job = (
        *(rows, columns, picture_at, grey_at, soft_at, arena.space(size)),
        *(arena.space(4 * (columns + LINE)), size - max(4, size // 50), inside // 2, found_at),
    )
    arena.call("measure_grain", arena.job(_JOB, *job))
    return found.tolist()


# The structure `Grain` of `kernels/grain.c`, in its order.
_JOB = JobType("rows columns picture grey soft tint lines steep:i middle:i found")


def _noise(answer: int) -> float:
    """Standard deviation of the noise; that of the filter's response to white noise is six times as large."""
    return min(answer / 0.6745 / 6.0, MOST_NOISE)


def _blur(before: int, after: int) -> float:
    """Blur from the steepest edges: blurring again by s flattens an edge of blur b by sqrt(1 + s^2 / b^2)."""
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
