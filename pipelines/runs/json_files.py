"""JSON files that a command writes into its output folder and reads when it resumes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.reasons import UserError

from ..folder_owner import COMMAND, SETTINGS, Owner


def json_bytes(value: object) -> bytes:
    """JSON in the program's form; names that are not valid text keep their bytes as escapes."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def checksummed_bytes(value: Mapping[str, object]) -> bytes:
    """`json_bytes` with a checksum, for files that are read back."""
    return json_bytes(add_checksum(value))


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of one of the program's files; None if it does not exist.

    Raises:
        UserError: it is damaged.
    """
    try:
        return parse_checksummed(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(
            f"{path} is damaged ({error}): put a copy of it back, choose another folder, or remove this one."
        ) from None


def settings_bytes(owner: Owner, deciding: Mapping[str, object]) -> bytes:
    """settings.json of a command: the settings that decide its output, by option name, and whose they are."""
    return checksummed_bytes({COMMAND: owner, **deciding})


def read_settings(root: Path) -> dict[str, Any] | None:
    """The deciding settings that a folder was started with; None if there are none.

    Raises:
        UserError: they are damaged.
    """
    stored = read_json(root / SETTINGS)
    if stored is not None:
        stored.pop(COMMAND, None)  # earlier versions wrote none
    return stored


def remove(root: Path, names: Iterable[str]) -> None:
    """Remove files and folders of the program below `root`; missing ones are ignored."""
    for path in (root / name for name in names):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
