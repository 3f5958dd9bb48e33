"""Checks that the pictures of a manifest exist and decode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.reasons import SetAsideError
from maskgen.formats.any_path import AnyPath
from maskgen.formats.reading import names_in, read_photo

from ..schema import Bools

MISSING = "missing"


def absent(root: AnyPath, paths: Any) -> Bools:
    """True where a picture is missing, bool (n,).

    Each folder is listed once, which is many times faster than a system call per file, especially on a network.

    Args:
        root: base of relative paths.
        paths: large_string (n,), addresses for `formats.reading`, `/` between folders.
    """
    parted = pc.extract_regex(paths, r"(?s)^(?P<folder>.*/|)(?P<name>[^/]*)$")
    folders = parted.field("folder").dictionary_encode()
    names = parted.field("name").to_pylist()
    listings = [names_in(root, folder) for folder in folders.dictionary.to_pylist()]
    codes = folders.indices.to_pylist()
    return np.fromiter((n not in listings[c] for n, c in zip(names, codes, strict=True)), np.bool_, len(names))


def fault(root: AnyPath, address: str) -> str:
    """Why a picture cannot be decoded, "" if it can."""
    try:
        read_photo(root, address, max_pixels=2**31)
    except SetAsideError as error:
        return str(error)
    return ""


def as_array(texts: Iterable[str]) -> Any:
    """Strings as a large_string array."""
    return pa.array(list(texts), pa.large_string())
