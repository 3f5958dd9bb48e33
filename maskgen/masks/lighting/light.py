"""The light on a face: direction from the skin; level and colour cast also from the eyes and the whole photograph.

Source: first-order spherical harmonics of Lambertian surfaces, Ramamoorthi and Hanrahan 2001.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Image
from maskgen.masks.lighting.colour import GAMMA, srgb_factor
from maskgen.masks.lighting.exposure import (
    PLAIN,
    Exposure,
    agreement,
    common_warmth,
    estimate_exposures,
    eye_white_colour,
    without_skin_bleed,
)
from maskgen.masks.lighting.tone import IN_COLOUR, LUMA, Tone, estimate_tones, tone_pixels
from maskgen.masks.pose.camera import Cameras

# Luma of well exposed skin, from very dark to very light, is between these values; below, the picture is dark.
DARKEST_SKIN = 80.0
# Least encoded luma of the eyes' whites in a well exposed face, for any skin; drawn people in dim light have more.
EYES_WELL_LIT = 54.0
HIGHLIGHTS_WELL_LIT = 180.0
BRIGHTEST_SKIN = 222.0
# Prior direction of the light, that of most faces: from above and in front.
USUAL = np.array([0.0, -0.16, 0.22])
BELIEF = np.array([0.008, 0.020, 0.018])  # weight of the prior, relative to the samples: sideways, down, front
ROUNDS = 3  # iterations of the reweighted regression
DIM = 0.05  # relative light below which samples carry no information
FEWEST = 12  # least number of samples
# Linear light of the encoded values 0..255.
_LINEAR = (np.arange(256) / 255.0) ** GAMMA
# Contribution of each colour to the luma, encoded and linear, (3, 256).
_ENCODED_LUMA, _LINEAR_LUMA = LUMA[:, None] * np.arange(256.0), LUMA[:, None] * _LINEAR
# Linear red over green and blue over green of skin in white light: the lowest and the highest values.
SKIN_RATIOS = ((0.9, 2.6), (0.42, 1.15))

_Number = TypeVar("_Number", np.uint8, np.float64)


@dataclass(frozen=True, slots=True)
class UnexplainedLight:
    """The part of the light that one direction does not explain: cast shadows, a second lamp, a beard.

    Attributes:
        off_and_seen: (k, 2), for each point of a `SkinNormals` the logarithm of the skin's linear light over that of
            the direction, 0 if the point is not visible; and 1 if it is visible, else 0.
    """

    off_and_seen: Doubles

    @classmethod
    def of_each(cls, off: Doubles, seen: NDArray[np.bool_]) -> list[UnexplainedLight]:
        """The light on faces with these residuals (n, k), 0 where the points are not seen."""
        return [cls(own.copy()) for own in np.stack([off, seen], 2)]


@dataclass(frozen=True, slots=True)
class Light:
    """Light that falls on a surface of normal n (camera axes: x right, y down, z to the viewer): 1 + direction . n.

    Attributes:
        level: the picture's exposure; at 1 white cloth is white.
        direction: (3,), relative to the light at the front.
        cast: (3,), the factor of coloured light on encoded red, green and blue.
        tone: whether the photograph is in colours.
        top, lift: levels of its whites and blacks, see `exposure.Exposure`.
        unexplained: the rest of the light, at the samples of skin; None if too little skin is visible.
        skin: (3,), median colour of the skin, encoded, 0..255; None if too little is visible.
    """

    level: float
    direction: Doubles
    cast: Doubles
    tone: Tone = IN_COLOUR
    top: float = PLAIN.top
    lift: float = PLAIN.lift
    unexplained: UnexplainedLight | None = None
    skin: Doubles | None = None

    def on(self, normals: NDArray[np.floating]) -> Doubles:
        """Relative linear light on unit normals (n, 3), at least 0.12 (some light comes from everywhere)."""
        front = 1.0 + self.direction[2]
        return np.maximum((1.0 + normals @ self.direction) / front, 0.12)


@dataclass(frozen=True, slots=True)
class SkinNormals:
    """The normals of the sampled skin, prepared for the regression of brightness.

    Attributes:
        normals: unit (k, 3) in head coordinates, the same for all faces.
        design: (k, 4), a one before each normal.
        squares: (16, k), the products of the columns of `design`.
    """

    normals: Doubles
    design: Doubles
    squares: Doubles

    @classmethod
    def prepare(cls, normals: Doubles) -> SkinNormals:
        """Prepare normals (k, 3)."""
        design = np.column_stack([np.ones(len(normals)), normals])
        squares = (design[:, :, None] * design[:, None]).reshape(-1, 16)
        return cls(normals, design, np.ascontiguousarray(squares.T))


def estimate_lights(
    images: Sequence[Image],
    cameras: Cameras,
    points: Doubles,
    facing: SkinNormals,
    lids: Doubles,
    wholes: Sequence[Image],
) -> list[Light]:
    """The light on faces, from samples of their skin, their eyes and the photographs that they are in.

    Args:
        images: each face's, uint8 RGB (height, width, 3).
        cameras: samples are means over about a tenth of the distance between the eyes.
        points: (n, k, 2), the samples of skin, x, y in pixels; those outside the picture are ignored.
        facing: of the k points.
        lids: (n, 12, 2), the landmarks of the two eyes.
        wholes: the photograph that each image was cut from, or the image itself.
    """
    small = [_small(*one) for one in zip(images, cameras.scales.tolist(), strict=True)]
    where, inside = _cells(images, small, points)
    # No reduced picture is kept: of a large photograph with small faces each takes as much memory as the photograph.
    colours, parts = zip(*map(_sampled, images, small, where), strict=True)
    samples = np.stack(colours)
    usable = inside & ((facing.normals @ cameras.rotations[:, 2, :, None])[:, :, 0] > 0.2)
    counts = usable.sum(1)
    samples[~usable] = 0
    skins = _LINEAR[_median(np.ascontiguousarray(samples.transpose(0, 2, 1)), counts)]
    lumas = np.stack([_weighted(table, samples) for table in (_ENCODED_LUMA, _LINEAR_LUMA)], axis=1)
    middle = _median(lumas, counts)
    relative = lumas[:, 1] / np.maximum(middle[:, 1:], 1e-4)
    directions, rests = _directions(relative, usable, cameras.rotations, facing)
    whites = [
        _without(eye_white_colour(image, own), skin) for image, own, skin in zip(images, lids, skins, strict=True)
    ]
    known = zip(counts.tolist(), middle[:, 0].tolist(), skins.tolist(), whites, strict=True)
    seen = [_FaceSamples(*one, ends) for one, ends in zip(known, estimate_exposures(wholes), strict=True)]
    return list(map(_light, seen, directions, estimate_tones(parts), UnexplainedLight.of_each(rests, usable)))


def _without(eyes: Doubles | None, skin: Doubles) -> Doubles | None:
    return None if eyes is None else without_skin_bleed(eyes, 255 * srgb_factor(skin))


@dataclass(frozen=True, slots=True)
class _FaceSamples:
    """The measurements of one face: the number of skin samples, their median luma and median linear colour, the whites
    of its eyes without the skin's share, (3,) or None, and the photograph's exposure."""

    count: int
    skin: float
    linear: list[float]
    eyes: Doubles | None
    whites: Exposure


def _light(seen: _FaceSamples, direction: Doubles, tone: Tone, rest: UnexplainedLight) -> Light:
    ends = seen.whites.top, seen.whites.lift
    if seen.count < FEWEST:
        return Light(1.0, USUAL / 1.5, np.ones(3), IN_COLOUR, *ends)
    warm = _warmth(seen) * tone.colour  # a single tint is not coloured light
    cast = np.array([math.exp(warm), 1.0, math.exp(-warm)])
    cast /= cast @ LUMA  # the cast does not change the exposure
    return Light(_level(seen), direction, cast, tone, *ends, rest, 255 * srgb_factor(np.array(seen.linear)))


def _warmth(seen: _FaceSamples) -> float:
    """The light's warmth, from the whites of the eyes and the highlights; from skin and highlights if eyes are shut."""
    if seen.eyes is not None:
        return common_warmth(seen.whites.warmth, seen.eyes)
    by_skin = _warm(*seen.linear)
    return by_skin if seen.whites.warmth is None else agreement(by_skin, seen.whites.warmth)


