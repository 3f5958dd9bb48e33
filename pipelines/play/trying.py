"""One mask tried on one picture, in memory: what the page asked in, what it shows out."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.kindspec import BARE, file_name, parse_kind
from maskgen.core.reasons import Reason, SetAsideError, UserError

from ..load_models import load_finders, masker_settings
from ..mask.settings import MaskSettings
from ..reports.reasons import MEANING
from .choices import base_name, has_positions, kind_text, texture_name
from .repeat import repeat
from .settings import PlaySettings

if TYPE_CHECKING:
    from maskgen.api import Output
    from maskgen.core.records import Image, Mask
    from maskgen.faces.detect import Detector
    from maskgen.faces.landmarks import Landmarker
    from maskgen.masks.kind import Kind

# What each part of a mask is shown in over the picture, RGB.
TINTS = {1: (31, 95, 168), 2: (184, 80, 12), 3: (122, 63, 160), 4: (34, 121, 90), 5: (160, 50, 95), 6: (91, 101, 112)}
OPACITY = 150
_WORDS = ("crop", "faces", "occluders", "masked_input")
_NUMBERS = ("min_trust", "max_yaw", "max_pitch")


@dataclass(frozen=True, slots=True)
class File:
    """A file that the browser sent: its name, which is only told, and its bytes."""

    name: str
    data: bytes


def file_of(sent: object, most: int) -> File:
    """A file as the page sends it: {"name": text, "data": base64}.

    Raises:
        UserError: it is none, or larger than `most` bytes.
    """
    if not isinstance(sent, Mapping) or not all(isinstance(sent.get(key), str) for key in ("name", "data")):
        raise UserError("The page sent no picture: load it again.")
    if len(sent["data"]) > 4 * (most // 3 + 1):
        raise UserError(f"The file is larger than {most // 1_000_000} MB: give a smaller one, or --max-megabytes.")
    try:
        return File(sent["name"], base64.b64decode(sent["data"], validate=True))
    except (binascii.Error, ValueError):
        raise UserError("The page sent no picture: load it again.") from None


class Studio:
    """Tries masks on; keeps networks and templates from one try to the next, and no picture."""

    def __init__(self, settings: PlaySettings) -> None:
        self._settings = settings
        self._one_at_a_time = threading.Lock()

    @cached_property
    def _finders(self) -> tuple[Detector, Landmarker]:
        return load_finders()

    def attempt(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What came of one try: pictures and how to have them again, or a reason why there is none.

        Raises:
            UserError: a choice that there is not, or a file that is too large.
        """
        most = self._settings.max_megabytes * 1_000_000
        picture = file_of(asked.get("photo"), most)
        texture = file_of(asked["texture"], most) if asked.get("texture") else None
        printed = texture_name(texture.name) if texture else None
        settings = self._asked(asked, kind_text(asked, printed))
        with self._one_at_a_time:
            try:
                return self._try(settings, picture, texture)
            except SetAsideError as fault:
                return {"reason": fault.reason.value, "said": _said(base_name(picture.name, "photograph.jpg"), fault)}

    def close(self) -> None:
        """Wait for the try at work, and begin no other: the interpreter cannot end while a network is compiled."""
        self._one_at_a_time.acquire()

    def _asked(self, asked: Mapping[str, Any], kind: str) -> MaskSettings:
        options: dict[str, Any] = {name: str(asked[name]) for name in _WORDS if name in asked}
        try:
            options |= {name: float(asked[name]) for name in _NUMBERS if name in asked}
        except (TypeError, ValueError, OverflowError):
            raise UserError("The limits are numbers: give digits.") from None
        try:
            seed = int(str(asked.get("seed", 0)))
        except ValueError:
            raise UserError("The seed is a whole number, such as 7.") from None
        wear = str(asked.get("wear", "proper")) if has_positions(str(asked.get("form"))) else "proper"
        unused = Path()
        settings = MaskSettings(unused, unused, kinds=(kind,), wear=(wear,), seed=seed, **options)
        return replace(settings, kinds=(parse_kind(kind).text,))

    def _try(self, settings: MaskSettings, picture: File, texture: File | None) -> dict[str, Any]:
        from maskgen.api import Masker
        from maskgen.core.images import photo_of

        photo = photo_of(picture.data, self._settings.max_pixels)
        made = (_printed(settings.kinds[0], texture),) if texture else ()
        detector, landmarker = self._finders
        asked = replace(masker_settings(settings), bare=True, parts=True)
        masker = Masker(asked, detector, landmarker=landmarker, made=made)
        (result,) = masker.process([photo.sha256], [photo])
        if isinstance(result, SetAsideError):
            raise result
        outputs = [one for one in result if not isinstance(one, SetAsideError)]
        masked = [one for one in outputs if one.kind != BARE]
        if not masked:
            raise next(one for one in result if isinstance(one, SetAsideError))
        bare = next(one for one in outputs if one.kind == BARE and one.face_index == masked[0].face_index)
        rows = [row for one in masked for row in (one.row, *one.others)]
        faults = [one for one in result if isinstance(one, SetAsideError)]
        facts = face_facts(rows, faults, len(masked) > 1, settings.faces == "all")
        return _shown(settings, base_name(picture.name, "photograph.jpg"), masked[0], bare) | {
            "facts": {"Picture": "{1} x {0} pixels".format(*photo.image.shape), **facts}
        }


