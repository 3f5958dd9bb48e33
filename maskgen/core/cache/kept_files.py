"""Small files of the cache folder: what takes long to make, made once for all starts.

A file's name tells apart all that its content depends on, and it holds a checksum: one that is cut or damaged is made
again. The files hold arrays; nothing in them is run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen._version import __version__
from maskgen.core.atomic_writes import remove_parts_of, write_atomic
from maskgen.core.cache.folder import cache_folder, remove_all_but_newest

MOST = 128  # files of one kind
CHECKSUM = 32  # bytes, before the content
ALIGNED = 64  # bytes; arrays begin at multiples of it


def kept_bytes(kind: str, about: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, from the cache if it was made before.

    Args:
        kind: a word that the file's name begins with; the newest MOST files of a kind are kept.
        about: tells apart all that the content depends on.
    """
    path = _path(kind, about)
    with contextlib.suppress(OSError, ValueError):  # none yet, or not whole
        return _read(path)
    data = make()
    _keep(path, kind, data)
    return data


def _path(kind: str, about: str) -> Path:
    return cache_folder() / f"{kind}-{hashlib.sha256(about.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _keep(path: Path, kind: str, data: bytes) -> None:
    """Write a file of the cache; not in a home that cannot be written."""
    with contextlib.suppress(OSError):
        added = not path.exists()
        write_atomic(path, hashlib.sha256(data).digest() + data)
        if added:
            remove_parts_of(path)  # a start may have been killed while it wrote this file
            remove_all_but_newest(f"{kind}-", MOST)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
            raise ValueError("another user's")
        checksum, data = file.read(CHECKSUM), file.read()
    if hashlib.sha256(data).digest() != checksum:
        raise ValueError("damaged")
    return data


def kept_arrays(
    kind: str, about: str | None, make: Callable[[], Mapping[str, NDArray[Any]]]
) -> Mapping[str, NDArray[Any]]:
    """As `kept_bytes`, of arrays by name, which nobody may change; made each time if `about` is None."""
    return make() if about is None else _unpacked(kept_bytes(kind, about, lambda: _packed(make())))


def kept_array(name: str, package: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """As `kept_arrays`, of one array, which depends on nothing but the build of one of this program's packages."""
    build = build_of(package)
    return kept_arrays("array", build and f"{name}\0{build}", lambda: {"array": make()})["array"]


def found_arrays(kind: str, about: str | None) -> Mapping[str, NDArray[Any]] | None:
    """Arrays that `keep_arrays` has kept; None if there are none, or not whole."""
    if about is not None:
        with contextlib.suppress(OSError, ValueError):
            return _unpacked(_read(_path(kind, about)))
    return None


def keep_arrays(kind: str, about: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Keep arrays for `found_arrays`, in place of earlier ones; without an error where nothing can be kept."""
    _keep(_path(kind, about), kind, _packed(arrays))


def _packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The names, types and shapes as a line of JSON, then each array."""
    about = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    parts = [_filled(json.dumps(about).encode() + b"\n")]
    parts += [_filled(array.tobytes()) for array in arrays.values()]
    return b"".join(parts)


def _filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNED)


def _unpacked(data: bytes) -> dict[str, NDArray[Any]]:
    end = data.index(b"\n") + 1
    found, at = {}, end + -end % ALIGNED
    for name, kind, shape in json.loads(data[:end]):
        count = math.prod(shape)
        found[name] = np.frombuffer(data, kind, count, at).reshape(shape)
        at += found[name].nbytes + -found[name].nbytes % ALIGNED
    return found


def build_of(*packages: str) -> str | None:
    """What tells apart the builds of some of this program's packages and of `maskgen.core`, which all use: versions,
    and sizes and times of their files; None where one is not in a folder."""
    states = [_state_of(package) for package in ("maskgen.core", *packages)]
    known = [state for state in states if state is not None]
    return "\0".join([__version__, np.__version__, cv2.__version__, *known]) if len(known) == len(states) else None


@cache
def _state_of(package: str) -> str | None:
    folder = resources.files(package)
    return files_state(folder) if isinstance(folder, Path) else None


def file_state(path: Path) -> str:
    """Name, size and time of change of a file.

    Raises:
        OSError: there is none.
    """
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def files_state(folder: Path) -> str:
    """Names, sizes and times of change of the files at any depth of a folder, but compiled modules."""
    found = []
    for within, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        for name in sorted(names):
            status = os.stat(os.path.join(within, name))  # noqa: PTH116, PTH118  a hundred Paths cost a millisecond
            found.append(f"{os.path.relpath(within, folder)}/{name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join([str(folder), *found])
