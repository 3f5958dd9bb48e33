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

from maskgen.core.kernels.arena import JobType, arena_of_thread
from maskgen.core.records import Doubles, Image
from maskgen.masks.lighting.tone import LUMA

SIDE = 128  # largest number of sampled columns and rows of a photograph
CLIPPED = 251  # level from which a pixel's colour is lost by clipping
HABIT = 0.002  # share of clipped pixels above which a photograph counts as clipped
HIGHLIGHTS = 0.97  # quantile of luma from which pixels count as highlights
LOWEST, BRIGHT = 0.001, 0.999  # quantiles of luma of the darkest and the brightest parts
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
_WHOLE = [round(10_000 * number) for number in (*LUMA.tolist(), DARKEST)]  # the same as whole numbers, for the kernel
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
    """The exposure of a whole photograph, uint8 RGB (height, width, 3), by the kernel `measure_exposure`."""
    height, width = image.shape[:2]
    down, across = -(-height // SIDE), -(-width // SIDE)
    rows, columns = -(-height // down), -(-width // across)
    count, arena = rows * columns, arena_of_thread()
    arena.begin()
    pixels = arena.put(image[::down])
    found_at, found = arena.room((9,), np.float64)
    places = [min(int(share * count), count - 1) for share in (HIGHLIGHTS, LOWEST, BRIGHT)]
    job = (
        *(*LUMA.tolist(), DARKEST, found_at, pixels, rows, columns, 3 * width, 3 * across),
        *(*_WHOLE, CLIPPED, *places, arena.space(4 * count), arena.space(8 * count)),
    )
    arena.call("measure_exposure", arena.job(_JOB, *job))
    full, dark, highlights, lowest, brightest, *colour = found.tolist()
    top = 262.0 if full > HABIT * count else 253.0
    lift = _lift(lowest, brightest) if dark <= places[1] else 0.0
    return Exposure(top, lift, highlights, _highlights(highlights, *colour))


# The structure `Exposure` of `kernels/exposure.c`, in its order.
_JOB = JobType("luma:3d darkest:d found pixels rows columns row column whole:3i dark:i clipped:i places:3i values some")


def _lift(lowest: float, brightest: float) -> float:
    """See `Exposure.lift`."""
    return min(lowest - DARKEST, MOST_LIFT) if brightest - lowest > CONTRAST else 0.0


def _highlights(luma: float, count: float, red: float, green: float, blue: float) -> float | None:
    """The warmth of highlights of this luma or more, see `Exposure.warmth`: the sums of the colours of so many."""
    if luma >= CLIPPED - 6:  # large parts are plain white
        return 0.0
    if luma < WHITE:
        return None
    return warmth(np.array([red, green, blue]) / count) if count else 0.0


def warmth(colour: Doubles) -> float:
    """Half the logarithm of red over blue, encoded: what warm light adds to the logarithm of red and subtracts from
    that of blue. A green or magenta cast is not estimated: it is nearly always an object's own colour."""
    return math.log(max(float(colour[0]), 1.0) / max(float(colour[2]), 1.0)) / 2


def eye_white_colour(image: Image, lids: Doubles) -> Doubles | None:
    """The colour (3,), encoded, of the whites of two eyes between their landmarks (12, 2); None if the eyes are shut,
    outside the picture or too small."""
    found = [white for one in (lids[:6], lids[6:]) if (white := _one_eye(image, one)) is not None]
    return np.exp(np.add.reduce(np.log(found), 0) / len(found)) if found else None


def _one_eye(image: Image, lids: Doubles) -> Doubles | None:
    corner, above, above_too, other, below, below_too = at = lids.tolist()
    height = (math.dist(above, below_too) + math.dist(above_too, below)) / 2
    if height < OPEN * math.dist(corner, other):
        return None
    left, up = (max(math.floor(min(along)), 0) for along in zip(*at, strict=True))
    right, down = (max(math.ceil(max(along)) + 1, 0) for along in zip(*at, strict=True))
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
    white = pixels[order[int(EYE_SHARE[0] * count) : int(EYE_SHARE[1] * count) + 1]]
    # A sum: `mean` takes twice as long for so few.
    return np.maximum(np.add.reduce(white, 0, np.float64) / len(white), 1.0)


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
