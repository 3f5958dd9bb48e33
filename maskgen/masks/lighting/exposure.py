"""A photograph's exposure and colour cast from what is not skin: the whites of the eyes, highlights, darkest parts.

Skin alone cannot separate a dark face from a dark picture, or warm skin from warm light. The whites of the eyes are
similar in all people, and a photograph's highlights are often white.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Image
from maskgen.masks.lighting.tone import LUMA

SIDE = 128  # largest number of sampled columns and rows of a photograph
CLIPPED = 251  # level from which a pixel's colour is lost by clipping
HABIT = 0.002  # share of clipped pixels above which a photograph counts as clipped
HIGHLIGHTS = 0.97  # quantile of luma from which pixels count as highlights
WHITE = 150.0  # least luma of the highlights of white objects
DARKEST = 24.0  # luma of the darkest parts of a photograph with full contrast, in levels
MOST_LIFT = 30.0  # largest lift, in levels
CONTRAST = 80.0  # least range, in levels, between the brightest and darkest parts of a picture with a dark object
EYE_SHARE = (0.7, 0.92)  # quantiles of luma between an eye's lids that are its white; those above are reflections
FEWEST = 8  # least number of pixels between an eye's lids
OPEN = 0.2  # height over width from which an eye counts as open
# Warmth of eyes' whites under white light, see `warmth`: LFW's faces have 0.2, drawn people 0.05 to 0.17.
EYE_WARMTH = 0.17
BLEED = 0.15  # share of the skin's colour in the measured white of an eye
# Variation of the eyes' warmth between people: the part that does not count if highlights agree, and if there are none.
DOUBT, ALONE = 0.05, 0.24
MOST_WARMTH = 0.25  # largest warmth of the light
ROOM = 24.0  # levels below `Exposure.top` within which bright cloth is compressed


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure of a photograph, from its brightest and darkest parts.

    Attributes:
        top: the level, 0..255 or slightly more, that bright cloth approaches and does not exceed.
        lift: levels of the darkest parts above black: haze, a faded print.
        bright: encoded luma of the highlights, 0..255.
        warmth: of the highlights, see `warmth`; None if none could be white.
    """

    top: float
    lift: float
    bright: float
    warmth: float | None


PLAIN = Exposure(253.0, 0.0, 255.0, None)


def estimate_exposure(image: Image) -> Exposure:
    """The exposure of a whole photograph, uint8 RGB (height, width, 3)."""
    height, width = image.shape[:2]
    some = image[:: -(-height // SIDE), :: -(-width // SIDE)]
    # Colour by colour: NumPy copies runs of three bytes four times as slowly.
    values: NDArray[np.uint8] = np.stack([some[..., colour] for colour in range(3)]).reshape(3, -1)
    most: NDArray[np.uint8] = np.maximum(np.maximum(values[0], values[1]), values[2])
    luma: Doubles = LUMA @ values
    count = len(luma)
    places = [min(int(at * count), count - 1) for at in (0.001, HIGHLIGHTS, 0.999)]
    lowest, highlights, bright = np.partition(luma, places)[places].tolist()
    lift = min(max(lowest - DARKEST, 0.0), MOST_LIFT) if bright - lowest > CONTRAST else 0.0
    clips = np.count_nonzero(most >= 255) > HABIT * count
    top = 262.0 if clips else 253.0
    return Exposure(top, lift, highlights, _highlights(values, luma, most, highlights))


def _highlights(values: NDArray[np.uint8], luma: Doubles, most: NDArray[np.uint8], least: float) -> float | None:
    """The warmth of pixels with a luma of `least` or more, see `Exposure.warmth`."""
    if least >= CLIPPED - 6:  # large parts are plain white
        return 0.0
    if least < WHITE:
        return None
    chosen = np.flatnonzero((luma >= least) & (most < CLIPPED))
    return warmth(values.take(chosen, axis=1).mean(1)) if len(chosen) else 0.0


def warmth(colour: Doubles) -> float:
    """Half the logarithm of red over blue, encoded: what warm light adds to the logarithm of red and subtracts from
    that of blue. A green or magenta cast is not estimated: it is nearly always an object's own colour."""
    return math.log(max(float(colour[0]), 1.0) / max(float(colour[2]), 1.0)) / 2


def eye_white_colour(image: Image, lids: Doubles) -> Doubles | None:
    """The colour (3,), encoded, of the whites of two eyes between their landmarks (12, 2); None if the eyes are shut,
    outside the picture or too small."""
    found = [white for one in (lids[:6], lids[6:]) if (white := _one_eye(image, one)) is not None]
    return np.exp(np.mean(np.log(found), axis=0)) if found else None


def _one_eye(image: Image, lids: Doubles) -> Doubles | None:
    width = math.hypot(*(lids[3] - lids[0]).tolist())
    height = (math.hypot(*(lids[5] - lids[1]).tolist()) + math.hypot(*(lids[4] - lids[2]).tolist())) / 2
    if height < OPEN * width:
        return None
    left, up = (max(math.floor(low), 0) for low in lids.min(0).tolist())
    right, down = (max(math.ceil(high) + 1, 0) for high in lids.max(0).tolist())
    part = image[up:down, left:right]
    if part.shape[0] < 2 or part.shape[1] < 4:
        return None
    inside = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.rint((lids - (left, up)) * 16).astype(np.int32), 1, cv2.LINE_8, 4)
    pixels = part[inside > 0]
    count = len(pixels)
    if count < FEWEST:
        return None
    order = np.argsort(pixels @ LUMA, kind="stable")
    return np.maximum(pixels[order[int(EYE_SHARE[0] * count) : int(EYE_SHARE[1] * count) + 1]].mean(0), 1.0)


def without_skin_bleed(eyes: Doubles, skin: Doubles) -> Doubles:
    """The colour of the whites of the eyes without the share of skin in it, both (3,), encoded."""
    return np.maximum((eyes - BLEED * skin) / (1 - BLEED), 1.0)


def common_warmth(highlights: float | None, eyes: Doubles) -> float:
    """The light's warmth, as far as highlights and eyes agree.

    Highlights may be of a coloured object, and eyes differ. So if both have the same sign the weaker counts, otherwise
    neither; eyes alone must be far from the usual.
    """
    seen = warmth(eyes) - EYE_WARMTH
    doubt = ALONE if highlights is None else DOUBT
    seen = math.copysign(max(abs(seen) - doubt, 0.0), seen)
    agreed = seen if highlights is None else agreement(seen, highlights)
    return min(max(agreed, -MOST_WARMTH), MOST_WARMTH)


def agreement(one: float, other: float) -> float:
    """The one nearer to 0 of two numbers of the same sign, otherwise 0."""
    return min(one, other, key=abs) if one * other > 0 else 0.0


def estimate_exposures(images: Sequence[Image]) -> list[Exposure]:
    """`estimate_exposure` of photographs; consecutive repeats of one photograph are estimated once."""
    whites: list[Exposure] = []
    for at, image in enumerate(images):
        whites.append(whites[-1] if at and image is images[at - 1] else estimate_exposure(image))
    return whites
