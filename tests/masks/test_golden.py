"""Every kind in three poses against pictures that a person has looked at; `draw_golden.py` redraws them."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from draw_golden import GOLDEN, golden, portraits, unlike

from maskgen.core.images import read_photo
from maskgen.masks.kinds import kind_names
from maskgen.people import Portrait


@pytest.fixture(scope="module")
def people() -> list[Portrait]:
    return portraits()


def test_there_is_one_for_every_kind() -> None:
    assert {path.stem for path in GOLDEN.glob("*.png")} == set(kind_names())


@pytest.mark.parametrize("kind", kind_names())
def test_masks_look_as_they_did(kind: str, people: list[Portrait]) -> None:
    assert unlike(golden(kind, people), read_photo(GOLDEN / f"{kind}.png").image) < 6


def test_a_mask_two_pixels_lower_would_be_seen(people: list[Portrait]) -> None:
    before = read_photo(GOLDEN / "n95.png").image
    assert unlike(np.roll(before, 2, axis=0), before) > 6
    assert unlike(golden("kn95", people), before) > 6
