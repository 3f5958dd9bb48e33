"""Straps end where the photograph does in a crop that reaches beyond it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from maskgen.any_picture import photo_from
from maskgen.api import Masker, MaskerSettings
from maskgen.core.records import Detection, Face
from maskgen.masks.apply_mask import analyse_face, apply_mask
from maskgen.masks.kinds import load_kind
from maskgen.masks.occluders.photograph_edge import PhotographEdge
from maskgen.masks.plan import MaskPlan
from maskgen.masks.template import PARTS
from maskgen.people import Scene, draw_person, draw_portrait

AS_IT_IS = np.array([[1.0, 0, 0], [0, 1.0, 0]])


@pytest.mark.parametrize(
    ("matrix", "within"),
    [
        (AS_IT_IS, True),
        (np.array([[2.0, 0, -20], [0, 2.0, -20]]), True),  # enlarged: the crop shows a part
        (np.array([[0.5, 0, 0], [0, 0.5, 0]]), False),  # reduced: it shows more
        (np.array([[1.0, 0, 3], [0, 1.0, 0]]), False),
        (np.array([[0.0, -1, 99], [1.0, 0, 0]]), True),  # turned by a quarter
    ],
)
def test_an_edge_is_where_a_crop_reaches_beyond(matrix: np.ndarray, within: bool) -> None:
    edge = PhotographEdge.of((100, 100, 3), matrix, (100, 100, 3))
    assert (edge is None) == within
    if edge is not None:
        ones = cv2.warpAffine(np.ones((100, 100), np.float32), matrix, (100, 100), flags=cv2.INTER_NEAREST)
        y, x = np.mgrid[:100, :100]
        assert np.array_equal(edge.shows(np.stack([x.ravel(), y.ravel()], 1)).reshape(100, 100), ones > 0)


@pytest.mark.parametrize("kind", ["surgical_blue", "n95"])
def test_no_strap_goes_on_beyond_it(kind: str) -> None:
    portrait = draw_portrait(draw_person(np.random.default_rng(5)), Scene(scale=48.0, centre=(110.0, 115.0)))
    analysed, plan = analyse_face(portrait.image, portrait.points68), MaskPlan()
    whole = apply_mask(portrait.image, analysed, plan, load_kind(kind), parts=True)
    assert whole.parts is not None
    strap = np.flatnonzero((whole.parts == PARTS["strap"]).any(0))
    cut = int(0.5 * (strap.min() + portrait.points68[36:42, 0].min()))  # a column through the left straps
    shift = np.array([[1.0, 0, cut], [0, 1.0, 0]])
    edge = PhotographEdge.of(portrait.image.shape, shift, portrait.image.shape)
    ends = apply_mask(portrait.image, analysed, plan, load_kind(kind), parts=True, edge=edge)
    assert ends.parts is not None
    straps = [one == PARTS["strap"] for one in (whole.parts, ends.parts)]
    assert straps[0][:, :cut].sum() > 20
    assert straps[1][:, : cut - 4].sum() <= 0.1 * straps[0][:, : cut - 4].sum()
    right = int(portrait.points68[27, 0])
    assert np.array_equal(ends.image[:, right:], whole.image[:, right:])


def test_a_run_knows_the_edge_of_its_photographs() -> None:
    portrait = draw_portrait(draw_person(np.random.default_rng(5)), Scene(scale=48.0, centre=(110.0, 115.0)))
    left = int(portrait.points68[0, 0]) + 12
    close = np.ascontiguousarray(portrait.image[:, left:])
    points = (portrait.points68 - [left, 0]).astype(np.float32)
    box = np.concatenate([points.min(0), points.max(0)])
    five = np.array([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
    face = Face(Detection(box, five.astype(np.float32), 1.0), points)
    photo = photo_from(close)
    masker = Masker(MaskerSettings(("n95",), size=200, parts=True, min_trust=0.0, masked_input="keep"))
    ((output,),) = masker.process(["key"], [photo], [[face]])
    beyond = np.array(output.row["matrix"]).reshape(2, 3) @ [-6.0, 100.0, 1.0]  # six pixels outside
    assert beyond[0] > 10
    assert (output.parts[:, : int(beyond[0])] != PARTS["strap"]).all()
