"""Are photographs of faces sharpened so much that a drawn mask without halos stands out?

    python benchmarks/sharpening.py FOLDER [FOLDER ...] [--every 1]

Sharpening makes a halo beside an edge: the bright side is brightest, and the dark side darkest, right beside it. For
each photograph the overshoot is measured at its strong edges along rows and columns: how far the levels beside the edge
go beyond those 4 to 6 pixels away, as a share of the edge's step, the mean of both sides, the median over the edges.
Printed are quantiles over the photographs (*.jpg) of each FOLDER; of the first FOLDER sharpened on purpose by a
strength S (I + S (I - G I), G a Gaussian of 1 pixel), as a scale; and of drawn people, who are never sharpened.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.images import read_photo
from maskgen.core.records import Doubles, Image
from maskgen.core.seeding import rng_for
from maskgen.people import draw_person, draw_portrait, draw_scene

REACH, BESIDE = 6, 3  # pixels from an edge to the end of its sides, and in which a halo lies
STEEP, STEP = 40, 40  # levels: least central difference at an edge, and least step
EVEN = 0.12  # largest range of a side's last pixels, as a share of the step
DARKEST, BRIGHTEST = 10, 245  # levels of the sides beyond which a halo may be clipped
FEWEST = 30  # edges
STRENGTHS, DRAWN = (0.5, 1.0, 2.0), 40
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def overshoot(image: Image) -> float | None:
    """Of a picture; None where it has too few edges."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    found = np.concatenate([_along_rows(grey), _along_rows(grey.T)])
    return float(np.median(found)) if len(found) >= FEWEST else None


def _along_rows(grey: Doubles) -> Doubles:
    """The overshoot at each edge that a row crosses, (n,)."""
    slope = np.zeros_like(grey)
    slope[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    steep = np.abs(slope)
    most = (steep[:, 1:-1] >= steep[:, :-2]) & (steep[:, 1:-1] > steep[:, 2:]) & (steep[:, 1:-1] > STEEP)
    row, column = np.nonzero(most)
    column += 1
    inside = (column >= REACH) & (column < grey.shape[1] - REACH)
    row, column = row[inside], column[inside]
    across = grey[row[:, None], column[:, None] + np.arange(-REACH, REACH + 1)]
    across = np.where(slope[row, column][:, None] < 0, across[:, ::-1], across)
    low, high = across[:, :BESIDE], across[:, -BESIDE:]
    dark, bright = np.median(low, 1), np.median(high, 1)
    step = bright - dark
    even = np.maximum(np.ptp(low, 1), np.ptp(high, 1)) < EVEN * step
    good = even & (step > STEP) & (dark > DARKEST) & (bright < BRIGHTEST)
    above = across[good, REACH + 1 : REACH + 1 + BESIDE].max(1) - bright[good]
    below = dark[good] - across[good, REACH - BESIDE : REACH].min(1)
    return np.asarray((above + below) / (2 * step[good]))


def sharpened(image: Image, strength: float) -> Image:
    """The picture with halos."""
    levels = image.astype(np.float32)
    return np.clip(levels + strength * (levels - cv2.GaussianBlur(levels, (0, 0), 1.0)), 0, 255).astype(np.uint8)


def tell(name: str, images: Iterable[Image]) -> None:
    """Print a line."""
    each = [overshoot(image) for image in images]
    some = [one for one in each if one is not None]
    shown = " ".join(f"{one:7.3f}" for one in np.quantile(some, QUANTILES)) if some else "none has enough edges"
    print(f"{name:32}{len(some):5} of {len(each):<5} {shown}", flush=True)


def portrait(number: int) -> Image:
    """A drawn person."""
    rng = rng_for(5, "sharpening", number)
    return draw_portrait(draw_person(rng), draw_scene(rng, 250)).image


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=1, help="of the photographs, one in so many")
    asked = parser.parse_args()
    print(f"{'':32}{'photographs':16}overshoot, quantiles " + " ".join(map(str, QUANTILES)))
    photos = {
        folder: [read_photo(path).image for path in sorted(p for p in folder.rglob("*.jpg"))[:: asked.every]]
        for folder in asked.folders
    }
    for folder, images in photos.items():
        tell("/".join(folder.parts[-2:]), images)
    for strength in STRENGTHS:
        tell(f"the first, sharpened by {strength}", (sharpened(image, strength) for image in photos[asked.folders[0]]))
    tell("drawn people", map(portrait, range(DRAWN)))
