"""Embeddings of a list's pictures by a frozen recogniser (features), cached in the run folder.

Each cache file holds a thousand pictures and is named after the recogniser and the bytes of the pictures. So existing
files are used, and changed pictures are embedded again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import decode
from maskgen.core.reasons import SetAsideError, UserError, counted
from maskgen.formats.any_path import AnyPath
from maskgen.formats.reading import read_bytes

from ..reports.progress import EMBEDDED, show_progress

if TYPE_CHECKING:
    from maskgen.embedders.base import FaceEmbedder

EACH = 1000  # pictures per file
_AT_ONCE = 50  # pictures per batch
_DIGEST = 16  # bytes of a file's checksum

Floats = NDArray[np.float32]
Open = Callable[[str], "FaceEmbedder"]


@cache
def open_recogniser(name: str) -> FaceEmbedder:
    """The recogniser, one per process.

    Raises:
        UserError: it is not installed.
    """
    from maskgen.embedders.by_name import open_embedder

    return open_embedder(name)


def features_of(
    folder: Path, root: AnyPath, addresses: Any, name: str, workers: int, recogniser: Open = open_recogniser
) -> Floats:
    """Features of pictures, float32 (n, d), NaN where one cannot be read.

    Args:
        folder: of the cache.
        addresses: large_string (n,).
        workers: processes that compute.

    Raises:
        UserError: the recogniser is not installed, or no picture can be read.
    """
    recogniser(name)  # a missing package is reported before processes start
    folder.mkdir(parents=True, exist_ok=True)
    parts = [addresses.slice(at, EACH).to_pylist() for at in range(0, len(addresses), EACH)]
    found: list[Floats] = []
    with show_progress(len(addresses), 0, 0, EMBEDDED) as progress:
        for part in _computed(folder, root, parts, name, workers, recogniser):
            found.append(part)
            progress.add(len(part), int(np.isnan(part[:, 0]).sum()))
    values = np.concatenate(found)
    if np.isnan(values[:, 0]).all():
        pictures = counted(len(values), "picture")
        raise UserError(f"None of {pictures} can be read, such as {addresses[0].as_py()}: check --data.")
    return values


def _computed(
    folder: Path, root: AnyPath, parts: Sequence[list[str]], name: str, workers: int, recogniser: Open
) -> Iterator[Floats]:
    if workers < 2 or len(parts) < 2:
        return (_part(folder, root, part, name, recogniser) for part in parts)
    pool: Any = Parallel(n_jobs=min(workers, len(parts)), return_as="generator")
    return pool(delayed(_part)(folder, root, part, name, recogniser) for part in parts)


def _part(folder: Path, root: AnyPath, addresses: list[str], name: str, recogniser: Open) -> Floats:
    """The features of some pictures, from their cache file if it exists."""
    data = [_bytes(root, address) for address in addresses]
    path = folder / f"{name}-{_digest(data)}.npy"
    if (kept := _kept(path)) is not None:
        return kept
    embedder = recogniser(name)
    values = np.full((len(data), embedder.dim), np.nan, np.float32)
    for at in range(0, len(data), _AT_ONCE):
        images = {at + n: image for n, one in enumerate(data[at : at + _AT_ONCE]) if (image := _image(one)) is not None}
        if images:
            values[list(images)] = embedder.embed(list(images.values()))
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    write_atomic(path, file.getvalue() + _checksum(file.getvalue()))
    return values


def _kept(path: Path) -> Floats | None:
    """The features of a cache file (NumPy's format and a checksum); None if it is missing or damaged."""
    data = path.read_bytes() if path.is_file() else b""
    whole, checksum = data[:-_DIGEST], data[-_DIGEST:]
    if not whole or _checksum(whole) != checksum:
        return None
    kept: Floats = np.load(io.BytesIO(whole), allow_pickle=False)
    return kept


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


def _bytes(root: AnyPath, address: str) -> bytes:
    try:
        return read_bytes(root, address)
    except (SetAsideError, OSError):
        return b""  # reported by name when the row is requested


def _image(data: bytes) -> Any:
    try:
        return decode(data)
    except SetAsideError:
        return None


def _digest(data: Sequence[bytes]) -> str:
    whole = hashlib.sha256()
    for one in data:
        whole.update(hashlib.sha256(one).digest())
    return whole.hexdigest()[:32]
