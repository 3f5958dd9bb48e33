"""What each pixel of a masked picture is: cloth, strap, valve, window, shield or glasses."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Mask
from maskgen.masks.render import STRAP_COVER, Window
from maskgen.masks.template import PARTS

STRAP = PARTS["strap"]
HALF, HALF_STRAP = 127, round(255 * STRAP_COVER / 2)  # of the coverage, above which a pixel is a part's


def part_labels(drawn: Mask, coverage: Mask, window: Window) -> Mask:
    """The parts of a whole picture, uint8 (height, width), from those that were drawn in a window of it.

    Every pixel whose coverage is above one half is a part. Blur takes cloth a little beyond where it was drawn; there
    it is what is next to it.
    """
    covered = coverage[window.slices]
    named = drawn.copy()
    while (blank := (named == 0) & (covered > HALF)).any():
        named[blank] = cv2.dilate(named, np.ones((3, 3), np.uint8))[blank]
    named[covered <= HALF_STRAP] = 0
    named[(named != STRAP) & (covered <= HALF)] = 0
    parts = np.zeros_like(coverage)
    parts[window.slices] = named
    return parts
