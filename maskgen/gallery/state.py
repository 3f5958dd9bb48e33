"""Whether an aligned face looks masked: a linear rule over colour and edges of the lower face against the upper.

Masked, the lower face differs from the skin between the eyes in colour, and has neither lips nor nostrils. The rule's
weights were fitted to drawn people by `benchmarks/mask_state.py`, which also prints its errors on photographs.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import cv2
import numpy as np

from maskgen.core.records import Doubles, Floats, Image, check_image

SIDE = 112  # of the crop that is looked at, as `faces.align.align_five` cuts it with its usual margin
ROWS, COLUMNS = slice(34, 96), slice(25, 87)  # from the brow to the chin, from cheek to cheek
SKIN_ROWS = 20  # of those, from the top: what a mask leaves free
CELLS = 8
MOST = 4.0
# Scores from which on a picture clearly looks masked, and below which it clearly looks bare.
MASKED_FROM, BARE_TO = 0.0, -0.6


def features(crop: Image) -> Doubles:
    """What the rule looks at, (256,): in 8 x 8 cells the distance from the skin in lightness and colour (CIELAB), and
    the strength of edges across and down against their mean.

    Args:
        crop: uint8 RGB, SIDE x SIDE.

    Raises:
        ValueError: a crop of another size.
    """
    check_image(crop)
    if crop.shape[:2] != (SIDE, SIDE):
        raise ValueError(f"expected a crop of {SIDE} x {SIDE}, got {crop.shape[1]} x {crop.shape[0]}")
    soft = cv2.GaussianBlur(crop, (0, 0), 1).astype(np.float32) / np.float32(255)
    face = cv2.cvtColor(soft, cv2.COLOR_RGB2Lab)[ROWS, COLUMNS]
    skin = np.median(face[:SKIN_ROWS].reshape(-1, 3), axis=0)
    colour = _cells(face) - skin
    edges = [_cells(np.abs(cv2.Sobel(face[..., 0], cv2.CV_32F, *way))) for way in ((1, 0), (0, 1))]
    usual = np.sqrt(np.mean(np.square(edges)) * 2) + 2
    planes = [np.abs(colour[..., 0]) / 20, np.hypot(colour[..., 1], colour[..., 2]) / 15, *(e / usual for e in edges)]
    return np.minimum(np.stack(planes, -1), MOST).ravel().astype(np.float64)


def _cells(plane: Floats) -> Floats:
    return np.asarray(cv2.resize(plane, (CELLS, CELLS), interpolation=cv2.INTER_AREA))


@cache
def _rule() -> tuple[Doubles, float]:
    """Weights (256,) and what is added."""
    stored = json.loads(resources.files("maskgen.gallery").joinpath("mask_state.json").read_text("utf-8"))
    return np.array(stored["weights"]), float(stored["bias"])


def mask_score(crop: Image) -> float:
    """How masked a face looks: about 1 masked, about -1 bare.

    Args:
        crop: uint8 RGB, SIDE x SIDE.
    """
    weights, bias = _rule()
    return float(features(crop) @ weights + bias)


def contradiction(score: float, masked: bool) -> str:
    """What a picture clearly shows against what is said of it, "" where it does not contradict.

    Example:
        >>> contradiction(0.9, masked=False), contradiction(0.9, masked=True)
        ('looks masked', '')
    """
    if not masked and score > MASKED_FROM:
        return "looks masked"
    return "looks bare" if masked and score < BARE_TO else ""
