"""Settings of the library have the limits of the command's options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.data import astronaut

import maskgen
from maskgen.api import Masker, MaskerSettings
from maskgen.augment import MaskAugment
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
        ({"per_photo": "al"}, "--per-photo 'al' is unknown: give random, all or a whole number."),
        ({"per_photo": "2"}, "--per-photo '2' is unknown: give random, all or a whole number."),
        ({"per_photo": True}, "--per-photo True is not a whole number"),
        ({"seed": True}, "--seed True is not a whole number"),
        ({"unmasked_share": True}, "--unmasked-share True is not a number"),
        ({"margin": True}, "--margin True is not a number"),
        ({"bare": "no"}, "bare='no' is neither True nor False."),
        ({"bare": "false"}, "bare='false' is neither True nor False."),
        ({"bare": 1}, "bare=1 is neither True nor False."),
        ({"parts": "x"}, "parts='x' is neither True nor False."),
        ({"parts": None}, "parts=None is neither True nor False."),
        ({"crop": "none", "size": 112}, "--crop none keeps the photograph's own pixels: leave out --size."),
        ({"crop": "none", "align": "facenet"}, "leave out --align."),
        (
            {"crop": "none", "size": 96, "align": "arcface", "margin": 0.2},
            "leave out --size and --align and --margin.",
        ),
        ({"landmarks": "own", "landmarks_model": Path("model.dat")}, "leave out --landmarks own."),
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
    MaskerSettings(bare=np.bool_(True), parts=np.bool_(False))  # type: ignore[arg-type]


def test_a_seed_of_numpy_draws_as_the_same_number() -> None:
    one, other = (
        Masker(MaskerSettings(("n95",), seed=seed, crop="none")).mask(astronaut()) for seed in (3, np.int64(3))
    )
    assert (one.image == other.image).all()
    assert one.record == other.record
    assert type(other.record["seed"]) is int


@pytest.mark.parametrize(
    "kinds",
    [
        ["n95=3", "kn95"],
        (kind for kind in ("n95=3", "kn95")),
        {"n95=3": 1, "kn95": 1}.keys(),
        np.array(["n95=3", "kn95"]),
    ],
)
def test_kinds_in_any_form_that_has_an_order_are_a_tuple(kinds: Any) -> None:
    settings = MaskerSettings(kinds=kinds, wear=iter(["chin_out"]))  # type: ignore[arg-type]
    assert settings == MaskerSettings(kinds=("n95=3", "kn95"), wear=("chin_out",))
    assert hash(settings) == hash(MaskerSettings(kinds=("n95=3", "kn95"), wear=("chin_out",)))


def test_kinds_of_a_generator_are_worn() -> None:
    settings = MaskerSettings(kinds=(kind for kind in ["n95"]), crop="none")  # type: ignore[arg-type]
    assert Masker(settings).mask(astronaut()).record["kind"] == "n95"


def test_one_text_is_one_kind_and_one_wearing_position() -> None:
    settings = MaskerSettings(kinds="n95", wear="nose_out")  # type: ignore[arg-type]
    assert settings == MaskerSettings(kinds=("n95",), wear=("nose_out",))
    masked = MaskAugment("n95", "nose_out").mask(astronaut(), "a")
    assert masked is not None
    assert (masked.record["kind"], masked.record["wearing"]) == ("n95", "nose_out")


@pytest.mark.parametrize(
    "call", [lambda text: Masker(MaskerSettings(text)), lambda text: maskgen.mask_photo("a", text)]
)
def test_several_kinds_in_one_text_are_told_to_be_several(call: Any) -> None:
    """As the command takes them."""
    with pytest.raises(UserError, match="'n95,kn95': give each kind as a text of its own"):
        call("n95,kn95")
    with pytest.raises(UserError, match="--wear proper,nose_out is unknown: give each position as a text of its own"):
        MaskerSettings(wear="proper,nose_out")  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [lambda **given: MaskerSettings(**given), lambda **given: MaskAugment(**given)])
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kinds": {"n95": 1, "cloth_black": 1000}}, "--kinds is a dict: give a tuple, with weights as in n95=3."),
        ({"kinds": {"n95", "cloth_black"}}, "--kinds is a set, which has no order: give a tuple."),
        ({"kinds": ("n95", 3)}, "--kinds 3 is not a text: give texts, as in n95=3."),
        ({"kinds": 3}, "--kinds 3 is not a text"),
        ({"kinds": b"n95"}, "--kinds b'n95' is not a text"),
        ({"kinds": [["n95", "kn95"]]}, "--kinds ['n95', 'kn95'] is not a text"),
        ({"wear": {"proper": 3}}, "--wear is a dict: give a tuple, with weights as in proper=3."),
        ({"wear": frozenset({"proper"})}, "--wear is a frozenset, which has no order"),
        ({"wear": None}, "--wear None is not a text: give texts, as in proper=3."),
    ],
)
def test_what_is_no_sequence_of_texts_is_refused(make: Any, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as found:
        make(**wrong)
    assert told in str(found.value)
