"""The command and the Python code that give the bytes that the page shows."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ..mask.settings import MaskSettings
from ..settings_to_command import command_line

RUN = "masked"
_PLACES = frozenset({"source", "run", "workers"})
_TOLD = ("kinds", "wear", "crop", "size", "faces", "min_trust", "max_yaw", "max_pitch", "masked_input", "occluders")


@dataclass(frozen=True, slots=True)
class Repeat:
    """How to have one picture again: a line for a terminal, code for Python, and the name that both give the file."""

    command: str
    python: str
    name: str


def repeat(settings: MaskSettings, photograph: str, output: str) -> Repeat:
    """What gives the picture again, in the folder that the photograph and the texture are in.

    Args:
        photograph: its file's name.
        output: the name that the masked picture has.
    """
    source = f"./{photograph}" if photograph.startswith("-") else photograph
    line = command_line("mask", settings, (), _PLACES)
    return Repeat(f"{line} {shlex.quote(source)} {RUN}", _python(settings, photograph, output), output)


def _python(settings: MaskSettings, photograph: str, output: str) -> str:
    plain = MaskSettings(settings.source, settings.run)
    told = {name: getattr(settings, name) for name in _TOLD if getattr(settings, name) != getattr(plain, name)}
    options = [f"    {name}={value!r}," for name, value in told.items()]
    return "\n".join(
        [
            "from pathlib import Path",
            "",
            "from maskgen import Masker, MaskerSettings",
            "from maskgen.core.images import encode_image",
            "",
            "settings = MaskerSettings(",
            *options,
            f"    seed={settings.seed},",
            ")",
            f"masked = Masker(settings).mask({photograph!r})",
            f'Path({output!r}).write_bytes(encode_image(masked.image, "{settings.format}", {settings.quality}))',
            "",
        ]
    )
