"""The second landmark network of our own: where it sees the maps, and that a face's answer is its own."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from maskgen.core.dlib_models.photo_features import SIDE
from maskgen.core.records import Floats, floats
from maskgen.faces.landmarkers.own_network import FACE, Sight
from maskgen.faces.landmarkers.own_refiner import BESIDE, JAW, MAPS, PLACES, in_map, refine, seen_places, shapes
from maskgen.masks.pose.head import mean68


def faces(count: int) -> Floats:
    """Landmarks (count, 68, 2) about the middle of the patch, in shares of its side."""
    rng = np.random.default_rng(3)
    return floats(0.5 + (mean68()[:, :2] + [0, -0.1]) / 3.4 + rng.normal(0, 0.01, (count, 68, 2)))


def sight(count: int) -> Sight:
    rng = np.random.default_rng(4)
    return Sight(*(floats(np.abs(rng.normal(0, 1, (count, many, side, side)))) for many, side, _, _ in MAPS))


def test_the_jaw_is_seen_inside_and_outside() -> None:
    points = faces(2)
    places = seen_places(points)
    assert places.shape == (2, PLACES, 2)
    np.testing.assert_array_equal(places[:, :68], points)
    middle = points[:, JAW:].mean(1, keepdims=True)
    beside = places[:, 68:].reshape(2, len(BESIDE), JAW, 2)
    for at, by in enumerate(BESIDE):
        away = np.linalg.norm(beside[:, at] - points[:, :JAW], axis=2)
        np.testing.assert_allclose(away * FACE.around, abs(by), atol=1e-5)
        farther = np.linalg.norm(beside[:, at] - middle, axis=2) > np.linalg.norm(points[:, :JAW] - middle, axis=2)
        assert (farther == (by > 0)).all()


@pytest.mark.parametrize("number", [0, 1])
def test_a_place_of_a_map_is_the_middle_of_what_its_convolutions_see(number: int) -> None:
    """A change of one pixel of the enlarged patch changes the map most where that pixel's place is read."""
    kernels = ((7, 2), (3, 2), *(((3, 2),) if number else ()))  # stem, pooling, and the second stage's first one
    x = torch.zeros(1, 1, SIDE, SIDE, requires_grad=True)
    y = x
    for side, step in kernels:
        y = torch.nn.functional.conv2d(y, torch.ones(1, 1, side, side), stride=step)
    channels, side, _, _ = MAPS[number]
    assert y.shape[2] == side and channels
    y[0, 0, 10, 12].backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad[0, 0])
    row, column = ((seen.min(0).values + seen.max(0).values) / 2).tolist()
    where = in_map(floats([[[(column + 0.5) / SIDE, (row + 0.5) / SIDE]]]), number)[0, 0, 0]
    np.testing.assert_allclose((where + 1) / 2 * side - 0.5, [12, 10], atol=0.01)


def test_a_shape_does_not_depend_on_where_the_face_is() -> None:
    points = faces(3)
    np.testing.assert_allclose(shapes(points + np.float32(0.1)), shapes(points), atol=1e-5)


def test_a_face_is_moved_the_same_alone() -> None:
    points, seen = faces(11), sight(11)
    moved = refine(seen, points)
    assert moved.shape == (11, 68, 2) and 1e-4 < np.abs(moved - points).mean() < 0.2
    for at in (0, 7, 8, 10):
        alone = refine(Sight(*(maps[at : at + 1] for maps in seen)), points[at : at + 1])
        np.testing.assert_array_equal(alone[0], moved[at])


def test_moves_follow_what_is_seen() -> None:
    points, seen = faces(1), sight(1)
    other = Sight(seen.fine, floats(seen.middle[:, :, ::-1]))
    assert np.abs(refine(other, points) - refine(seen, points)).max() > 1e-3


def test_both_networks_give_the_same_where_openvino_is_kept_from_avx512() -> None:
    """Half of all machines have no AVX-512. There OpenVINO takes other ways, but sums of whole numbers are the same in
    any order, as long as they do not overflow."""
    code = (
        "import numpy as np\n"
        "from maskgen.core.seeding import rng_for\n"
        "from maskgen.faces.landmarkers.own_network import POINTS, SIDE, predict\n"
        "from maskgen.faces.landmarkers.own_refiner import refine\n"
        "from maskgen.people import draw_person, draw_portrait, draw_scene\n"
        "rngs = [rng_for(6, number) for number in range(10)]\n"
        "people = [draw_portrait(draw_person(rng), draw_scene(rng, SIDE)).image.mean(2) for rng in rngs]\n"
        "rows = np.add.outer(np.arange(SIDE), 2 * np.arange(SIDE))\n"
        "odd = list(rows[None] % np.array([[[97]], [[203]], [[251]]]))\n"
        "said = predict(np.stack([*people, *odd]).astype(np.uint8))\n"
        "print(*refine(said.sight, said.points[:, :POINTS]).ravel().tolist())\n"
    )
    found = []
    for isa in ("AVX2", "ALL"):
        env = {**os.environ, "ONEDNN_MAX_CPU_ISA": isa}
        done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, env=env, check=True)
        found.append(np.array(done.stdout.split(), float))
    assert found[0].shape == (13 * 68 * 2,)
    np.testing.assert_allclose(found[0], found[1], atol=2e-5)
