"""Which command a folder belongs to: a command never writes into, or clears, the folder of another one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from maskgen.core.checksummed_json import parse
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from .checks import show_path

COMMAND = "command"  # in settings.json: the command that wrote it
SETTINGS = "settings.json"


class Owner(StrEnum):
    """A command that writes a folder of its own."""

    MASK = "mask"
    GALLERY = "gallery"
    TRAIN = "train"
    PAIRS = "pairs"
    EVALUATE = "evaluate"
    DEMO = "demo"


_WHAT = {
    Owner.MASK: "a masking run",
    Owner.GALLERY: "a gallery",
    Owner.TRAIN: "a training",
    Owner.PAIRS: "training lists",
    Owner.EVALUATE: "an evaluation",
    Owner.DEMO: "a demo",
}
# Settings that earlier versions wrote without COMMAND: one command alone has each.
_KEYS = {
    Owner.MASK: ("digest", "shard_size"),
    Owner.GALLERY: ("the photographs", "--masked-pattern"),
    Owner.TRAIN: ("the training list", "train.epochs"),
    Owner.DEMO: (),
}
# Files beside a settings.json that is too damaged to tell its command.
_BESIDE = {
    Owner.MASK: ("shards",),
    Owner.GALLERY: ("gallery.csv",),
    Owner.TRAIN: ("last", "best", "history.csv"),
    Owner.DEMO: ("masked", "manifests"),
}
# Commands without a settings.json: the entries by which their JSON files are recognised.
_REPORTS = {
    "report.json": (Owner.PAIRS, ("protocol", "runs", "rows")),
    "unfinished.json": (Owner.PAIRS, ("settings",)),
    "results.json": (Owner.EVALUATE, ("maskgen", "model", "pictures")),
}


def writer_of(stored: Mapping[str, Any]) -> Owner | None:
    """The command that wrote these settings; None if none did."""
    for owner, keys in _KEYS.items():
        if stored.get(COMMAND) == owner or any(key in stored for key in keys):
            return owner
    return None


def owner_of(folder: AnyPath) -> Owner | None:
    """The command that wrote this folder; None if none did.

    A settings.json comes first: `evaluate` may have written its report into a folder of another command. Checksums are
    not verified: damage does not change whose folder it is.
    """
    stored = read_or_empty(folder / SETTINGS)
    if (writer := writer_of(stored)) is not None:
        return writer
    if not stored and (folder / SETTINGS).is_file():
        return next((name for name, beside in _BESIDE.items() if any((folder / one).exists() for one in beside)), None)
    for file, (name, keys) in _REPORTS.items():
        if all(key in read_or_empty(folder / file) for key in keys):
            return name
    return None


def refuse_other_owner(folder: AnyPath, own: Owner, option: str) -> None:
    """Raise UserError where a folder belongs to another command, or to another program, whatever --overwrite says.

    Args:
        option: names the folder on the command line.
    """
    owner = owner_of(folder)
    if owner is not None and owner != own:
        raise UserError(
            f"{option} {show_path(folder)} is the folder of {_WHAT[owner]}: choose another, new or empty one."
        )
    if owner is None and own in _KEYS and _has_content(folder / SETTINGS):
        raise UserError(
            f"{option} {show_path(folder)} holds a {SETTINGS} that `maskgen {own}` did not write: choose another, new "
            "or empty folder."
        )


def _has_content(path: AnyPath) -> bool:
    """Whether a file is there and not empty, as a power cut leaves it that interrupts its first writing."""
    return path.is_file() and bool(path.read_bytes())


def read_or_empty(path: AnyPath) -> dict[str, Any]:
    """A JSON file's dictionary; empty if it is missing or damaged."""
    try:
        return parse(path.read_bytes()) if path.is_file() else {}
    except ValueError:
        return {}
