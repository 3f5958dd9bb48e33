"""A command's settings as the command line that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from maskgen.formats.any_path import RemotePath

from .checks import option_name, show_path

Spell = Callable[[Any], Sequence[str]]


def command_line(
    command: str,
    settings: Any,
    places: Sequence[str],
    leave_out: frozenset[str] = frozenset(),
    spelled: Mapping[str, Spell] | None = None,
    always: Sequence[str] = ("seed",),
) -> str:
    """The command line: the command, its arguments, and each option that is not at its default.

    Args:
        settings: a dataclass whose fields are named as the options.
        places: the fields that are arguments, in order.
        leave_out: fields that do not change the output.
        spelled: how a field becomes words where the general rule does not fit.
        always: options that are included even at their default.
    """
    words = ["maskgen", command, *(_text(getattr(settings, name)) for name in places)]
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.name in places or one.name in leave_out or (value == _default(one) and one.name not in always):
            continue
        spell = (spelled or {}).get(one.name)
        words += spell(value) if spell else _option(option_name(one.name), value)
    return " ".join(shlex.quote(word) for word in words)


def _default(one: Any) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _option(name: str, value: Any) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [name]
    return [name, ",".join(map(_text, value)) if isinstance(value, tuple) else _text(value)]


def repeated(option: str) -> Spell:
    """An option that is repeated for each value."""
    return lambda values: [word for value in values for word in (option, _text(value))]


def _text(value: Any) -> str:
    if isinstance(value, (Path, RemotePath)):
        return show_path(value.absolute())
    return repr(value) if isinstance(value, float) else str(value)
