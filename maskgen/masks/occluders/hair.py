"""Hair in front of a cheek, segmented by the colour of this person's hair above the brow."""

from __future__ import annotations

import cv2
import numpy as np

from maskgen.core.records import Floats
from maskgen.masks.occluders.face_view import FEWEST, FaceView, Flags

APART = 16.0  # CIELAB distance between hair and skin below which they are not separated
MOTLEY = 16.0  # standard deviation of lightness above which the area over the brow is not only hair
LEAST = (7.0, 3.5, 3.5)  # least standard deviations of hair, in units of CIELAB
SURE, LIKELY = 14.0, 3.0  # least difference of the squared distances from skin and from hair: certain; likely hair
UNLIKE_SKIN = 14.0  # least squared distance of certain hair from skin
LIKE_HAIR, NEAR_HAIR = 8.0, 14.0  # largest squared distance from hair of certain and of likely hair
SIDE = 0.55  # head |x| from which hair may hang in front of cloth
BEARD = 0.15  # share of hair's colour on chin and upper lip above which there is a beard
LOWEST = 0.6  # head y below which hair's colour may be that of clothes or shadow, unless hair above is connected
CHIN = 1.2  # head y down to which hair is accepted
CHEEK = 0.92  # head |x| up to which a cheek is searched: beyond, it may be the background
SPECK = 0.03  # least area of hair on the cheek, in squared eye distances
INWARD = 0.12  # least distance of that area from the head's outline, in eye distances
BEYOND = 0.15  # distance beyond the outline to which hair is followed, in eye distances


def hair_in_front(view: FaceView) -> tuple[Flags, Flags]:
    """Hair in front of the face, both (h, w): certain hair, which may hide cloth, and likely hair, which may hide
    straps."""
    none = np.zeros(view.inside.shape, np.bool_)
    own = _above(view)
    if own is None:
        return none, none
    from_hair = _distance(view.lab, *own)
    nearer = view.from_skin - from_hair
    likely = (nearer > LIKELY) & (from_hair < NEAR_HAIR)
    lower = view.within((0.0, 0.5), (0.72, 1.0)) | view.within((0.0, 0.35), (0.2, 0.34))
    if likely[lower].mean() > BEARD if lower.any() else True:
        return none, np.asarray(likely & ~view.within((0.0, SIDE), (-3.0, 3.0)))
    sure = (nearer > SURE) & (from_hair < LIKE_HAIR) & (view.from_skin > UNLIKE_SKIN)
    return _hanging(view, sure), np.asarray(likely)


def _above(view: FaceView) -> tuple[Floats, Floats] | None:
    """Median and standard deviation, (3,) each, of the colours above the brow; None if these are not hair's."""
    top = view.inside & (view.y < -1.75)
    if np.count_nonzero(top) < FEWEST:
        return None
    colours = view.lab[top]
    middle = np.median(colours, axis=0)
    spread = 1.48 * np.median(np.abs(colours - middle), axis=0)
    skin = np.median(view.lab[view.within((0.3, 0.75), (-0.35, 0.2))], axis=0)
    if spread[0] > MOTLEY or np.linalg.norm(middle - skin) < APART:
        return None
    return middle, np.maximum(spread, LEAST).astype(np.float32)


def _distance(lab: Floats, middle: Floats, spread: Floats) -> Floats:
    off = (lab - middle.astype(np.float32)) / spread
    return np.asarray((off * off).sum(2), np.float32)


def _hanging(view: FaceView, hair: Flags) -> Flags:
    """The connected parts of hair beside the face that reach down from above and are not tiny."""
    solid = cv2.morphologyEx(hair.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    _, all_over = cv2.connectedComponents(solid, connectivity=8)
    from_above = np.isin(all_over, np.unique(all_over[view.inside & (view.y < -0.9)])) & (solid > 0)
    on_face = from_above & view.within((SIDE, 9.0), (-0.7, CHIN))
    count, labels = cv2.connectedComponents(on_face.astype(np.uint8), connectivity=8)
    depth = cv2.distanceTransform(view.inside.astype(np.uint8), cv2.DIST_L2, 3)
    on_cheek = labels[view.within((SIDE, CHEEK), (-0.7, LOWEST)) & (depth > INWARD * view.scale)]
    believed = np.bincount(on_cheek, minlength=count) > SPECK * view.scale**2
    believed[0] = False
    found = believed[labels]
    side = 2 * round(BEYOND * view.scale) + 1
    near = cv2.dilate(found.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    return np.asarray(found | (from_above & ~view.inside & near))
