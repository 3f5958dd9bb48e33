"""Settings of the library have the limits of the command's options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.data import astronaut

import maskgen
from maskgen.api import MaskerSettings
from maskgen.core.kindspec import FARTHEST_YAW
from maskgen.core.reasons import UserError


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"occluders": "kepp"}, "--occluders kepp is unknown: give ignore or keep."),
        ({"masked_input": "kep"}, "--masked-input kep is unknown: give set-aside or keep."),
        ({"crop": "nonee"}, "--crop nonee is unknown: give face or none."),
        ({"crop": None}, "--crop None is unknown: give face or none."),
        ({"crop": "none", "align": "arcfacee"}, "--align arcfacee is unknown"),
        ({"faces": "al"}, "--faces al is unknown"),
        ({"landmarks": "dlibb"}, "--landmarks dlibb is unknown"),
        ({"per_photo": 0}, "--per-photo 0 is out of range: give 1 to 5."),
        ({"per_photo": -1}, "--per-photo -1 is out of range"),
        ({"per_photo": 9}, "--per-photo 9 is out of range"),
        ({"per_photo": 2, "kinds": ("n95",)}, "--per-photo 2 is out of range: give 1 to 1."),
        ({"per_photo": 1.5}, "--per-photo 1.5 is not a whole number"),
        ({"per_photo": "al"}, "--per-photo al is unknown: give random or all."),
        ({"per_photo": "all", "kinds": ("n95=2", "cloth_black")}, "--kinds gives weights"),
        ({"per_photo": "all", "unmasked_share": 0.5}, "--unmasked-share needs random masks"),
        ({"unmasked_share": 5}, "--unmasked-share 5 is out of range: give 0.0 to 1.0."),
        ({"unmasked_share": float("nan")}, "--unmasked-share nan is out of range"),
        ({"max_yaw": FARTHEST_YAW + 1}, f"--max-yaw {FARTHEST_YAW + 1} is out of range"),
        ({"seed": 2**64}, "--seed 18446744073709551616 is out of range"),
        ({"max_pitch": -1}, "--max-pitch -1 is out of range"),
        ({"min_trust": -1}, "--min-trust -1 is out of range"),
        ({"min_trust": "0.4"}, "--min-trust '0.4' is not a number"),
        ({"margin": "0.4"}, "--margin '0.4' is not a number"),
        ({"size": 0}, "--size 0 is out of range: give 32 to 2048."),
        ({"size": "112"}, "--size '112' is not a whole number"),
        ({"size": 112.0}, "--size 112.0 is not a whole number"),
        ({"seed": 1.5}, "--seed 1.5 is not a whole number"),
        ({"max_pixels": 0}, "--max-pixels 0 is out of range"),
        ({"wear": ("proper", "proper=2")}, "--wear names a position twice"),
        ({"kinds": ("n95", "n95=2")}, "--kinds names a mask twice"),
    ],
)
def test_settings_have_the_limits_of_the_command(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as found:
        MaskerSettings(**wrong)
    assert told in str(found.value)


@pytest.mark.parametrize("size", [0, -5, 1, 112.0, "112"])
def test_a_size_that_no_crop_has_is_refused(size: Any) -> None:
    with pytest.raises(UserError, match="^--size "):
        maskgen.mask_photo(astronaut(), size=size)


def test_numbers_of_numpy_are_numbers() -> None:
    MaskerSettings(size=np.int64(112), seed=np.int32(3), min_trust=np.float32(0.5), per_photo=np.int64(2))  # type: ignore[arg-type]
