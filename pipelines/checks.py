"""Checks of settings, and their comparison with those that a folder was started with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from maskgen.core.extras import check_device_name
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath
from maskgen.masker.limits import LANDMARKS, check_choice, check_range

__all__ = [
    "LANDMARKS",
    "MAX_PIXELS",
    "check_choice",
    "check_device_name",
    "check_place",
    "check_range",
    "differences",
    "digest_of",
    "option_name",
    "show_path",
]

MAX_PIXELS = 100_000_000


def option_name(field: str) -> str:
    """A setting's name on the command line: `per_photo` is `--per-photo`, `source` is `SOURCE`."""
    return field.upper() if field in ("source", "run") else "--" + field.replace("_", "-")


def show_path(path: AnyPath) -> str:
    """A path as valid UTF-8 text for JSON and the terminal, whatever bytes its name holds."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def digest_of(deciding: Mapping[str, object]) -> str:
    """A digest of the settings that decide the output, 32 hex digits."""
    text = json.dumps(deciding, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def differences(stored: Mapping[str, object], asked: Mapping[str, object]) -> list[str]:
    """The settings that differ, one text each: `--size (was 160, now 112)`.

    Example:
        >>> differences({"--size": 160, "--seed": 0}, {"--size": 112, "--seed": 0})
        ['--size (was 160, now 112)']
    """
    names = [*asked, *(name for name in stored if name not in asked)]
    return [
        f"{name} (was {_show(stored.get(name))}, now {_show(asked.get(name))})"
        for name in names
        if stored.get(name) != asked.get(name)
    ]


def check_place(option: str, folder: AnyPath) -> None:
    """Raise UserError if a folder to be written, or one above it, is a file."""
    if not isinstance(folder, Path):
        return
    for one in (folder, *folder.parents):
        if one.is_dir():
            return
        if one.exists():
            raise UserError(f"{option} {show_path(folder)}: {show_path(one)} is a file, not a folder: name another.")


def _show(value: object) -> str:
    if isinstance(value, list):
        value = ",".join(map(str, value))
    return "not set" if value is None else str(value) or "none"
