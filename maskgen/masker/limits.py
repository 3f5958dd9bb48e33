"""The values that settings of a masker may have, in the library as on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from maskgen.core.alignment_names import ALIGNMENTS, check_alignment
from maskgen.core.kindspec import FACES, FARTHEST_PITCH, FARTHEST_YAW, SEEDS, check_kinds, check_wear, parse_kind
from maskgen.core.reasons import UserError, check_flag, is_number, why_no_number

CROPS = ("face", "none")
LANDMARKS = ("dlib", "own")  # models of the 68 points, see maskgen.faces.landmarkers
MASKED_INPUT = ("set-aside", "keep")
OCCLUDERS = ("ignore", "keep")
PER_PHOTO = ("random", "all")

_CHOICES = {
    "align": ALIGNMENTS,
    "crop": CROPS,
    "faces": FACES,
    "landmarks": LANDMARKS,
    "masked_input": MASKED_INPUT,
    "occluders": OCCLUDERS,
}
# Limits that are whole numbers are those of whole numbers.
_RANGES: dict[str, tuple[float, float]] = {
    "size": (32, 2048),
    "seed": SEEDS,
    "max_pixels": (1, 2**31),
    "unmasked_share": (0.0, 1.0),
    "min_trust": (0.0, 1.0),
    "max_yaw": (0.0, FARTHEST_YAW),
    "max_pitch": (0.0, FARTHEST_PITCH),
}


class _Settings(Protocol):
    """What the settings of a masker and those of a run share."""

    @property
    def kinds(self) -> tuple[str, ...]: ...
    @property
    def wear(self) -> tuple[str, ...]: ...
    @property
    def per_photo(self) -> str | int: ...
    @property
    def bare(self) -> bool: ...
    @property
    def unmasked_share(self) -> float: ...
    @property
    def crop(self) -> str: ...
    @property
    def align(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def margin(self) -> float | None: ...
    @property
    def landmarks(self) -> str: ...
    @property
    def landmarks_model(self) -> Path | None: ...


def check_mask_settings(settings: _Settings, kinds: Sequence[str]) -> None:
    """Check that each setting has a value that it may have; the names in messages are those of the command's options.

    Args:
        settings: of a masker or a run.
        kinds: the masks to choose from, without a default.

    Raises:
        UserError: an invalid value; the message names valid ones.
    """
    for name, (low, high) in _RANGES.items():
        check_range(_option(name), getattr(settings, name), low, high)
    for name, choices in _CHOICES.items():
        check_choice(_option(name), getattr(settings, name), choices)
    check_flag("bare", settings.bare)
    if settings.margin is not None and not is_number(settings.margin):
        raise UserError(f"--margin {settings.margin!r} is not a number.")
    if settings.crop == "face":
        check_alignment(settings.align, settings.size, settings.margin)
    check_kinds(kinds)
    check_wear(settings.wear)
    _check_per_photo(settings.per_photo, kinds)
    if settings.unmasked_share and settings.per_photo == "all":
        raise UserError("--unmasked-share needs random masks: leave out --per-photo all.")
    if settings.landmarks_model is not None and settings.landmarks != "dlib":
        raise UserError(f"--landmarks-model is a model of dlib's: leave out --landmarks {settings.landmarks}.")


def check_range(option: str, value: float, low: float, high: float) -> None:
    """Raise UserError unless it is a number, low <= value <= high; between whole limits a whole one."""
    if fault := why_no_number(value, low, high):
        raise UserError(f"{option} {value if is_number(value) else repr(value)} {fault}.")


def check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    """Raise UserError unless the value is one of the choices."""
    if value not in choices:
        raise UserError(f"{option} {value} is unknown: give {' or '.join(choices)}.")


def _check_per_photo(per_photo: str | int, kinds: Sequence[str]) -> None:
    if per_photo == "all" and any(parse_kind(text).weight != 1 for text in kinds):
        raise UserError("--kinds gives weights, which need random masks: leave out --per-photo all.")
    if isinstance(per_photo, str):
        if per_photo not in PER_PHOTO:
            raise UserError(f"--per-photo {per_photo!r} is unknown: give {', '.join(PER_PHOTO)} or a whole number.")
    else:
        check_range("--per-photo", per_photo, 1, len(kinds))


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")
