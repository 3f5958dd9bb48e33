"""The points against dlib's own predictor, alone and among others, and files that are no model."""

from __future__ import annotations

from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from drawn_people import drawn_people
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.core.reasons import SetAsideError, UserError
from maskgen.core.records import Detection
from maskgen.faces.landmarks import PATCH, Landmarker, Points68, _to_patch, default_model
from maskgen.faces.shape_predictor import ShapePredictor
from maskgen.faces.shape_predictor_file import RegressionForests, load_forests
from maskgen.faces.upright_crop import five_points, warp


@pytest.fixture(scope="module")
def forests() -> RegressionForests:
    return load_forests(default_model())


@pytest.fixture(scope="module")
def faces() -> list[tuple[np.ndarray, Detection]]:
    found = []
    for _, _, portrait in drawn_people(6, 3):
        points5 = five_points(portrait.points68)
        box = np.concatenate([portrait.points68.min(0), portrait.points68.max(0)]).astype(np.float32)
        found.append((portrait.image, Detection(box, points5, 0.99)))
    return found


@pytest.fixture(scope="module")
def patches(faces: list[tuple[np.ndarray, Detection]]) -> list[np.ndarray]:
    """Upright faces in grey, of three sizes."""
    greys = [cv2.cvtColor(warp(image, _to_patch(one.points5), PATCH), cv2.COLOR_RGB2GRAY) for image, one in faces]
    return [cv2.resize(grey, (side, side)) for grey, side in zip(greys, (PATCH, 120, 300) * 6, strict=True)]


