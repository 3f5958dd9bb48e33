"""Pictures made smaller by areas: what OpenCV gives, wherever they lie on the canvas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from maskgen.core.kernels import area
from maskgen.core.kernels.area import fitted_onto
from maskgen.core.kernels.arena import Arena
from maskgen.core.records import Image


def picture(rows: int, columns: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def by_opencv(image: Image, wide: int, tall: int) -> Image:
    shrinks = image.shape[0] > tall or image.shape[1] > wide
    return np.asarray(cv2.resize(image, (wide, tall), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


@pytest.mark.parametrize("seed", range(60))
def test_a_reduced_picture_is_that_of_opencv(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = (int(side) for side in rng.integers(1, 190, 2))
    tall, wide = int(rng.integers(1, rows + 1)), int(rng.integers(1, columns + 1))
    for image in (picture(rows, columns, seed), picture(rows, columns, seed) // 128 * 255):
        np.testing.assert_array_equal(
            fitted_onto(tall, wide, [(image, (0, 0, wide, tall))]), by_opencv(image, wide, tall)
        )


@pytest.mark.parametrize(("rows", "columns"), [(62, 62), (48, 48), (24, 36), (10, 60), (60, 10), (20, 20), (24, 24)])
def test_a_picture_is_made_smaller_or_larger_as_opencv_does(rows: int, columns: int) -> None:
    image = picture(100, 100)[7 : 7 + rows, 20 : 20 + columns]
    np.testing.assert_array_equal(fitted_onto(24, 24, [(image, (0, 0, 24, 24))]), by_opencv(image, 24, 24))


def test_pictures_lie_in_their_places_on_black() -> None:
    images = [picture(31, 31, 1), picture(31, 31, 1), picture(50, 40, 2), picture(5, 6, 3)]
    places = [(0, 0, 20, 19), (20, 0, 11, 13), (13, 19, 18, 21), (0, 19, 13, 12)]
    canvas = fitted_onto(40, 31, list(zip(images, places, strict=True)))
    expected = np.zeros((40, 31, 3), np.uint8)
    for image, (x, y, wide, tall) in zip(images, places, strict=True):
        expected[y : y + tall, x : x + wide] = by_opencv(image, wide, tall)
    np.testing.assert_array_equal(canvas, expected)


def test_a_large_picture_is_not_copied_to_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(90, 70)
    by_kernel = fitted_onto(41, 33, [(image, (0, 0, 33, 41))])
    monkeypatch.setattr(area, "MOST", image.nbytes - 1)
    monkeypatch.setattr(Arena, "call", lambda *_: pytest.fail("called"))
    np.testing.assert_array_equal(fitted_onto(41, 33, [(image, (0, 0, 33, 41))]), by_kernel)
