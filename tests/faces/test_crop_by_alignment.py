"""Crops as InsightFace and facenet-pytorch cut them, against the computations that those packages do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import astronaut
from skimage.transform import SimilarityTransform

from maskgen.core.alignment_names import ALIGNMENTS, check_alignment
from maskgen.core.reasons import UserError
from maskgen.faces.crop_by_alignment import (
    ARCFACE_TEMPLATE,
    align_arcface,
    align_facenet,
    arcface_template,
    facenet_box,
    fit_similarity,
    stretch_to_square,
)

EYES_NOSE_MOUTH = np.array([[196, 117], [238, 116], [222, 142], [202, 158], [236, 157]], np.float32)


def turned_points(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angle, scale = rng.uniform(-3.1, 3.1), rng.uniform(0.2, 4)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ARCFACE_TEMPLATE @ turn.T + rng.normal(0, 2, (5, 2)) + rng.uniform(-50, 400, 2)


@pytest.mark.parametrize("seed", range(20))
def test_the_similarity_is_that_of_skimage_which_insightface_uses(seed: int) -> None:
    points = turned_points(seed)
    theirs = SimilarityTransform.from_estimate(points, ARCFACE_TEMPLATE).params[:2]
    assert np.abs(fit_similarity(points, ARCFACE_TEMPLATE) - theirs).max() < 1e-9


def test_the_crop_is_the_one_that_norm_crop_computes() -> None:
    picture = np.ascontiguousarray(astronaut())
    crop = align_arcface(picture, EYES_NOSE_MOUTH, "arcface", 112)
    matrix = SimilarityTransform.from_estimate(EYES_NOSE_MOUTH, ARCFACE_TEMPLATE).params[:2]
    theirs = cv2.warpAffine(picture, matrix, (112, 112), borderValue=0.0)
    assert np.abs(crop.image.astype(int) - theirs).max() <= 2
    assert np.abs(crop.carry(EYES_NOSE_MOUTH) - ARCFACE_TEMPLATE).max() < 5


def test_beyond_the_photograph_it_is_black() -> None:
    picture = np.full((60, 60, 3), 200, np.uint8)
    crop = align_arcface(picture, ARCFACE_TEMPLATE - 40, "arcface", 112)
    assert crop.image[:30].max() == 0
    assert crop.image[60, 60].min() == 200


def test_at_128_pixels_the_template_moves_and_does_not_grow() -> None:
    assert np.allclose(arcface_template("arcface", 128), ARCFACE_TEMPLATE + [8, 0])
    assert np.allclose(arcface_template("arcface", 256), 2 * (ARCFACE_TEMPLATE + [8, 0]))
    assert np.allclose(arcface_template("arcface", 224), 2 * ARCFACE_TEMPLATE)
    assert np.allclose(arcface_template("arcface-scaled", 128), ARCFACE_TEMPLATE * 128 / 112)
    assert np.allclose(arcface_template("arcface-scaled", 160), ARCFACE_TEMPLATE * 160 / 112)


def test_a_size_that_insightface_does_not_have_is_refused_with_the_way_out() -> None:
    with pytest.raises(UserError, match="--align arcface-scaled"):
        check_alignment("arcface", 160)
    with pytest.raises(UserError, match=r"maskgen, arcface, arcface-scaled or facenet"):
        check_alignment("mtcnn", 160)
    with pytest.raises(UserError, match="leave out --margin"):
        check_alignment("arcface", 112, 0.1)
    with pytest.raises(UserError, match="0 to 159"):
        check_alignment("facenet", 160, 160)
    for name in ALIGNMENTS:
        check_alignment(name, 112)


@given(
    x0=st.floats(-40, 300), y0=st.floats(-40, 300), w=st.floats(1, 300), h=st.floats(1, 300), margin=st.integers(0, 80)
)
@settings(max_examples=80, deadline=None)
def test_the_box_is_facenet_pytorchs(x0: float, y0: float, w: float, h: float, margin: int) -> None:
    box = np.array([x0, y0, x0 + w, y0 + h])
    more = [margin * w / (160 - margin), margin * h / (160 - margin)]
    theirs = (
        int(max(box[0] - more[0] / 2, 0)),
        int(max(box[1] - more[1] / 2, 0)),
        int(min(box[2] + more[0] / 2, 512)),
        int(min(box[3] + more[1] / 2, 400)),
    )
    ours = facenet_box(box, 160, margin, (400, 512, 3))
    if theirs[2] > theirs[0] and theirs[3] > theirs[1]:
        assert ours == theirs
    else:
        assert ours[2] > ours[0]
        assert ours[3] > ours[1]


def test_a_facenet_crop_is_stretched_last_and_its_points_with_it() -> None:
    picture = np.ascontiguousarray(astronaut())
    crop = align_facenet(picture, np.array([170.4, 60.2, 270.9, 190.7]), 160, 14)
    assert min(crop.image.shape[:2]) == 160
    final = stretch_to_square(crop.image, crop.square)
    assert final.shape == (160, 160, 3)
    x0, y0, x1, y1 = facenet_box(np.array([170.4, 60.2, 270.9, 190.7]), 160, 14, picture.shape)
    theirs = cv2.resize(picture[y0:y1, x0:x1], (160, 160), interpolation=cv2.INTER_AREA)
    assert np.abs(final.astype(int) - theirs).mean() < 2.5
    corners = np.array([[x0 - 0.5, y0 - 0.5], [x1 - 0.5, y1 - 0.5]])
    assert np.allclose(crop.stretched(crop.carry(corners)), [[-0.5, -0.5], [159.5, 159.5]], atol=1e-3)
