"""dlib's corners of the eyes and foot of the nose: against dlib, and on drawn people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.reasons import UserError
from maskgen.core.records import Detection, Image
from maskgen.core.seeding import rng_for
from maskgen.faces.landmarkers import eye_corners
from maskgen.faces.landmarkers.eye_corners import CORNERS, MODEL, corners_of
from maskgen.faces.shape_predictor import ShapePredictor
from maskgen.faces.shape_predictor_file import load_forests
from maskgen.faces.upright_crop import five_points, frontal_eye_distance
from maskgen.people import draw_person, draw_portrait, draw_scene


@pytest.fixture(scope="module")
def faces() -> list[tuple[Image, Detection, np.ndarray]]:
    """Pictures, detections and the true landmarks of people who roughly look at the camera."""
    out = []
    for number in range(20):
        rng = rng_for(12, "corners", number)
        person, scene = replace(draw_person(rng), glasses="none"), replace(draw_scene(rng, 200), hand=False)
        drawn = draw_portrait(person, replace(scene, yaw=float(rng.uniform(-15, 15))))
        box = np.concatenate([drawn.points68.min(0), drawn.points68.max(0)])
        out.append((drawn.image, Detection(box, five_points(drawn.points68), 1.0), drawn.points68))
    return out


def test_they_are_near_the_landmarks_of_drawn_people(faces: list[tuple[Image, Detection, np.ndarray]]) -> None:
    found = corners_of([(image, face) for image, face, _ in faces])
    off = [
        np.linalg.norm(one - points[list(CORNERS)], axis=1) / frontal_eye_distance(five_points(points))
        for one, (_, _, points) in zip(found, faces, strict=True)
    ]
    assert np.median(off) < 0.08


def test_they_are_dlibs_to_its_rounding() -> None:
    theirs, own = dlib.shape_predictor(str(installed_model(MODEL))), load_forests(installed_model(MODEL), 5)
    patches = [np.random.default_rng(n).integers(0, 256, (12, 12)).astype(np.uint8) for n in range(12)]
    patches = [cv2.resize(one, (160, 160), interpolation=cv2.INTER_CUBIC) for one in patches]
    boxes = np.tile(np.float64([[80, 0, 40], [0, 80, 40]]), (12, 1, 1))
    apart = []
    for patch, shares in zip(patches, ShapePredictor(own).points(patches, boxes), strict=True):
        parts = theirs(patch, dlib.rectangle(40, 40, 120, 120)).parts()
        apart.append(np.abs(shares * 80 + 40 - np.array([(part.x, part.y) for part in parts])))
    assert (np.array(apart) > 0.51).mean() < 0.1


def test_a_model_of_other_points_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    other = installed_model(MODEL).with_name("shape_predictor_68_face_landmarks.dat")
    monkeypatch.setattr(eye_corners, "installed_model", lambda name: Path(other))
    with pytest.raises(UserError, match="not a dlib shape predictor of five points"):
        eye_corners._predictor(-1)
