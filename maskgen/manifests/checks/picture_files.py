"""Whether the pictures that a manifest names are there, and whether they are pictures."""

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
    """True where there is no picture, bool (n,).

    Each folder is listed once, which is many times faster than asking for each file, and most of all on a
    network.

    Args:
        root: what relative paths start from.
        paths: large_string (n,), addresses as `formats.reading` knows them, `/` between folders.
    """
    parted = pc.extract_regex(paths, r"(?s)^(?P<folder>.*/|)(?P<name>[^/]*)$")
    folders = parted.field("folder").dictionary_encode()
    names = parted.field("name").to_pylist()
    listings = [names_in(root, folder) for folder in folders.dictionary.to_pylist()]
    codes = folders.indices.to_pylist()
    return np.fromiter((n not in listings[c] for n, c in zip(names, codes, strict=True)), np.bool_, len(names))


def fault(root: AnyPath, address: str) -> str:
    """Why a picture cannot be decoded, "" where it can."""
    try:
        read_photo(root, address, max_pixels=2**31)
    except SetAsideError as error:
        return str(error)
    return ""


def as_array(texts: Iterable[str]) -> Any:
    """Texts as the kind of Arrow array that this package works on."""
    return pa.array(list(texts), pa.large_string())
