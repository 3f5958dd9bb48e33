"""The program's own JSON files with a checksum of their content, so that damage is detected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CHECKSUM = "checksum"


def add_checksum(value: Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary with `checksum`, 32 hex digits over all other entries, independent of the order of keys.

    Example:
        >>> parse_checksummed(json.dumps(add_checksum({"step": 3})))
        {'step': 3}
    """
    # After a JSON round trip: keys are strings, tuples are lists.
    return {**value, CHECKSUM: _checksum(json.loads(json.dumps(dict(value))))}


def parse_checksummed(text: str | bytes) -> dict[str, Any]:
    """Parse JSON with a checksum and verify it.

    Raises:
        ValueError: it is not JSON, not a dictionary, or the checksum does not match; says which.
    """
    stored = parse(text)
    if stored.pop(CHECKSUM, None) != _checksum(stored):
        raise ValueError("its checksum does not match its content")
    return stored


def parse(text: str | bytes) -> dict[str, Any]:
    """Parse a JSON dictionary.

    Raises:
        ValueError: it is not JSON, or not a dictionary.
    """
    try:
        stored = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"it is not JSON{line}" if text.strip() else "it is empty") from None
    if not isinstance(stored, dict):
        raise ValueError("it is not a dictionary")
    return stored


def _checksum(plain: Mapping[str, Any]) -> str:
    """The checksum of values as JSON gives them back."""
    text = json.dumps({key: one for key, one in plain.items() if key != CHECKSUM}, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
