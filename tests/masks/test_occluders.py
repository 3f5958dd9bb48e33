"""What stands before a mask stays there where it is told from skin, and bare faces keep whole masks."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import MaskedPicture, analyse_face, apply_mask, occluders_of
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import MaskPlan
from maskgen.people import Person, Portrait, Scene, draw_person, draw_portrait, occluded_share

SCENE = Scene(scale=48.0, centre=(110.0, 115.0), size=(220, 220), light=(-0.1, -0.4, 0.9), ambient=0.6)
PLAIN: dict[str, Any] = {"glasses": "none", "beard": 0.0, "moustache": 0.0, "freckles": 0.0, "age": 0.2}


def person(**looks: Any) -> Person:
    pale = {"skin": np.array([232.0, 190.0, 168.0]), "hair": np.array([48.0, 34.0, 28.0])}
    return replace(draw_person(rng_for(3, "front")), **{**PLAIN, **pale, **looks})


def both(whose: Person, kind: str = "surgical_blue") -> tuple[Portrait, MaskedPicture, MaskedPicture]:
    """A portrait, and a mask on it drawn over what is in front and behind it."""
    portrait = draw_portrait(whose, SCENE)
    analysed = analyse_face(portrait.image, portrait.points68)
    occluders = occluders_of(portrait.image, analysed)
    over = apply_mask(portrait.image, analysed, MaskPlan(), load_kind(kind), parts=True)
    return (
        portrait,
        over,
        apply_mask(portrait.image, analysed, MaskPlan(), load_kind(kind), parts=True, occluders=occluders),
    )


@pytest.mark.parametrize("kind", ["surgical_blue", "n95", "cloth_black"])
@pytest.mark.parametrize("tone", [1.0, 0.6, 0.35])
def test_a_bare_face_keeps_its_whole_mask(kind: str, tone: float) -> None:
    skin = tone * np.array([232.0, 190.0, 168.0])
    _, over, kept = both(person(style="bald", skin=skin), kind)
    cloth = over.coverage > 130
    assert (kept.coverage[cloth] > 127).all()


def test_hair_on_the_cheeks_stays_before_the_mask() -> None:
    whose = person(style="loose")
    _, over, kept = both(whose)
    mask, out = over.coverage > 40, kept.coverage < over.coverage // 2
    true = (occluded_share(whose, SCENE) > 0.5) & mask
    assert true.sum() > 300
    assert (out & true & mask).sum() / ((out | true) & mask).sum() > 0.5
    assert kept.in_front > 0.02
    assert over.in_front == 0.0
    assert kept.parts is not None
    assert not kept.parts[out & mask & (kept.coverage == 0)].any()


def test_what_is_in_front_is_the_photograph_itself() -> None:
    portrait, over, kept = both(person(style="loose"))
    gone = (over.coverage > 130) & (kept.coverage == 0)
    assert gone.sum() > 100
    # Only the shadow of the cloth beside it may fall on it.
    assert np.median(np.abs(kept.image[gone].astype(int) - portrait.image[gone])) < 12


def test_rims_stay_before_a_mask_that_sits_high() -> None:
    portrait = draw_portrait(person(style="bald", glasses="square"), SCENE)
    analysed = analyse_face(portrait.image, portrait.points68)
    occluders = occluders_of(portrait.image, analysed)
    assert occluders is not None
    rims = occluders.cloth > 0.5
    assert rims.sum() > 20
    part = portrait.image[occluders.window.slices]
    assert part[rims].mean() < 0.6 * part[occluders.cloth == 0].mean()


def test_in_front_is_nothing_for_a_bald_head_and_all_of_a_hand() -> None:
    bald = person(style="bald")
    assert np.abs(occluded_share(bald, SCENE)).max() < 1e-4
    hand = replace(SCENE, hand=True)
    changed = np.abs(draw_portrait(bald, hand).image.astype(int) - draw_portrait(bald, SCENE).image).max(2) > 40
    truth = occluded_share(bald, hand)
    assert changed.sum() > 500
    assert (truth[changed] > 0.3).all()


def test_the_same_photograph_gives_the_same_bytes() -> None:
    first, again = (both(person(style="loose"))[2] for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
