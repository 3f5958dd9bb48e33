"""The five points of the face of a crop: of drawn people in masks, alone and among others, and where it is unsure."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from maskgen.core.records import Floats, Image
from maskgen.core.seeding import rng_for
from maskgen.faces.landmarkers.masked_crops import PLACES, UNSURE, CropPoints, FoundPoints, halfway, merged, places_in
from maskgen.faces.upright_crop import align_upright, five_points, frontal_eye_distance
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.people import draw_person, draw_portrait, draw_scene

YAWS = (0.0, 30.0, -45.0)


@cache
def finder() -> CropPoints:
    return CropPoints()


@cache
def masked_crops() -> list[tuple[Image, Floats]]:
    """Crops of drawn people in masks, and their true five points."""
    found = []
    for number, yaw in enumerate(YAWS):
        rng = rng_for(5, "crop points", number)
        person = replace(draw_person(rng), glasses="none")
        drawn = draw_portrait(person, replace(draw_scene(rng, 240), yaw=yaw, hand=False))
        worn = analyse_and_apply(drawn.image, drawn.points68, plan_mask(rng), load_kind("surgical_blue")).image
        crop = align_upright(worn, drawn.points68, 160)
        found.append((crop.image, crop.carry(five_points(drawn.points68))))
    return found


def off(found: FoundPoints, true: Floats) -> float:
    """Mean distance of the points, in eye distances."""
    return float(np.linalg.norm(found.xy - true, axis=1).mean() / frontal_eye_distance(true))


def moved(crop: Image, true: Floats, degrees: float, scale: float) -> tuple[Image, Floats]:
    matrix = cv2.getRotationMatrix2D((80, 80), degrees, scale)
    image = cv2.warpAffine(crop, matrix, (160, 160), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(image, np.uint8), np.float32(true @ matrix[:, :2].T + matrix[:, 2])


def test_points_behind_masks_are_found() -> None:
    errors = [off(found, true) for found, (_, true) in zip(
        finder().find([crop for crop, _ in masked_crops()]), masked_crops(), strict=True)]  # fmt: skip
    assert max(errors) < 0.12


def test_a_face_that_is_turned_and_of_another_size_is_found() -> None:
    for degrees, scale in ((-18.0, 1.2), (-18.0, 0.75)):
        cases = [moved(*case, degrees, scale) for case in masked_crops()]
        found = finder().find([crop for crop, _ in cases])
        assert max(off(one, true) for one, (_, true) in zip(found, cases, strict=True)) < 0.2


def test_each_crop_by_itself() -> None:
    crops = [crop for crop, _ in masked_crops()]
    crops += [moved(*case, 25, 1.5)[0] for case in masked_crops()]
    together = finder().find(crops)
    assert len({one.expected > UNSURE for one in together}) == 2  # both ways are among them
    for crop, one in zip(crops[::-1], together[::-1], strict=True):
        (alone,) = finder().find([crop])
        np.testing.assert_array_equal(alone.xy, one.xy)
        assert alone.expected == one.expected
    assert finder().find([]) == []


def test_the_mean_of_results_goes_to_the_surer() -> None:
    one, two = FoundPoints(np.zeros((5, 2), np.float32), 0.1), FoundPoints(np.ones((5, 2), np.float32), 0.3)
    both = merged([one, two])
    np.testing.assert_allclose(both.xy, 1 / 82, atol=1e-6)  # weights 81 and 1
    assert both.expected == 0.1


def test_the_detectors_points_count_where_they_are_near() -> None:
    points = PLACES.astype(np.float32) * 100  # eyes 29.6 apart
    found, near, far = FoundPoints(points, 0.1), points + np.float32([4, 2]), points + np.float32([6, 2])
    both = halfway(found, near)
    np.testing.assert_allclose(both.xy, points + [2, 1], atol=1e-5)
    assert both.expected == 0.1
    assert halfway(found, far) is found
    assert halfway(found, None) is found


def test_the_places_lie_in_the_middle_of_any_crop() -> None:
    wide = np.zeros((100, 180, 3), np.uint8)
    np.testing.assert_allclose(places_in(wide), PLACES * 100 - 0.5 + [40, 0], atol=1e-4)
    half = places_in(wide, 0.5)
    np.testing.assert_allclose(half.mean(0), places_in(wide).mean(0), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(half[1] - half[0]), 0.5 * 29.6, atol=1e-3)