def middle(patches: list[np.ndarray]) -> np.ndarray:
    """The box: each patch's middle half, in whole pixels."""
    sides = np.array([len(patch) for patch in patches])
    return np.array([[[side // 2, 0, side // 4], [0, side // 2, side // 4]] for side in sides], np.float64)


def test_points_are_dlibs_to_its_rounding(forests: RegressionForests, patches: list[np.ndarray]) -> None:
    theirs = dlib.shape_predictor(str(default_model()))
    apart = []
    for patch, shares in zip(patches, ShapePredictor(forests).points(patches, middle(patches)), strict=True):
        low, side = len(patch) // 4, len(patch) // 2
        parts = theirs(patch, dlib.rectangle(low, low, low + side, low + side)).parts()
        apart.append(np.abs(shares * side + low - np.array([(part.x, part.y) for part in parts])))
    # A pixel's brightness at a rounding's edge sends a face down another branch here and there.
    assert (np.array(apart) > 0.51).mean() < 0.05
    assert np.max(apart) < 3


def test_a_box_that_is_turned_gives_the_points_turned(forests: RegressionForests, patches: list[np.ndarray]) -> None:
    predictor, boxes = ShapePredictor(forests), middle(patches)
    turned = [np.ascontiguousarray(cv2.rotate(patch, cv2.ROTATE_90_CLOCKWISE)) for patch in patches]
    last = np.array([len(patch) - 1 for patch in patches])
    own = np.stack([-boxes[:, 1], boxes[:, 0]], 1)  # a pixel (x, y) has come to (last - y, x)
    own[:, 0, 2] += last
    np.testing.assert_allclose(predictor.points(turned, own), predictor.points(patches, boxes), atol=0.02)


def test_points_do_not_depend_on_the_batch(forests: RegressionForests, patches: list[np.ndarray]) -> None:
    predictor = ShapePredictor(forests)
    many = patches * 5
    boxes = middle(many)
    every = predictor.points(many, boxes)
    assert len(every) > 64
    for at in (0, 7, 63, 64, len(many) - 1):
        np.testing.assert_array_equal(predictor.points(many[at : at + 1], boxes[at : at + 1])[0], every[at])
    np.testing.assert_array_equal(predictor.points(many[5:20], boxes[5:20]), every[5:20])
    assert predictor.points([], boxes[:0]).shape == (0, 68, 2)


def slowly(predictor: ShapePredictor, picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The points of one face by loops over pixels and trees."""
    forests, box = predictor._forests, box.astype(np.float32)
    own, (rows, columns), half = forests.mean.copy(), picture.shape, np.float32(0.5)
    for number in range(len(forests.leaves)):
        cosine = sine = np.float32(0)
        for value, (across, down) in zip(own, predictor._turn, strict=True):
            cosine, sine = cosine + value * across, sine + value * down
        seen = []
        for anchor, (dx, dy) in zip(forests.anchors[number], forests.deltas[number], strict=True):
            sx = own[2 * anchor] + cosine * dx - sine * dy
            sy = own[2 * anchor + 1] + sine * dx + cosine * dy
            x, y = (line[0] * sx + line[1] * sy + line[2] + half for line in box)
            seen.append(np.float32(picture[int(min(max(y, 0), rows - 1)), int(min(max(x, 0), columns - 1))]))
        total = np.zeros_like(own)
        for tree, leaves in enumerate(forests.leaves[number]):
            node, splits = 0, len(leaves) - 1
            while node < splits:
                one, other = (seen[part[number, tree, node]] for part in (forests.first, forests.second))
                node = 2 * node + (2 if one - other <= forests.threshold[number, tree, node] else 1)
            total += leaves[node - splits]
        own += total
    return own.reshape(-1, 2)


def test_points_are_those_of_slow_loops_to_the_bit(forests: RegressionForests, patches: list[np.ndarray]) -> None:
    predictor = ShapePredictor(forests)
    boxes = middle(patches) @ np.array([[0.9, -0.3, 0.1], [0.3, 0.9, -0.1], [0, 0, 1]])
    for found, patch, box in zip(predictor.points(patches[:3], boxes[:3]), patches, boxes, strict=False):
        np.testing.assert_array_equal(found, slowly(predictor, patch, box))


def test_a_fault_stands_in_its_faces_place(faces: list[tuple[np.ndarray, Detection]]) -> None:
    landmarker = Landmarker()
    nonsense = Detection(faces[0][1].box, faces[0][1].points5[[3, 1, 4, 0, 2]].copy(), 0.99)
    mixed = [faces[0], (faces[0][0], nonsense), faces[1]]
    first, fault, last = landmarker.points68_of(mixed)
    assert isinstance(fault, SetAsideError)
    assert isinstance(first, Points68) and isinstance(last, Points68)
    np.testing.assert_array_equal(first.xy, landmarker.points68(*faces[0]))
    np.testing.assert_array_equal(last.xy, landmarker.points68(*faces[1]))
    assert landmarker.points68_of([]) == []


@pytest.mark.parametrize("cut", [0, 1, 3, 700, 5_000_000, -1])
def test_a_model_that_ends_early_is_refused(tmp_path: Path, cut: int) -> None:
    data = default_model().read_bytes()
    (tmp_path / "model.dat").write_bytes(data[:cut])
    with pytest.raises(UserError, match=r"model\.dat: not a dlib shape predictor"):
        Landmarker(tmp_path / "model.dat")


def test_a_model_with_more_behind_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.dat").write_bytes(default_model().read_bytes() + b"\1\0")
    with pytest.raises(UserError, match="more follows"):
        Landmarker(tmp_path / "model.dat")


@given(st.binary(max_size=300), st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_no_bytes_do_more_than_be_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int) -> None:
    path = tmp_path_factory.mktemp("model") / "model.dat"
    leaf = bytes([0x81, 136, 0x81, 1])
    path.write_bytes(b"\1\1" + leaf + data[:at] + leaf + data[at:])
    with pytest.raises(ValueError, match=r"."):
        load_forests(path)


def test_indices_that_point_at_nothing_are_refused(forests: RegressionForests) -> None:
    first = forests.first.copy()
    first[0, 0, 0] = forests.anchors.shape[1]
    with pytest.raises(ValueError, match="that there is not"):
        RegressionForests(
            forests.mean,
            first,
            forests.second,
            forests.threshold,
            forests.leaves,
            forests.anchors,
            forests.deltas,
        )
