"""The photograph's noise on the mask: as strong, and in colour where the photograph's has colour."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import MaskedPicture, analyse_face, apply_mask
from maskgen.masks.kinds import load_kind
from maskgen.masks.lighting.blur_and_noise import COLOURED, BlurAndNoise, _again, _measured
from maskgen.masks.plan import MaskPlan
from maskgen.people import Portrait, Scene, draw_person, draw_portrait

PORTRAIT = draw_portrait(
    replace(draw_person(rng_for(5, "grain")), beard=0.0, moustache=0.0),
    Scene(scale=60.0, centre=(130.0, 140.0), size=(270, 270), noise=0.0),
)


def noisy(portrait: Portrait, grey: float, colour: float) -> Image:
    """The portrait with noise of these deviations, of all channels and of red against blue."""
    one, two = np.random.default_rng(0).normal(size=(2, *portrait.image.shape[:2]))
    noise = np.stack([grey * one + colour * two, grey * one, grey * one - colour * two], -1)
    return np.clip(np.rint(portrait.image + noise), 0, 255).astype(np.uint8)


def worn(image: Image) -> tuple[MaskedPicture, BlurAndNoise]:
    analysed = analyse_face(image, PORTRAIT.points68)
    return apply_mask(image, analysed, MaskPlan(), load_kind("n95")), analysed.grain


def deviations(image: Image, where: np.ndarray) -> tuple[float, float]:
    """Of the noise of luma and of half of red less blue."""
    values = image.astype(np.float32)
    planes = (values @ np.array([0.299, 0.587, 0.114], np.float32), (values[..., 0] - values[..., 2]) / 2)
    fine = [plane - cv2.GaussianBlur(plane, (0, 0), 1.5) for plane in planes]
    return tuple(float(1.48 * np.median(np.abs(each[where]))) for each in fine)  # type: ignore[return-value]


@pytest.mark.parametrize("colour", [3.0, 6.0])
def test_noise_in_colour_is_on_the_mask_as_strong_as_on_the_face(colour: float) -> None:
    image = noisy(PORTRAIT, 4.0, colour)
    masked, grain = worn(image)
    assert 0.6 * colour < grain.colour < 1.4 * colour
    cloth = cv2.erode(masked.coverage, np.ones((9, 9), np.uint8)) == 255
    before, after = deviations(image, cloth), deviations(masked.image, cloth)
    assert 0.5 * before[1] < after[1] < 1.5 * before[1]


def test_grey_noise_stays_grey() -> None:
    image = noisy(PORTRAIT, 4.0, 0.5 * COLOURED)
    masked, grain = worn(image)
    assert grain.colour == 0.0
    cloth = cv2.erode(masked.coverage, np.ones((9, 9), np.uint8)) == 255
    assert deviations(masked.image, cloth)[0] > 1.0
    assert deviations(masked.image, cloth)[1] < 0.6


def test_a_mask_is_as_soft_as_its_photograph() -> None:
    sharp, soft = PORTRAIT.image, cv2.GaussianBlur(PORTRAIT.image, (0, 0), 3)
    steps = []
    for image in (sharp, soft):
        coverage = worn(image)[0].coverage.astype(float)
        steps.append(np.abs(np.diff(coverage, axis=0)).max())
    assert steps[1] < 0.6 * steps[0]


def test_noise_in_colour_is_not_that_of_luma() -> None:
    image = noisy(PORTRAIT, 4.0, 4.0)
    masked, _ = worn(image)
    plain, _ = worn(PORTRAIT.image)
    cloth = cv2.erode(masked.coverage, np.ones((9, 9), np.uint8)) == 255
    added = (masked.image.astype(float) - plain.image)[cloth]
    luma, colour = added[:, 1], (added[:, 0] - added[:, 2]) / 2
    assert abs(np.corrcoef(luma, colour)[0, 1]) < 0.3


def steepest(grey: np.ndarray) -> int:
    across, down = (each.astype(int) for each in cv2.spatialGradient(grey))
    return int(np.sort((abs(across) + abs(down)).ravel())[-max(4, grey.size // 50)])


def answer(grey: np.ndarray) -> int:
    bends = cv2.sepFilter2D(grey, cv2.CV_16S, np.float32([1, -2, 1]), np.float32([1, -2, 1]))
    found = np.sort(np.minimum(abs(bends[1:-1, 1:-1].astype(int)), 255).ravel())
    return int(found[len(found) // 2])


@pytest.mark.parametrize("size", [(8, 8), (9, 31), (57, 80), (33, 47), (121, 16)])
@pytest.mark.parametrize("levels", [1, 2, 9, 120, 256])
def test_the_kernel_measures_what_filters_and_sorting_do(size: tuple[int, int], levels: int) -> None:
    rng = np.random.default_rng(levels)
    smooth = cv2.resize(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)
    for picture in (rng.integers(256 - levels, 256, (*size, 3), dtype=np.uint8), smooth):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        soft = cv2.sepFilter2D(grey, cv2.CV_32F, _again(), _again()).astype(np.uint8)
        tint = cv2.addWeighted(picture[..., 0], 0.5, picture[..., 2], -0.5, 128)
        assert _measured(picture) == [steepest(grey), steepest(soft), answer(grey), answer(np.asarray(tint))]
