"""What a mask cuts out or lets through: the picture shows there, and coverage still says what lies under the mask."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import MaskedPicture, analyse_and_apply, analyse_face, apply_mask
from maskgen.masks.kind import Kind
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import MaskPlan
from maskgen.masks.template import PARTS
from maskgen.people import Portrait, Scene, draw_person, draw_portrait


@pytest.fixture(scope="module")
def turned() -> Portrait:
    """A drawn person who shows one cheek and ear."""
    return draw_portrait(
        draw_person(rng_for(40, 1)), Scene(-32.0, 8.0, 6.0, scale=60.0, centre=(120.0, 120.0), size=(240, 240))
    )


def worn(portrait: Portrait, kind: str, **plan: float) -> MaskedPicture:
    return analyse_and_apply(portrait.image, portrait.points68, replace(MaskPlan(), **plan), load_kind(kind))


def uncut(kind: Kind) -> Kind:
    """The kind of a sheet from which nothing is cut."""
    makes = [
        replace(one, levels=tuple(level._replace(material_and_clear=None) for level in one.levels))
        for one in kind.looks
    ]
    return replace(kind, looks=tuple(makes))


def test_foam_is_cut_out_at_the_ear(turned: Portrait) -> None:
    seen = worn(turned, "pitta_black")
    whole = analyse_and_apply(turned.image, turned.points68, MaskPlan(), uncut(load_kind("pitta_black")))
    cut = (whole.coverage == 255) & (seen.coverage == 0)
    assert (seen.coverage <= whole.coverage).all()
    assert 0.01 < cut.sum() / (whole.coverage > 127).sum() < 0.1
    assert seen.image[cut].mean() > 1.5 * whole.image[cut].mean()  # skin, if in the cloth's shadow


def test_thin_cloth_lets_the_face_through_and_covers_it_all_the_same(turned: Portrait) -> None:
    opaque, thin = worn(turned, "surgical_white"), worn(turned, "surgical_white", sheer=0.25)
    np.testing.assert_array_equal(opaque.coverage, thin.coverage)
    solid = cv2.erode((opaque.coverage == 255).astype(np.uint8), np.ones((15, 15))) > 0
    mixed = 0.75 * opaque.image[solid].astype(float) + 0.25 * under_cloth(turned.image, opaque)[solid]
    assert np.abs(thin.image[solid] - mixed).mean() < 6


def test_thin_cloth_shows_no_sharp_lips(turned: Portrait) -> None:
    """Cloth lies before the skin: what comes through it is blurred, and the face beside the mask is not."""
    lined = turned.image.copy()
    lined[::6] = np.minimum(lined[::6].astype(int) + 60, 255)
    opaque = analyse_and_apply(lined, turned.points68, MaskPlan(), load_kind("surgical_white"))
    thin = analyse_and_apply(lined, turned.points68, MaskPlan(sheer=0.3), load_kind("surgical_white"))
    solid = cv2.erode((opaque.coverage == 255).astype(np.uint8), np.ones((15, 15))) > 0
    through = thin.image.astype(float) - 0.7 * opaque.image
    lines = through - cv2.blur(through, (1, 6))
    assert np.abs(lines[solid]).mean() < 2
    beside = cv2.dilate(thin.coverage, np.ones((15, 15))) == 0
    np.testing.assert_array_equal(thin.image[beside], lined[beside])


def under_cloth(image: Image, opaque: MaskedPicture) -> np.ndarray:
    """The bare face in the cloth's shadow, which takes some of the light that comes through."""
    assert opaque.coverage.max() == 255
    return image.astype(float) * (1 - 0.75 * 0.75 * 0.25)


@pytest.mark.parametrize(
    "kind", ["surgical_blue", "n95", "window_black", "shield_blue", "sunglasses_black", "pitta_grey"]
)
def test_every_covered_pixel_is_a_part(turned: Portrait, kind: str) -> None:
    plan = replace(MaskPlan(), look=0.999)
    analysed = analyse_face(turned.image, turned.points68)
    seen = apply_mask(turned.image, analysed, plan, load_kind(kind), parts=True)
    assert seen.parts is not None
    covered = seen.coverage > 127
    assert (seen.parts[covered] > 0).all()
    assert set(np.unique(seen.parts[~covered])) <= {0, PARTS["strap"], PARTS["glasses"]}
    found = {name for name, number in PARTS.items() if (seen.parts == number).sum() > 20}
    assert (
        found
        == {
            "surgical_blue": {"cloth", "strap"},
            "n95": {"cloth", "strap", "valve"},
            "window_black": {"cloth", "strap", "window"},
            "shield_blue": {"shield", "strap"},
            "sunglasses_black": {"glasses"},
            "pitta_grey": {"cloth", "valve"},
        }[kind]
    )
    plain = apply_mask(turned.image, analysed, plan, load_kind(kind))
    np.testing.assert_array_equal(plain.image, seen.image)
    np.testing.assert_array_equal(plain.coverage, seen.coverage)


def test_translucency_is_the_share_of_light_that_comes_through(turned: Portrait) -> None:
    assert worn(turned, "surgical_white").cloth.translucency == pytest.approx(0, abs=0.01)
    assert worn(turned, "surgical_white", sheer=0.2).cloth.translucency == pytest.approx(0.2, abs=0.01)
    assert 0.1 < worn(turned, "window_black").cloth.translucency < 0.4
    assert worn(turned, "shield_white").cloth.translucency > 0.7


def test_a_window_shows_the_mouth_and_cloth_hides_it(turned: Portrait) -> None:
    analysed, kind = analyse_face(turned.image, turned.points68), load_kind("window_black")
    seen = apply_mask(turned.image, analysed, MaskPlan(), kind, parts=True)
    other = apply_mask(turned.image + np.uint8(40), analysed, MaskPlan(), kind)  # the same light, another face
    assert seen.parts is not None
    solid = np.where(cv2.erode(seen.coverage, np.ones((9, 9))) == 255, seen.parts, 0).astype(np.uint8)
    pane, cloth = (
        cv2.erode((solid == PARTS[one]).astype(np.uint8), np.ones((7, 7))) > 0 for one in ("window", "cloth")
    )
    assert pane[tuple(np.round(turned.points68[57, ::-1]).astype(int))]
    change = np.abs(seen.image.astype(float) - other.image)
    assert 25 < change[pane].mean() < 38
    assert change[cloth].max() <= 1
