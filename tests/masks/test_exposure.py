"""Exposure and cast: the mask follows the light and not the skin, and whites end where the photograph's do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.color import rgb2lab

from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import load_kind
from maskgen.masks.lighting.exposure import (
    BRIGHT,
    CLIPPED,
    CONTRAST,
    DARKEST,
    HABIT,
    HIGHLIGHTS,
    LOWEST,
    MOST_LIFT,
    SIDE,
    WHITE,
    agreement,
    estimate_exposure,
    eye_white_colour,
    warmth,
)
from maskgen.masks.lighting.tone import LUMA
from maskgen.masks.plan import MaskPlan
from maskgen.people import Scene, draw_person, draw_portrait
from maskgen.people.person import SKINS


def test_a_white_mask_is_as_light_on_any_skin() -> None:
    seen = []
    person = replace(draw_person(rng_for(40, 0)), glasses="none")
    for skin in SKINS[::2]:
        portrait = draw_portrait(replace(person, skin=skin), Scene(scale=44.0, centre=(88.0, 92.0), size=(176, 176)))
        worn = analyse_and_apply(portrait.image, portrait.points68, MaskPlan(), load_kind("surgical_white"))
        seen.append(rgb2lab(np.median(worn.image[worn.coverage > 250], axis=0) / 255)[0])
    assert np.ptp(seen) < 3


def test_a_photograph_that_does_not_clip_gets_a_mask_that_does_not() -> None:
    portrait = draw_portrait(
        draw_person(rng_for(40, 0)), Scene(scale=44.0, centre=(88.0, 92.0), size=(176, 176), noise=4.0)
    )
    image = np.minimum(portrait.image, 245)
    worn = analyse_and_apply(image, portrait.points68, MaskPlan(bright=1.15), load_kind("surgical_white"))
    assert (worn.image[worn.coverage > 250] == 255).mean() < 0.002


def test_a_flat_picture_says_nothing_of_whites_and_blacks() -> None:
    whites = estimate_exposure(np.full((40, 50, 3), 128, np.uint8))
    assert (whites.lift, whites.warmth) == (0.0, None)


@pytest.mark.parametrize("size", [(3, 5), (40, 57), (260, 300), (129, 700)])
@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 60), (30, 250), (40, 100), (80, 250), (100, 256)])
def test_the_kernel_measures_what_sorting_does(low: int, high: int, size: tuple[int, int]) -> None:
    image = np.random.default_rng(low).integers(low, high, (*size, 3), dtype=np.uint8)
    some = image[:: -(-size[0] // SIDE), :: -(-size[1] // SIDE)].reshape(-1, 3)
    values = some[:, 0] * LUMA[0] + some[:, 1] * LUMA[1] + some[:, 2] * LUMA[2]
    ends = (int(share * len(values)) for share in (LOWEST, HIGHLIGHTS, BRIGHT))
    darkest, highlights, brightest = np.sort(values)[list(ends)]
    lift = min(max(darkest - DARKEST, 0), MOST_LIFT) if brightest - darkest > CONTRAST else 0
    top = 262 if (some == 255).any(1).mean() > HABIT else 253
    white = some[(values >= highlights) & (some.max(1) < CLIPPED)]
    seen = estimate_exposure(image)
    assert (seen.top, seen.lift, seen.bright) == (top, lift, highlights)
    if WHITE <= highlights < CLIPPED - 6:
        assert seen.warmth == (warmth(white.mean(0)) if len(white) else 0)


@pytest.mark.parametrize("grey", [0, 23, 24, 25, 149, 150, 244, 245, 255])
def test_the_kernel_takes_luma_at_a_limit_as_it_is(grey: int) -> None:
    image = np.full((9, 13, 3), grey, np.uint8)
    image[0] = 255
    luma = LUMA[0] * grey + LUMA[1] * grey + LUMA[2] * grey
    seen = estimate_exposure(image[1:])
    assert seen.bright == luma and (seen.warmth is None) == (luma < WHITE)
    assert estimate_exposure(image).lift == (
        0 if luma <= DARKEST or 255 - luma <= CONTRAST else min(luma - 24, MOST_LIFT)
    )


@pytest.mark.parametrize("shift", [-20, 20])
def test_warm_highlights_are_warm(shift: int) -> None:
    image = np.full((64, 64, 3), 30, np.uint8)
    image[:8] = (200 + shift, 200, 200 - shift)
    seen = estimate_exposure(image).warmth
    assert seen is not None and seen == pytest.approx(np.log((200 + shift) / (200 - shift)) / 2)


def test_agreement_is_the_weaker_of_two_that_point_one_way() -> None:
    assert [agreement(0.2, 0.1), agreement(-0.1, -0.3), agreement(0.2, -0.1), agreement(0.0, 0.4)] == [0.1, -0.1, 0, 0]
    assert warmth(np.array([90.0, 10.0, 90.0])) == 0


def test_shut_eyes_and_eyes_outside_have_no_whites() -> None:
    image = np.full((60, 60, 3), 200, np.uint8)
    eye = np.array([(10, 20), (13, 17), (17, 17), (20, 20), (17, 23), (13, 23)], float)
    assert eye_white_colour(image, np.concatenate([eye, eye + (20, 0)])) == pytest.approx(np.full(3, 200.0))
    shut = np.concatenate([eye * (1, 0.05), eye * (1, 0.05) + (20, 0)])
    assert eye_white_colour(image, shut) is None
    assert eye_white_colour(image, np.concatenate([eye, eye]) + 100) is None
