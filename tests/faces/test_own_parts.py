"""The patches of the second landmark network of our own: frames like single faces', eyes alike when mirrored."""

from __future__ import annotations

import numpy as np

from maskgen.core.records import Floats
from maskgen.core.seeding import rng_for
from maskgen.faces.landmarkers.own_network import MIRRORED, POINTS
from maskgen.faces.landmarkers.own_parts import CANVAS, PARTS, Frames, part_middles, part_patches
from maskgen.faces.upright_crop import face_right, five_points, frontal_eye_distance
from maskgen.people import draw_person, draw_portrait, draw_scene


def faces(count: int) -> Floats:
    """Landmarks (count, 68, 2) of drawn people."""
    drawn = [draw_portrait(draw_person(rng), draw_scene(rng, CANVAS)) for rng in (rng_for(5, n) for n in range(count))]
    return np.stack([one.points68 for one in drawn]).astype(np.float32)


def test_frames_are_those_of_each_face_alone() -> None:
    points = faces(6)
    frames = Frames.of(points)
    for one, unit, right in zip(points, frames.units, frames.right, strict=True):
        five = five_points(one)
        np.testing.assert_allclose(unit, frontal_eye_distance(five), rtol=1e-5)
        np.testing.assert_allclose([right.real, right.imag], face_right(five), atol=1e-5)


def test_vectors_are_what_moves_were_made_of() -> None:
    points, rng = faces(4), rng_for(5, "moves")
    frames, vectors = Frames.of(points), rng.normal(0, 3, (4, 68, 2)).astype(np.float32)
    np.testing.assert_allclose(frames.vectors(frames.moves(vectors)), vectors, atol=1e-4)


def test_a_shape_does_not_depend_on_where_and_how_large_the_face_is() -> None:
    points = faces(3)
    turned = points @ np.array([[0.0, 2.0], [-2.0, 0.0]], np.float32) + np.float32(7)
    np.testing.assert_allclose(Frames.of(turned).shape(turned), Frames.of(points).shape(points), atol=1e-4)


def test_the_eyes_of_a_mirrored_face_change_places() -> None:
    points, rng = faces(1), rng_for(5, "canvas")
    canvas = np.kron(rng.integers(0, 255, (CANVAS // 5, CANVAS // 5)), np.ones((5, 5))).astype(np.uint8)
    mirrored = points[:, MIRRORED[:POINTS]] * np.float32([-1, 1]) + np.float32([CANVAS - 1, 0])
    rows = []
    for picture, marks in ((canvas, points), (np.ascontiguousarray(canvas[:, ::-1]), mirrored)):
        frames = Frames.of(marks)
        rows.append(part_patches(picture, part_middles(marks)[0], frames.units[0], frames.right[0]))
    assert [patch.shape[0] for patch in rows[0]] == [part.side for part in PARTS]
    for here, there in ((0, 1), (1, 0)):
        apart = np.abs(rows[0][here].astype(int) - rows[1][there])
        assert apart.mean() < 1.0
