"""Straps end where the photograph does in a crop that reaches beyond it."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from maskgen.any_picture import photo_from
from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.records import Detection, Face
from maskgen.masks.apply_mask import MaskedPicture, analyse_face, apply_mask
from maskgen.masks.kinds import load_kind
from maskgen.masks.occluders.photograph_edge import PhotographEdge
from maskgen.masks.plan import MaskPlan
from maskgen.people import Portrait, Scene, draw_person, draw_portrait

AS_IT_IS = np.array([[1.0, 0, 0], [0, 1.0, 0]])
WIDE, HIGH = 90, 140  # of a photograph
REACH = 9  # pixels as far as a strap's shadow and the photograph's blur reach
NOWHERE = PhotographEdge(np.array([[1.0, 0, 10_000], [0, 1.0, 0]]), (10, 10))


@pytest.mark.parametrize(
    ("matrix", "within"),
    [
        (np.array([[1.0, 0, -5], [0, 1.0, -8]]), True),
        (np.array([[2.0, 0, -20], [0, 2.0, -30]]), True),  # enlarged: the crop shows a part
        (np.array([[0.5, 0, 0], [0, 0.5, 0]]), False),  # reduced: it shows more
        (np.array([[1.0, 0, 3], [0, 1.0, 0]]), False),
        (np.array([[1.0, 0, -20], [0, 1.0, 0]]), False),
        (np.array([[1.0, 0, 0], [0, 1.0, -70]]), False),
        (np.array([[0.0, -1, 120], [1.0, 0, -3]]), True),  # turned by a quarter
        (np.array([[-1.0, 0, 80], [0, -1.0, 120]]), True),  # by a half
        (np.array([[-1.0, 0, 95], [0, -1.0, 120]]), False),
    ],
)
def test_an_edge_is_where_a_crop_reaches_beyond(matrix: np.ndarray, within: bool) -> None:
    side = 80
    edge = PhotographEdge.of((side, side, 3), matrix, (HIGH, WIDE, 3))
    ones = cv2.warpAffine(np.ones((HIGH, WIDE), np.float32), matrix, (side, side), flags=cv2.INTER_NEAREST)
    assert (edge is None) == within == bool(ones.all())
    if edge is not None:
        y, x = np.mgrid[:side, :side]
        assert np.array_equal(edge.shows(np.stack([x.ravel(), y.ravel()], 1)).reshape(side, side), ones > 0)


@cache
def portrait() -> Portrait:
    return draw_portrait(draw_person(np.random.default_rng(5)), Scene(scale=48.0, centre=(110.0, 115.0)))


def masked(kind: str, edge: PhotographEdge | None) -> MaskedPicture:
    one = portrait()
    return apply_mask(one.image, analyse_face(one.image, one.points68), MaskPlan(), load_kind(kind), edge=edge)


def edges() -> dict[str, PhotographEdge]:
    """Edges of photographs that end on one side of the face, or are turned against the crop."""
    (left, top), (right, low) = portrait().points68.min(0), portrait().points68.max(0)
    size = portrait().image.shape[0]
    x, y, wide, high = left + 8, top + 30, right - left - 16, low - top
    turn = cv2.getRotationMatrix2D((110.0, 115.0), 33.0, 1.0)
    turn[:, 2] -= (110 - wide / 2, 115 - high / 2)
    return {
        "left": PhotographEdge(np.array([[1.0, 0, -x], [0, 1.0, 0]]), (size, size)),
        "right": PhotographEdge(AS_IT_IS, (int(x + wide), size)),
        "below the brows": PhotographEdge(np.array([[1.0, 0, 0], [0, 1.0, -y]]), (size, size)),
        "at the nose": PhotographEdge(AS_IT_IS, (size, int(top + 0.5 * high))),
        "turned": PhotographEdge(turn, (int(wide), int(high))),
    }


@pytest.mark.parametrize("kind", ["surgical_blue", "n95", "sunglasses_black"])
@pytest.mark.parametrize("place", ["left", "right", "below the brows", "at the nose", "turned"])
def test_straps_are_drawn_in_the_photograph_only(kind: str, place: str) -> None:
    edge, size = edges()[place], portrait().image.shape[0]
    whole, none, ends = (masked(kind, one).image for one in (None, NOWHERE, edge))
    y, x = np.mgrid[:size, :size]
    inside = edge.shows(np.stack([x.ravel(), y.ravel()], 1)).reshape(size, size)
    kernel = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    well_in, well_out = (cv2.erode(one.astype(np.uint8), kernel) > 0 for one in (inside, ~inside))
    assert np.array_equal(ends[well_in], whole[well_in])
    assert np.array_equal(ends[well_out], none[well_out])
    if place != "at the nose" or kind != "sunglasses_black":
        assert not np.array_equal(ends, whole)


def test_edges_lie_where_straps_do() -> None:
    """Otherwise the test above says nothing."""
    size = portrait().image.shape[0]
    y, x = np.mgrid[:size, :size]
    for kind in ("surgical_blue", "n95"):
        whole, none = (masked(kind, one).image for one in (None, NOWHERE))
        strap = (whole != none).any(2)
        for edge in edges().values():
            inside = edge.shows(np.stack([x.ravel(), y.ravel()], 1)).reshape(size, size)
            assert min((strap & inside).sum(), (strap & ~inside).sum()) > 15


def test_a_run_knows_the_edge_of_its_photographs() -> None:
    left = int(portrait().points68[0, 0]) + 12
    close = np.ascontiguousarray(portrait().image[:, left:])
    points = (portrait().points68 - [left, 0]).astype(np.float32)
    box = np.concatenate([points.min(0), points.max(0)])
    five = np.array([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
    face = Face(Detection(box, five.astype(np.float32), 1.0), points)
    masker = Masker(MaskerSettings(("n95",), size=512, parts=True, min_trust=0.0, masked_input="keep"))
    ((output,),) = masker.process(["key"], [photo_from(close)], [[face]])
    assert isinstance(output, Output)
    edge = np.array(output.row["matrix"]).reshape(2, 3) @ [-0.5, 100.0, 1.0]
    bare = Masker(MaskerSettings(("n95",), size=512, unmasked_share=1.0, min_trust=0.0, masked_input="keep"))
    ((before,),) = bare.process(["key"], [photo_from(close)], [[face]])
    assert isinstance(before, Output)
    rows = slice(0, int((np.array(output.row["points68"]).reshape(-1, 2))[27, 1]))  # above the mask's cloth
    beyond = slice(0, int(edge[0]) - 2 * REACH)
    assert beyond.stop > 20
    assert np.array_equal(output.image[rows, beyond], before.image[rows, beyond])
