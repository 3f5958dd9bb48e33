"""Test pairs that name images by path (`test.csv`, `pairs_label.txt`), resolved on the images of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.formats.any_path import AnyPath, is_remote

from .catalogue import Images
from .formats.label_pairs import is_label_pairs
from .formats.lfw_pairs import PairsMade, Resolved
from .lists import PairLists
from .schema import PAIR_COLUMNS, Ints
from .write import PathWriter


def lists_image_paths(path: Path) -> bool:
    """Whether a file of pairs names images by path, from its first line; `pairs.txt` has people and numbers."""
    if is_label_pairs(path):
        return True
    try:
        with path.open(encoding="utf-8-sig") as file:
            titles = file.readline()
    except (OSError, UnicodeDecodeError):
        return False
    return all(name in titles for name in PAIR_COLUMNS)


def resolve_image_paths(
    images: Images, folders: Mapping[str, AnyPath], listed: PairLists, allow_same_source: bool
) -> Resolved:
    """The pairs of such a file on these images, in their order within genuine and impostor pairs, each once.

    Args:
        folders: of the runs, by name.
        listed: the one file.
    """
    ((name, pairs),) = listed.pairs.items()
    rows, same = _rows_of(images, folders, listed)[pairs], listed.same(name)
    made = PairsMade(images, allow_same_source)
    left_out: list[tuple[str, str]] = []
    texts = listed.addresses
    for place, (row, are_one, names) in enumerate(zip(rows.tolist(), same.tolist(), pairs.tolist(), strict=True), 1):
        first, second = (texts[at].as_py() for at in names)
        try:
            for at, name in zip(row, (first, second), strict=True):
                if at < 0:
                    raise LookupError(f"the runs have no image {name}")
            if are_one != bool(images.person[row[0]] == images.person[row[1]]):
                raise LookupError(f"the runs say they are {'two people' if are_one else 'one person'}")
            made.add(row[0], row[1], are_one)
        except LookupError as error:
            left_out.append((f"pair {place}: {first}\t{second}", str(error.args[0])))
    return Resolved(made.drawn(), tuple(left_out))


def _rows_of(images: Images, folders: Mapping[str, AnyPath], listed: PairLists) -> Ints:
    """The row of each address, -1 if the runs lack the image, int64 (k,)."""
    prefixes = {name: PathWriter.prefix(run, listed.root, absolute=True) for name, run in folders.items()}
    every = _in_one(PathWriter(images, prefixes)(np.arange(len(images))))
    root = listed.root.resolve()
    wanted = [_whole(address, root) for address in listed.addresses.to_pylist()]
    found = pc.index_in(pa.array(wanted, pa.large_string()), value_set=every)
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)


def _whole(address: str, root: Path) -> str:
    """An address without "..", from the root of the file system or of a store."""
    return address if is_remote(address) else Path(os.path.normpath(root / address)).as_posix()


def _in_one(column: Any) -> Any:
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
