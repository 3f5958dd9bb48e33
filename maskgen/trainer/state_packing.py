"""Serialises nested states of optimizers and schedules as JSON and a dictionary of tensors, and back."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

_MARK = "::"  # prefix of a key that encodes the type of the value


def pack(value: Any, tensors: dict[str, Tensor], name: str) -> Any:
    """A JSON value for a state; its tensors are added to `tensors` under names that start with `name`.

    Supported are None, bools, numbers, strings, lists, tuples, dictionaries with string or integer keys, and tensors.

    Raises:
        TypeError: anything else.
    """
    if isinstance(value, Tensor):
        tensors[name] = value
        return {_MARK + "tensor": name}
    if isinstance(value, float) and not math.isfinite(value):
        return {_MARK + "float": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [pack(one, tensors, f"{name}.{place}") for place, one in enumerate(value)]
    if isinstance(value, tuple):
        return {_MARK + "tuple": pack(list(value), tensors, name)}
    if isinstance(value, dict):
        return _pack_dict(value, tensors, name)
    raise TypeError(f"{name} is a {type(value).__name__}, which a checkpoint cannot hold")


def _pack_dict(value: dict[Any, Any], tensors: dict[str, Tensor], name: str) -> Any:
    if all(isinstance(key, str) and not key.startswith(_MARK) for key in value):
        return {key: pack(one, tensors, f"{name}.{key}") for key, one in value.items()}
    if not all(type(key) in (int, str) for key in value):
        raise TypeError(f"{name} has keys that are neither strings nor integers")
    return {_MARK + "items": [[key, pack(one, tensors, f"{name}.{key}")] for key, one in value.items()]}


def unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of `pack`.

    Raises:
        KeyError: a tensor is missing.
    """
    if isinstance(value, list):
        return [unpack(one, tensors) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        key, inner = next(iter(value.items()))
        if key == _MARK + "tensor":
            return tensors[inner]
        if key == _MARK + "float":
            return float(inner)
        if key == _MARK + "tuple":
            return tuple(unpack(inner, tensors))
        if key == _MARK + "items":
            return {name: unpack(one, tensors) for name, one in inner}
    return {key: unpack(one, tensors) for key, one in value.items()}
