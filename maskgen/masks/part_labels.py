"""Part labels of a masked picture: cloth, strap, valve, window, shield or glasses for each pixel."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Mask
from maskgen.masks.render import STRAP_COVER, Window
from maskgen.masks.template import PARTS

STRAP = PARTS["strap"]
HALF, HALF_STRAP = 127, round(255 * STRAP_COVER / 2)  # coverage above which a pixel has a label


def part_labels(drawn: Mask, coverage: Mask, window: Window) -> Mask:
    """The labels of a whole picture, uint8 (height, width), from those rendered in a window of it.

    Each pixel with a coverage above one half gets a label. Blur widens the rendered cloth a little; there a pixel
    gets the label of its neighbour.
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
