"""A mask on a compressed photograph has that photograph's blocks; nothing beside it changes."""

import cv2
import numpy as np
import pytest

from maskgen.masks.lighting.jpeg_blocks import WORST, compress_mask_as_jpeg

HERE = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A picture with fine stripes, and a mask over its middle."""
    x = np.arange(160)
    stripes = (128 + 60 * np.sin(x / 1.7)[None] * np.cos(x / 2.3)[:, None]).astype(np.uint8)
    coverage = np.zeros((160, 160), np.uint8)
    coverage[50:130, 30:140] = 255
    return np.dstack([stripes, stripes[::-1], stripes]), coverage


def blockiness(picture: np.ndarray, where: tuple[slice, slice], shift: int = 0) -> float:
    """Steps at every eighth column over steps elsewhere."""
    luma = picture.astype(float).mean(2)
    steps = np.abs(np.diff(luma, axis=1))[where]
    first = where[1].start
    at = (np.arange(first, first + steps.shape[1]) + 1 + shift) % 8 == 0
    return float(steps[:, at].mean() / steps[:, ~at].mean())


@pytest.mark.parametrize("quality", [None, WORST, 100])
def test_a_good_photograph_changes_nothing(quality: int | None) -> None:
    image, coverage = scene()
    assert compress_mask_as_jpeg(image, coverage, HERE, quality) is image


def test_only_the_mask_changes_and_it_becomes_what_the_jpeg_of_it_is() -> None:
    image, coverage = scene()
    out = compress_mask_as_jpeg(image, coverage, HERE, 40)
    np.testing.assert_array_equal(out[coverage == 0], image[coverage == 0])
    coded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    inside = (slice(66, 110), slice(50, 120))  # whole blocks under the mask
    before, after = (np.abs(each[inside].astype(int) - coded[inside]).mean() for each in (image, out))
    assert after < 0.3 * before


def test_worse_photographs_leave_worse_masks_in_their_own_grid() -> None:
    image, coverage = scene()
    inside = (slice(56, 120), slice(40, 130))
    rates = [blockiness(compress_mask_as_jpeg(image, coverage, HERE, quality), inside) for quality in (15, 40, 80)]
    assert rates[0] > rates[2]
    moved = HERE + np.array([[0, 0, 3.0], [0, 0, 5.0]])  # the crop begins within a block
    out = compress_mask_as_jpeg(image, coverage, moved, 15)
    assert blockiness(out, inside, -3) > 1.1 * blockiness(out, inside)


def test_turned_and_sized_crops_change_as_much() -> None:
    image, coverage = scene()
    plain = np.abs(compress_mask_as_jpeg(image, coverage, HERE, 30).astype(int) - image)[coverage > 0].mean()
    turned = np.array([[0.9, 0.3, -10.0], [-0.3, 0.9, 20.0]])
    out = compress_mask_as_jpeg(image, coverage, turned, 30)
    assert 0.4 * plain < np.abs(out.astype(int) - image)[coverage > 0].mean() < 2.5 * plain
    np.testing.assert_array_equal(out[coverage == 0], image[coverage == 0])
    assert compress_mask_as_jpeg(image, coverage, 0.2 * HERE, 30) is image


def test_nothing_is_worn() -> None:
    image, coverage = scene()
    assert compress_mask_as_jpeg(image, 0 * coverage, HERE, 30) is image
