"""What a mask cuts out or lets through: the picture shows there, and coverage still says what lies under the mask."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.kind import Kind
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import MaskPlan
from maskgen.masks.wear import Worn, wear
from maskgen.people import Portrait, Scene, draw_person, paint


@pytest.fixture(scope="module")
def turned() -> Portrait:
    """A drawn person who shows one cheek and ear."""
    return paint(
        draw_person(rng_for(40, 1)), Scene(-32.0, 8.0, 6.0, scale=60.0, centre=(120.0, 120.0), size=(240, 240))
    )


def worn(portrait: Portrait, kind: str, **plan: float) -> Worn:
    return wear(portrait.image, portrait.points68, replace(MaskPlan(), **plan), load_kind(kind))


def uncut(kind: Kind) -> Kind:
    """The kind of a sheet from which nothing is cut."""
    makes = [replace(one, levels=tuple(level._replace(through=None) for level in one.levels)) for one in kind.makes]
    return replace(kind, makes=tuple(makes))


def test_foam_is_cut_out_at_the_ear(turned: Portrait) -> None:
    seen = worn(turned, "pitta_black")
    whole = wear(turned.image, turned.points68, MaskPlan(), uncut(load_kind("pitta_black")))
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


def under_cloth(image: Image, opaque: Worn) -> np.ndarray:
    """The bare face in the cloth's shadow, which takes some of the light that comes through."""
    assert opaque.coverage.max() == 255
    return image.astype(float) * (1 - 0.75 * 0.75 * 0.25)
