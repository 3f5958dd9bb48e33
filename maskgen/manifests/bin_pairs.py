"""InsightFace's .bin: a pickle of encoded pictures, two a pair, and whether each pair is one person.

A pickle is a program. The reader runs none of it: every name it asks for is looked up in a short list of
stand-ins of this module, which hold bytes and nothing else, and any other name is refused.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskgen.core.images import encode_image, read_photo
from maskgen.core.reasons import SetAsideError, UserError

from .catalogue import Images
from .schema import Pairs
from .table import whole_file

_BYTES = frozenset({"u1", "|u1", "i1", "|i1"})
_TRUTHS = frozenset({"b1", "|b1", "?"})


def save_bin(path: Path, pictures: Iterable[bytes], same: Sequence[bool]) -> None:
    """Write a .bin that InsightFace's and other loaders of the format read.

    Args:
        pictures: encoded pictures, first and second of each pair in turn.
        same: whether each pair is one person.

    Raises:
        ValueError: there are not two pictures a pair.
    """
    encoded = list(pictures)
    if len(encoded) != 2 * len(same):
        raise ValueError(f"{len(encoded)} pictures for {len(same)} pairs")
    with whole_file(path) as file:
        pickle.dump((encoded, [bool(value) for value in same]), file, protocol=4)


def load_bin(path: Path) -> tuple[list[bytes], list[bool]]:
    """Encoded pictures, two a pair, and whether each pair is one person, of anybody's .bin.

    Raises:
        ValueError: it asks for anything but bytes, lists and numpy's arrays of bytes, or is not such a file.
    """
    try:
        loaded = _Reader(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        pictures, same = loaded
        encoded, truths = [_as_bytes(one) for one in pictures], _as_truths(same)
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from error
    except (EOFError, TypeError, AttributeError, IndexError, KeyError, MemoryError, OverflowError) as error:
        raise ValueError(f"it is not pictures and labels ({type(error).__name__}: {error})") from error
    if len(encoded) != 2 * len(truths):
        raise ValueError(f"it holds {len(encoded)} pictures for {len(truths)} pairs")
    return encoded, truths


def encoded_pictures(images: Images, pairs: Pairs, folders: Sequence[Path], size: int) -> Iterator[bytes]:
    """The pictures of the pairs for `save_bin`: JPEGs of size x size as they are, others decoded and resized.

    Args:
        folders: the run folder of each person of `images`.

    Raises:
        UserError: a picture does not decode or is not square.
    """
    for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        for row in (first, second):
            yield _fitting(folders[int(images.person[row])] / images.paths[row].as_py(), size)


def _fitting(path: Path, size: int) -> bytes:
    try:
        image = read_photo(path, max_pixels=2**31).image
    except SetAsideError as error:
        raise UserError(f"{path} does not decode ({error}): mask again, or leave out --also bin.") from error
    height, width = image.shape[:2]
    if height != width:
        raise UserError(f"test.bin holds square faces and {path} is {width}x{height}: mask with --crop face.")
    data = path.read_bytes()
    if height == size and data[:2] == b"\xff\xd8":
        return data
    way = cv2.INTER_AREA if height > size else cv2.INTER_CUBIC
    return encode_image(np.asarray(cv2.resize(image, (size, size), interpolation=way), np.uint8), "jpg", 95)


class _Dtype:
    """Stands in for numpy.dtype: only its name is kept."""

    def __init__(self, name: Any = "", *_: Any) -> None:
        self.name = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment do not matter for single bytes."""


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
            pickle.UnpicklingError: its members are no single bytes, or it has not as many as it says.
        """
        name = dtype.name if isinstance(dtype, _Dtype) else "?"
        plain = isinstance(data, (bytes, bytearray))
        if name not in _BYTES | _TRUTHS or not plain or prod(shape) != len(data):
            raise pickle.UnpicklingError(f"it holds an array that is not of bytes ({name})")
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
        raise pickle.UnpicklingError("it holds a number that is not a truth value")
    return data != b"\0"


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How Python 3 writes bytes for Python 2."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1", "latin-1", b"latin-1"):
        raise pickle.UnpicklingError("it asks for a codec")
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
    """An unpickler that knows the names above and no others."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The stand-in of a name.

        Raises:
            pickle.UnpicklingError: there is none.
        """
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}") from None


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, _Array) and not value.truths:
        return value.data
    if isinstance(value, bytes):
        return value
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__} where a picture should be")


def _as_truths(values: Any) -> list[bool]:
    if isinstance(values, _Array):
        return [byte != 0 for byte in values.data]
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, (bool, int)) for value in values):
        raise pickle.UnpicklingError("its labels are not truth values")
    return [bool(value) for value in values]