def _warm(red: float, green: float, blue: float) -> float:
    """The light's warmth as far as no skin under white light explains it: what the logarithm of encoded red gains.

    Only warm and cool are told apart: what looks like green or magenta light is nearly always the skin's own red.
    """
    excess = 0.0
    for sign, colour, (least, most) in zip((1, -1), (red, blue), SKIN_RATIOS, strict=True):
        ratio = max(colour / max(green, 1e-4), 0.02)
        excess += sign * math.log(ratio / min(max(ratio, least), most))
    return min(max(excess / 2 / GAMMA, -0.25), 0.25)


def _small(image: Image, scale: float) -> tuple[int, int]:
    """Columns and rows of a picture with a pixel per twelfth of the eye distance, never larger than the picture."""
    height, width = image.shape[:2]
    cell = max(1.0, scale / 12)
    return max(1, round(width / cell)), max(1, round(height / cell))


def _cells(
    images: Sequence[Image], small: Sequence[tuple[int, int]], points: Doubles
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The indices, row by row, of the pixels of the reduced pictures nearest to the points (n, k, 2), and whether each
    point is inside its picture: both (n, k)."""
    sizes, sides = np.array([image.shape[1::-1] for image in images]), np.array(small)
    at = np.floor((points + 0.5) * (sides / sizes)[:, None])
    nearest = np.minimum(np.maximum(at, 0.0), (sides - 1)[:, None])
    same = at == nearest
    where = nearest[:, :, 1] * sides[:, :1] + nearest[:, :, 0]
    return where.astype(np.intp), same[:, :, 0] & same[:, :, 1]


def _sampled(image: Image, small: tuple[int, int], where: NDArray[np.intp]) -> tuple[Image, Image]:
    """The pixels (k, 3) of a reduced picture at the indices `where`, and the pixels (m, 3) for its tone."""
    reduced = _reduced(image, small)
    return reduced.reshape(-1, 3)[where], tone_pixels(reduced)


def _reduced(image: Image, small: tuple[int, int]) -> Image:
    """The picture reduced to `small`, columns and rows; it is halved as often as possible first, which is fast."""
    while image.shape[1] >= 2 * small[0] and image.shape[0] >= 2 * small[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = cv2.resize(image[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return image if image.shape[1::-1] == small else cv2.resize(image, small, interpolation=cv2.INTER_AREA)


def _weighted(tables: Doubles, colours: Image) -> Doubles:
    """The sum over the three colours (n, k, 3) of their values in the tables (3, 256): (n, k)."""
    return np.asarray(tables[0][colours[:, :, 0]] + tables[1][colours[:, :, 1]] + tables[2][colours[:, :, 2]])


def _median(values: NDArray[_Number], counts: NDArray[np.intp]) -> NDArray[_Number]:
    """The median, (n, m), along the last axis of (n, m, k), of the `counts` (n,) values that are not zero padding."""
    last = values.shape[-1]
    at = np.minimum(last - counts + counts // 2, last - 1)
    return np.sort(values, axis=-1)[np.arange(len(values)), :, at]


def _directions(
    relative: Doubles, usable: NDArray[np.bool_], rotations: Doubles, facing: SkinNormals
) -> tuple[Doubles, Doubles]:
    """The light's directions, (n, 3) in camera axes, and the residuals (n, k), see `UnexplainedLight`: ridge
    regression of brightness (n, k) on the normals, with USUAL as prior. Beards, brows and glare get low weights.

    It is solved in head coordinates, where the normals are the same for all faces.
    """
    prior = np.diag([1e-6, *BELIEF]) * np.maximum(usable.sum(1), 1)[:, None, None]
    usual = np.concatenate([np.full((len(usable), 1), 0.8), USUAL @ rotations], axis=1)[:, :, None]
    believed, weights = prior @ usual, usable.astype(np.float64)
    for _ in range(ROUNDS):
        normal = (facing.squares @ weights[:, :, None]).reshape(-1, 4, 4) + prior
        answer = np.linalg.solve(normal, facing.design.T @ (weights * relative)[:, :, None] + believed)
        off = ((facing.design @ answer)[:, :, 0] - relative) / 0.18
        weights = usable / (1 + off * off)
    direction = (rotations @ answer[:, 1:])[:, :, 0] / np.maximum(answer[:, 0], 0.25)
    length = np.sqrt((direction * direction).sum(1, keepdims=True))
    explained = np.maximum((facing.design @ answer)[:, :, 0], DIM)
    rest = np.log(np.maximum(relative, DIM) / explained)
    rest = (rest - np.average(rest, 1, usable + 1e-9)[:, None]) * usable
    return direction * np.minimum(1.0, 0.95 / np.maximum(length, 1e-9)), rest


def _level(seen: _FaceSamples) -> float:
    """The exposure. Skin below DARKEST_SKIN means a dark picture, unless the whites of the eyes, or, if the eyes are
    shut or hidden, the highlights, are well lit. The eyes alone are unreliable: the brow shades them."""
    if seen.skin > BRIGHTEST_SKIN:
        return float(min((seen.skin / BRIGHTEST_SKIN) ** GAMMA, 1.2))
    if seen.eyes is None:
        share = max(seen.skin / DARKEST_SKIN, seen.whites.bright / HIGHLIGHTS_WELL_LIT)
    else:
        share = max(float(seen.eyes @ LUMA) / EYES_WELL_LIT, seen.skin / DARKEST_SKIN)
    return float(max(min(share, 1.0) ** GAMMA, 0.02))
