"""The program's own JSON files, with a checksum of what they hold, so that damage is known when they are read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CHECKSUM = "checksum"


def add_checksum(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same with `checksum`, 32 hex digits over everything else; the order of keys does not count.

    Example:
        >>> parse_checksummed(json.dumps(add_checksum({"step": 3})))
        {'step': 3}
    """
    return {**value, CHECKSUM: _checksum(value)}


def parse_checksummed(text: str | bytes) -> dict[str, Any]:
    """What was sealed and written as JSON.

    Raises:
        ValueError: it is not JSON, no dictionary, or not what was written; says which.
    """
    stored = parse(text)
    if stored.pop(CHECKSUM, None) != _checksum(stored):
        raise ValueError("its checksum does not fit what it holds")
    return stored


def parse(text: str | bytes) -> dict[str, Any]:
    """A JSON dictionary, whatever it is that is damaged.

    Raises:
        ValueError: it is not JSON, or no dictionary.
    """
    try:
        stored = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}" if text.strip() else "it is empty") from None
    if not isinstance(stored, dict):
        raise ValueError("it holds no dictionary")
    return stored


def _checksum(value: Mapping[str, Any]) -> str:
    """Of the values as JSON gives them back: keys are texts, tuples are lists."""
    plain = json.loads(json.dumps({key: one for key, one in value.items() if key != CHECKSUM}))
    text = json.dumps(plain, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
