"""InsightFace's .bin: a pickle of encoded pictures, two per pair, and whether each pair is genuine.

A pickle can run code. The reader executes nothing: every global name is looked up in a short list of stand-ins of this
module, which only hold bytes, and any other name is refused.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from math import prod
from typing import Any

from maskgen.core.reasons import counted

from .any_path import AnyPath
from .faults import ContainerError

_BYTES = frozenset({"u1", "|u1", "i1", "|i1"})
_TRUTHS = frozenset({"b1", "|b1", "?"})
# Exceptions of pickle on a file that is damaged or not a pickle.
_BROKEN: tuple[type[Exception], ...]
_BROKEN = (EOFError, TypeError, AttributeError, LookupError, MemoryError, OverflowError, RecursionError, ValueError)
_BROKEN += (pickle.UnpicklingError,)


class _RefusedError(pickle.UnpicklingError):
    """A valid pickle with content that no verification set needs."""


def load_bin(path: AnyPath) -> tuple[list[bytes], list[bool]]:
    """Read an untrusted .bin: encoded pictures, two per pair, and whether each pair is genuine.

    Raises:
        ContainerError: it has anything but bytes, lists and NumPy arrays of bytes, or is not a .bin.
    """
    data = path.read_bytes()
    try:
        for _ in pickletools.genops(data):  # refuses a length beyond the file, at which Python may print
            pass
        loaded = _Reader(io.BytesIO(data), encoding="bytes").load()
        pictures, same = loaded
        encoded, truths = [_as_bytes(one) for one in pictures], _as_truths(same)
    except _RefusedError as error:
        raise ContainerError(str(error)) from error
    except _BROKEN as error:
        raise ContainerError("it is not pictures and labels") from error
    if len(encoded) != 2 * len(truths):
        raise ContainerError(f"it holds {counted(len(encoded), 'picture')} for {counted(len(truths), 'pair')}")
    return encoded, truths


class _Dtype:
    """Stands in for numpy.dtype: only its name is kept."""

    def __init__(self, name: Any = "", *_: Any) -> None:
        self.name = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)

    def __setstate__(self, state: Any) -> None:
        """Ignored: byte order and alignment do not matter for single bytes."""


class _Array:
    """Stands in for numpy.ndarray of bytes or truth values."""

    def __init__(self) -> None:
        self.data = b""
        self.truths = False

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, _, data = state
        self.fill(data, dtype, shape)

    def fill(self, data: Any, dtype: Any, shape: Any) -> None:
        """Take the array's bytes.

        Raises:
            _RefusedError: its elements are not single bytes, or their number is wrong.
        """
        name = dtype.name if isinstance(dtype, _Dtype) else "?"
        plain = isinstance(data, (bytes, bytearray))
        if name not in _BYTES | _TRUTHS or not plain or prod(shape) != len(data):
            raise _RefusedError(f"it holds an array that is not of bytes ({name})")
        self.data = bytes(data)
        self.truths = name in _TRUTHS


def _new_array(*_: Any) -> _Array:
    return _Array()


def _from_buffer(data: Any, dtype: Any, shape: Any, *_: Any) -> _Array:
    """How pickle's protocol 5 writes an array."""
    array = _Array()
    array.fill(data, dtype, shape)
    return array


def _scalar(dtype: Any, data: Any) -> bool:
    if not isinstance(dtype, _Dtype) or dtype.name not in _TRUTHS or not isinstance(data, bytes):
        raise _RefusedError("it holds a number that is not a truth value")
    return data != b"\0"


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How Python 3 writes bytes for Python 2."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1", "latin-1", b"latin-1"):
        raise _RefusedError("it asks for a codec")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): bytes,
    ("__builtin__", "bytes"): bytes,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _new_array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
}


class _Reader(pickle.Unpickler):
    """An unpickler that allows only the names above."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The stand-in of a name.

        Raises:
            _RefusedError: the name is not allowed.
        """
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise _RefusedError(f"it asks for {module_name}.{global_name}") from None


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, _Array) and not value.truths:
        return value.data
    if isinstance(value, bytes):
        return value
    raise _RefusedError(f"it holds a {type(value).__name__} where a picture should be")


def _as_truths(values: Any) -> list[bool]:
    if isinstance(values, _Array):
        return [byte != 0 for byte in values.data]
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, (bool, int)) for value in values):
        raise _RefusedError("its labels are not truth values")
    return [bool(value) for value in values]