def _printed(kind: str, texture: File) -> Kind:
    """The kind that a texture in memory makes."""
    from maskgen.core.images import decode
    from maskgen.masks.kinds import MOST_PATTERN, printed_kind

    try:
        return printed_kind(kind, decode(texture.data, MOST_PATTERN))
    except SetAsideError as fault:
        raise UserError(f"The texture cannot be printed on a mask: {fault}") from None


def _shown(settings: MaskSettings, name: str, masked: Output, bare: Output) -> dict[str, Any]:
    """One picture as the page shows it."""
    from maskgen.core.images import encode_image
    from maskgen.masks.template import PARTS

    assert masked.parts is not None
    again = repeat(settings, name, f"{name.rpartition('.')[0] or name}__{file_name(masked.kind)}.{settings.format}")
    rows = [masked.row, *masked.others]
    pattern = parse_kind(settings.kinds[0]).pattern
    there = [part for part, value in PARTS.items() if (masked.parts == value).any()]
    return {
        "masked": _text(encode_image(masked.image, settings.format, settings.quality)),
        "bare": _text(encode_image(bare.image, "jpg", 90)),
        "parts": _text(_tinted(masked.parts)),
        "legend": {part: "rgb({},{},{})".format(*TINTS[PARTS[part]]) for part in there},
        "width": masked.image.shape[1],
        "height": masked.image.shape[0],
        "points": [row["points68"] for row in rows],
        "command": again.command,
        "python": again.python,
        "name": again.name,
        "photo": name,
        "texture": str(pattern) if pattern else "",
    }


def face_facts(
    rows: Sequence[Mapping[str, Any]], faults: Sequence[SetAsideError], apart: bool, every: bool
) -> dict[str, str]:
    """What the page says of the faces of one photograph, names and values.

    Args:
        rows: of the masked faces, the catalogue's columns.
        faults: of the faces that were set aside.
        apart: whether each masked face has a picture of its own, of which the page shows the first.
        every: whether all faces were asked for. How many there are is known only then: with another choice the search
            ends with the face that was asked for.
    """
    found = f"{len(rows) + len(faults)} found, " if every else ""
    facts = {"Faces": f"{found}{len(rows)} masked" + (", the first is shown" if apart else "")}
    several = len(rows) > 1
    # In pictures of their own the faces have no places beside each other.
    order = rows if apart else sorted(rows, key=lambda row: sum(row["points68"][::2]))
    for at, row in enumerate(order, 1):
        head = f"yaw {row['yaw']:z.0f}, pitch {row['pitch']:z.0f}, roll {row['roll']:z.0f} degrees"
        one = {"Head": head, "Trust in the landmarks": f"{row['trust']:.2f} of 1", "Mask": _worn(row)}
        if several:
            said = f"{head}; trust {row['trust']:.2f}; {_worn(row)}"
            one = {f"Face {at} of {len(rows)}" + ("" if apart else ", from the left"): said}
        facts |= one
    for at, fault in enumerate(faults, 1):
        facts["Set aside" + (f" {at}" if len(faults) > 1 else "")] = f"{fault.reason}: {_why(fault)}"
    return facts


def _worn(row: Mapping[str, Any]) -> str:
    return f"{row['kind']}, {row['wearing']}" if has_positions(row["form"]) else str(row["kind"])


def _said(name: str, fault: SetAsideError) -> str:
    """The sentence on a photograph that was set aside."""
    if fault.reason == Reason.NOT_A_PICTURE:
        return f"{name} is not a picture: {fault.detail}."
    return f"{name} was set aside: {_why(fault)}."


def _why(fault: SetAsideError) -> str:
    return f"{MEANING[fault.reason]}: {fault.detail}" if fault.detail else MEANING[fault.reason]


def _tinted(parts: Mask) -> bytes:
    """The parts of a mask as a PNG to lay over the picture, each in its colour, clear where no mask is."""
    import cv2
    import numpy as np

    table: Image = np.zeros((256, 4), np.uint8)
    for value, (red, green, blue) in TINTS.items():
        table[value] = blue, green, red, OPACITY
    done, data = cv2.imencode(".png", table[parts], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    assert done
    return data.tobytes()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
