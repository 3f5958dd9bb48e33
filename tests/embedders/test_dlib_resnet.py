"""dlib's network behind our crops, against dlib's own way from a photograph to numbers."""

from __future__ import annotations

import math
from functools import cache

import dlib
import numpy as np
from drawn_people import drawn_people

from maskgen.embedders.chip_alignment import CHIP, MIDDLE, POINTS5, SIDE, ChipAligner, chip_matrix, fixed_matrix
from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.embedders.torch_network import NetworkEmbedder
from maskgen.faces.upright_crop import align_upright, five_points, warp
from maskgen.people.portrait import Portrait
from maskgen.trainer.networks.dlib_weights import dlib_file


@cache
def portraits() -> list[tuple[str, Portrait]]:
    return [(name, portrait) for name, _, portrait in drawn_people(4, 2, seed=3)]


@cache
def embedder() -> NetworkEmbedder:
    return dlib_resnet()


@cache
def oracle() -> dlib.face_recognition_model_v1:
    return dlib.face_recognition_model_v1(str(dlib_file()))


def crops() -> list[np.ndarray]:
    return [align_upright(portrait.image, portrait.points68, 160).image for _, portrait in portraits()]


def dlib_shape(points: np.ndarray) -> dlib.full_object_detection:
    whole = np.rint(points).astype(int)
    box = dlib.rectangle(*whole.min(0).tolist(), *whole.max(0).tolist())
    return dlib.full_object_detection(box, dlib.points([dlib.point(*point) for point in whole.tolist()]))


def dlib_matrix(points: np.ndarray) -> np.ndarray:
    """From a picture with these 68 points to dlib's chip of it, (2, 3), by dlib's own reckoning on parts of a pixel."""
    found = dlib.get_face_chip_details(dlib_shape(points * 1000), CHIP, 0.25)
    middle, scale = found.rect.dcenter(), CHIP / found.rect.width() * 1000
    turn = scale * np.array(
        [[math.cos(found.angle), math.sin(found.angle)], [-math.sin(found.angle), math.cos(found.angle)]]
    )
    return np.column_stack([turn, (CHIP - 1) / 2 - turn @ (np.array([middle.x, middle.y]) / 1000)])


def test_our_reckoning_of_dlibs_chips_gives_dlibs_pixels() -> None:
    for _, portrait in portraits():
        whole = np.rint(portrait.points68)
        own = dlib.get_face_chip(portrait.image, dlib_shape(whole), CHIP, 0.25)
        chip = warp(portrait.image, dlib_matrix(whole), CHIP)
        inside = slice(15, -15)  # beyond the photograph dlib paints black, we repeat its edge
        assert np.abs(chip[inside, inside].astype(int) - own[inside, inside]).mean() < 3


def test_five_points_give_nearly_dlibs_chip_of_68() -> None:
    corners = np.array([[40.0, 40], [110, 40], [40, 110], [110, 110]])
    off = []
    for _, portrait in portraits():
        own, ours = dlib_matrix(portrait.points68), chip_matrix(five_points(portrait.points68))
        there = (corners - own[:, 2]) @ np.linalg.inv(own[:, :2]).T
        off.append(np.linalg.norm(there @ ours[:, :2].T + ours[:, 2] - corners, axis=1).mean())
    assert np.mean(off) < 5  # pixels of 150


def test_the_similarity_is_the_nearest() -> None:
    rng = np.random.default_rng(0)
    points = POINTS5 + rng.normal(0, 3, (5, 2))
    turn = np.array([[0.8, 0.3], [-0.3, 0.8]])
    np.testing.assert_allclose(chip_matrix((POINTS5 - 7) @ np.linalg.inv(turn).T), np.column_stack([turn, [7, 7]]))

    def miss(matrix: np.ndarray) -> float:
        return float(((points @ matrix[:, :2].T + matrix[:, 2] - POINTS5) ** 2).sum())

    best = chip_matrix(points)
    for _ in range(200):
        (a, b), shift = rng.normal(0, 0.01, 2), rng.normal(0, 0.5, 2)
        assert miss(best) <= miss(best + np.column_stack([[[a, -b], [b, a]], shift]))


def test_the_fixed_place_is_where_dlib_has_the_mean_of_faces() -> None:
    """Of drawn people who look at us; the constants are those of LFW's points."""
    squares = []
    for _, portrait in portraits():
        if abs(portrait.pose.yaw) < 25:
            crop = align_upright(portrait.image, portrait.points68, 160)
            back = np.linalg.inv(np.vstack([dlib_matrix(crop.carry(portrait.points68)), [0, 0, 1]]))
            middle = back[:2, :2] @ np.full(2, (CHIP - 1) / 2) + back[:2, 2]
            squares.append([*((middle + 0.5) / 160), np.hypot(*back[:2, 0]) * CHIP / 160])
    assert len(squares) >= 4
    np.testing.assert_allclose(np.mean(squares, axis=0), [*MIDDLE, SIDE], atol=0.05)


def test_without_a_face_the_fixed_place_serves() -> None:
    blank = np.full((160, 160, 3), 128, np.uint8)
    blank[60:90, 40:120] = 90
    chip = ChipAligner().chips([blank])[0]
    np.testing.assert_array_equal(chip, warp(blank, fixed_matrix(blank), CHIP))
    matrix = fixed_matrix(blank)
    corner = np.array(MIDDLE) * 160 - SIDE * 80 - 0.5  # of the square that is looked at
    np.testing.assert_allclose(matrix[:, :2] @ corner + matrix[:, 2], [-0.5, -0.5], atol=1e-6)


def test_embeddings_are_those_of_dlibs_own_way() -> None:
    """From the photograph with its points, and from our crop in which the points were found anew."""
    model = embedder()
    for (_, portrait), found in zip(portraits()[:4], model.embed(crops()[:4]), strict=True):
        own = np.array(oracle().compute_face_descriptor(portrait.image, dlib_shape(portrait.points68)))
        assert np.linalg.norm(found - own / np.linalg.norm(own)) < 0.3


def test_each_picture_by_itself_and_of_length_one() -> None:
    model, pictures = embedder(), crops()[:3]
    together = model.embed(pictures)
    assert together.shape == (3, 128)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(model.embed(pictures[::-1]), together[::-1])
    assert model.embed([]).shape == (0, 128)


def test_a_picture_has_the_same_bytes_whatever_its_neighbours() -> None:
    pictures = [crops()[at % len(crops())] for at in range(37)]
    alone = embedder().embed(pictures[:1])
    np.testing.assert_array_equal(embedder().embed(pictures)[:1], alone)
    np.testing.assert_array_equal(embedder().embed(pictures[-5:] + pictures[:1])[-1:], alone)
