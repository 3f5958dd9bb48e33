"""The description of an ONNX recogniser's input, a small TOML file.

side = 112                      # pixels
channels = "RGB"                # or "BGR"
mean = [127.5, 127.5, 127.5]    # of pixels of 0 to 255, in the order of the channels
scale = 0.0078125               # the input is (pixel - mean) * scale; one number, or one per channel
align = "arcface"               # "crop": unchanged; "dlib" or "arcface": the face is detected and aligned
# with align = "crop" also: alignment = "arcface", the required alignment of crops, as in the catalogue's column
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from maskgen.core.alignment_names import STORED, stored_cut
from maskgen.core.reasons import UserError

ALIGNMENTS = ("crop", "dlib", "arcface")
_LARGEST = 4096
Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class OnnxInput:
    """The input of an ONNX recogniser, float32 (n, 3, side, side).

    Attributes:
        side: pixels, 16 to 4096.
        channels: "RGB" or "BGR".
        mean, scale: the input is (pixel - mean) * scale, pixels of 0 to 255, in the order of `channels`.
        align: one of `ALIGNMENTS`.
        alignment: of crops that are used unchanged, see `core.alignment_names`; "" for any.

    Raises:
        ValueError: an invalid value, in a sentence.
    """

    side: int
    channels: str = "RGB"
    mean: Three = (0.0, 0.0, 0.0)
    scale: Three = (1.0, 1.0, 1.0)
    align: str = "crop"
    alignment: str = ""

    def __post_init__(self) -> None:
        if not 16 <= self.side <= _LARGEST:
            raise ValueError(f"side must be a whole number of 16 to {_LARGEST}, not {self.side}")
        if self.channels not in ("RGB", "BGR"):
            raise ValueError(f'channels must be "RGB" or "BGR", not {self.channels!r}')
        if self.align not in ALIGNMENTS:
            raise ValueError(f"align must be one of {', '.join(ALIGNMENTS)}, not {self.align!r}")
        if self.alignment and self.align != "crop":
            raise ValueError(f"alignment says how crops must be aligned: leave it out with align = {self.align!r}")
        if self.alignment and stored_cut(self.alignment, self.side) is None:
            raise ValueError(f"alignment must be one of {', '.join(STORED)}, not {self.alignment!r}")
        if not all(map(math.isfinite, (*self.mean, *self.scale))) or 0 in self.scale:
            raise ValueError("mean and scale must be finite, and scale not 0")


def read_onnx_input(path: Path | str) -> OnnxInput:
    """Read the TOML file.

    Raises:
        UserError: it is missing or not TOML, or has an unknown key or an invalid value.
    """
    try:
        values = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as fault:  # invalid UTF-8 and invalid TOML are ValueErrors
        raise UserError(f"{path} cannot be read as TOML ({str(fault).splitlines()[0]}).") from None
    try:
        return _made(values)
    except ValueError as fault:
        raise UserError(f"{path}: {fault}.") from None


def _made(values: Mapping[str, Any]) -> OnnxInput:
    known = [field.name for field in fields(OnnxInput)]
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(f"there is no setting {unknown[0]}: the settings are {', '.join(known)}")
    if "side" not in values:
        raise ValueError("side is missing")
    given = dict(values)
    for name in ("mean", "scale"):
        if name in given:
            given[name] = _three(name, given[name])
    if type(given["side"]) is not int:
        raise ValueError(f"side must be a whole number, not {given['side']!r}")
    if not isinstance(given.get("alignment", ""), str):
        raise ValueError(f"alignment must be one of {', '.join(STORED)}, not {given['alignment']!r}")
    return OnnxInput(**given)


def _three(name: str, value: Any) -> Three:
    each = value if isinstance(value, list) else [value] * 3
    if len(each) != 3 or any(type(one) not in (int, float) for one in each):
        raise ValueError(f"{name} must be a number or a list of three, not {value!r}")
    try:
        return float(each[0]), float(each[1]), float(each[2])
    except OverflowError:  # TOML's whole numbers have no limit
        raise ValueError(f"{name} must be finite") from None
