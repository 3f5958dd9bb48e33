"""Whether the files that a manifest names are there, and whether they are pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.reasons import SetAsideError

from .schema import Bools

MISSING = "missing"


def absent(root: Path, paths: Any) -> Bools:
    """True where there is no file, bool (n,).

    Each folder is listed once, which is many times faster than asking for each file, and most of all on a
    network.

    Args:
        root: what relative paths start from.
        paths: large_string (n,), relative or absolute, `/` between folders.
    """
    parted = pc.extract_regex(paths, r"(?s)^(?P<folder>.*/|)(?P<name>[^/]*)$")
    folders = parted.field("folder").dictionary_encode()
    names = parted.field("name").to_pylist()
    listings = [_files_in(root, folder) for folder in folders.dictionary.to_pylist()]
    codes = folders.indices.to_pylist()
    return np.fromiter((n not in listings[c] for n, c in zip(names, codes, strict=True)), np.bool_, len(names))


def _files_in(root: Path, folder: str) -> set[str]:
    try:
        with os.scandir(root / folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except OSError:
        return set()


def fault(path: Path) -> str:
    """Why the file cannot be decoded, "" where it can."""
    from maskgen.core.images import read_photo

    try:
        read_photo(path, max_pixels=2**31)
    except SetAsideError as error:
        return str(error)
    return ""


def as_array(texts: Iterable[str]) -> Any:
    """Texts as the kind of Arrow array that this package works on."""
    return pa.array(list(texts), pa.large_string())
