"""Settings as frozen dataclasses: made from plain dictionaries and typed text; messages for faults name their place.

A field's metadata holds its permitted values (`one_of`, `low`, `high`, `above`), next to the setting itself.
"""

from __future__ import annotations

import difflib
import math
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, field, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from maskgen.core.reasons import UserError

T = TypeVar("T")

_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxother, _short.maxlong = 3, 60, 60, 60


def choice(default: str, *names: str) -> Any:
    """A field that is one of these names."""
    return field(default=default, metadata={"one_of": names})


MOST = 10**9  # largest whole number of a setting without its own bound


def number(default: float, low: float = 0.0, high: float = math.inf, above: bool = False) -> Any:
    """A number from `low` (larger, if `above`) to `high`; the default `high` of whole numbers is `MOST`."""
    if isinstance(default, int) and high == math.inf:
        high = MOST
    return field(default=default, metadata={"low": low, "high": high, "above": above})


def read_settings(kind: type[T], values: Any, where: str, prefix: str) -> T:
    """A dataclass of settings from the dictionary of a file; missing settings have their defaults.

    Args:
        where: the file, for the messages.
        prefix: the section with a dot at its end, "loss.".

    Raises:
        UserError: an unknown key, a wrong type, a value outside its range.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{where}: {prefix.rstrip('.')} must be a section of settings, not {shortened(values)}.")
    types = _types(kind)
    known = _fields(kind)
    refuse_unknown(values, known, where, prefix)
    given = {key: read_value(types[key], known[key], value, where, prefix + key) for key, value in values.items()}
    for key, one in known.items():
        if key not in given and one.default is MISSING and one.default_factory is MISSING:
            raise UserError(f"{where}: {prefix}{key} is missing.")
    return kind(**given)


def refuse_unknown(names: Iterable[Any], known: Iterable[str], where: str, prefix: str = "") -> None:
    """Raise a UserError for the first unknown name, with the nearest known one."""
    known = list(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"there are {', '.join(known)}."
            raise UserError(f"{where}: there is no setting {prefix}{name}: {hint}")


def read_value(kind: Any, one: Field[Any], value: Any, where: str, key: str) -> Any:
    """A value converted to its field's type, and checked."""
    try:
        made = _convert(kind, value)
    except (TypeError, ValueError):
        raise UserError(f"{where}: {key} must be {_wanted(kind)}, not {shortened(value)}.") from None
    _check(one, made, where, key)
    return made


def parse_text(kind: type, key: str, text: str) -> Any:
    """The user's text for a field of this dataclass, as a plain value for `read_value`."""
    wanted = _types(kind)[key]
    if wanted is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if get_origin(wanted) is tuple:
        inside = text.strip().removeprefix("[").removesuffix("]")
        return [part.strip() for part in inside.split(",") if part.strip()]
    return text


def shortened(value: Any) -> str:
    """A value as a text of at most 60 characters, for a message."""
    text = _short.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _fields(kind: Any) -> dict[str, Field[Any]]:
    return {one.name: one for one in fields(kind)}


def _convert(kind: Any, value: Any) -> Any:
    if get_origin(kind) is tuple:
        return _convert_tuple(get_args(kind), value)
    if kind is bool or isinstance(value, bool):
        if kind is bool and isinstance(value, bool):
            return value
        raise TypeError
    if kind is str and isinstance(value, str):
        return value
    if kind is int and isinstance(value, int | str):
        return int(value)
    if kind is float and isinstance(value, int | float | str):  # YAML 1.1 reads 5e-4 as text
        return _float(value)
    raise TypeError


def _float(value: float | str) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        raise ValueError from None


def _convert_tuple(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError
    if kinds[-1] is Ellipsis:
        return tuple(_convert(kinds[0], one) for one in value)
    return tuple(_convert(one, part) for one, part in zip(kinds, value, strict=True))


def _wanted(kind: Any) -> str:
    if get_origin(kind) is tuple:
        args = get_args(kind)
        many = "a list of" if args[-1] is Ellipsis else f"a list of {len(args)}"
        return f"{many} {_PLURAL[args[0]]}"
    return _NAMES[kind]


_NAMES = {bool: "true or false", str: "text", int: "a whole number", float: "a number"}
_PLURAL = {str: "texts", int: "whole numbers", float: "numbers"}


def _check(one: Field[Any], value: Any, where: str, key: str) -> None:
    names = one.metadata.get("one_of")
    if names and value not in names:
        near = difflib.get_close_matches(str(value), names, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UserError(f"{where}: {key} must be {_either(names)}, not {shortened(value)}{hint}.")
    for part in value if isinstance(value, tuple) else (value,):
        _check_number(one.metadata, part, where, key)


def _check_number(rules: Mapping[str, Any], value: Any, where: str, key: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}: {key} must be finite, not {value}.")
    if "low" not in rules:
        return
    low, high = rules["low"], rules["high"]
    if value < low or value > high or (rules["above"] and value == low):
        least = f"above {low:g}" if rules["above"] else f"at least {low:g}"
        most = "" if high == math.inf else f" and at most {high if isinstance(high, int) else f'{high:g}'}"
        raise UserError(f"{where}: {key} must be {least}{most}, not {shortened(value)}.")


def _either(names: tuple[str, ...]) -> str:
    quoted = [name or '""' for name in names]
    return ", ".join(quoted[:-1]) + " or " + quoted[-1]
