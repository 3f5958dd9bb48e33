"""Reading lists of pictures and pairs, for evaluation and embedding."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.reasons import UserError, why_unreadable

from .csv_table import read_csv
from .formats.label_pairs import is_label_pairs, load_label_pairs
from .schema import IMAGE_COLUMNS, PAIR_COLUMNS, UNFINISHED, Bools, Ints

_WHOLE = r"^[0-9]{1,18}$"


@dataclass(frozen=True, slots=True)
class ImageList:
    """A list of pictures.

    Attributes:
        root: base of relative addresses: the list's folder.
        addresses: large_string (n,), for `formats.reading`, in the list's order.
        columns: every column of the list as text, large_string (n,) by name; `path` is among them.
    """

    root: Path
    addresses: Any
    columns: Mapping[str, Any]

    def numbers(self, column: str) -> Ints:
        """A column of whole numbers from 0, int64 (n,).

        Raises:
            UserError: the list has no such column, or it has other values.
        """
        if column not in self.columns:
            raise UserError(f"The list in {self.root} has no column {column}.")
        return _whole_numbers(self.columns[column], f"column {column} of the list in {self.root}")


@dataclass(frozen=True, slots=True)
class PairLists:
    """Lists of pairs over one table of pictures, so that each picture is embedded once.

    Attributes:
        root: base of relative addresses: the lists' folder.
        addresses: large_string (k,), each picture once.
        pairs: for each list by its file's name, int64 (n, 2) rows of `addresses`.
        people: their people, int64 (n, 2) by the list's name.
        named: for each list by its name, whether it names its people. If not, pictures that its genuine pairs connect
            count as one person, and one person may count as several: `people` tells nothing but the pairs of the list.
    """

    root: Path
    addresses: Any
    pairs: Mapping[str, Ints]
    people: Mapping[str, Ints]
    named: Mapping[str, bool]

    def same(self, name: str) -> Bools:
        """True for genuine pairs, bool (n,)."""
        first, second = self.people[name].T
        return np.asarray(first == second, np.bool_)


def read_image_list(path: Path) -> ImageList:
    """Read a CSV file with a column `path`; other columns are optional.

    Raises:
        UserError: it cannot be read, has no such column, or is one of lists that are unfinished.
    """
    refuse_unfinished(path.parent)
    columns = read_columns(path, IMAGE_COLUMNS[:1])
    return ImageList(path.parent, columns["path"], columns)


def read_pair_lists(paths: Sequence[Path]) -> PairLists:
    """Read files of pairs in one folder: `path,target,pair_path,pair_target`, or two paths and 1 or 0 (`label_pairs`).

    Raises:
        UserError: one cannot be read, lacks a column, has an invalid target, or is one of lists that are unfinished.
    """
    for path in paths:
        refuse_unfinished(path.parent)
    tables = {path.name: _pair_columns(path) for path in paths}
    flat = [table[column] for table in tables.values() for column in PAIR_COLUMNS[::2]]
    encoded = pa.concat_arrays(flat).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    pairs, people, at = {}, {}, 0
    for path in paths:
        table, n = tables[path.name], len(tables[path.name]["path"])
        pairs[path.name] = np.stack([codes[at : at + n], codes[at + n : at + 2 * n]], axis=1)
        whose = [_whole_numbers(table[column], f"column {column} of {path}") for column in PAIR_COLUMNS[1::2]]
        people[path.name] = np.stack(whose, axis=1)
        at += 2 * n
    named = {path.name: not is_label_pairs(path) for path in paths}
    return PairLists(paths[0].parent, encoded.dictionary.cast(pa.large_string()), pairs, people, named)


def _pair_columns(path: Path) -> Mapping[str, Any]:
    """The four columns of a file of pairs."""
    if not is_label_pairs(path):
        return read_columns(path, PAIR_COLUMNS)
    first, second, people = load_label_pairs(path)
    targets = [pa.array(side.tolist(), pa.int64()).cast(pa.large_string()) for side in people.T]
    paths = [pa.array(side, pa.large_string()) for side in (first, second)]
    return dict(zip(PAIR_COLUMNS, (paths[0], targets[0], paths[1], targets[1]), strict=True))


def read_columns(path: Path, wanted: Sequence[str]) -> Mapping[str, Any]:
    """Every column of a CSV file as text, the wanted ones among them.

    Raises:
        UserError: it cannot be read, lacks one of these columns, or has rows of other lengths.
    """
    try:
        found = read_csv(path)
    except FileNotFoundError:
        raise UserError(f"{path} is not there: give a list that `maskgen pairs` or `maskgen gallery` wrote.") from None
    except (ValueError, OSError) as fault:
        raise UserError(f"{path} cannot be read: {why_unreadable(fault)}.") from None
    require_columns(path, found.columns, wanted)
    if found.n_ragged:
        raise UserError(f"{path}: {found.ragged[0]}; `maskgen pairs --check` says more.")
    return found.columns


def refuse_unfinished(folder: Path) -> None:
    """Raise UserError where `maskgen pairs` writes the lists of a folder, or was interrupted: each file is whole, and
    others are missing."""
    if (folder / UNFINISHED).exists():
        raise UserError(
            f"{folder} holds lists that were not written to the end: wait for `maskgen pairs`, or repeat the command "
            "that writes them."
        )


def require_columns(path: Path, there: Collection[str], wanted: Sequence[str]) -> None:
    """Raise UserError where a list lacks one of these columns."""
    if missing := [name for name in wanted if name not in there]:
        raise UserError(f"{path} has no column {missing[0]}: it should have {', '.join(wanted)}.")


def _whole_numbers(texts: Any, what: str) -> Ints:
    good = pc.match_substring_regex(texts, _WHOLE)
    if not pc.all(good, min_count=0).as_py():
        wrong = texts.filter(pc.invert(good))[0].as_py()
        raise UserError(f"The {what} holds {wrong!r}: it should hold whole numbers from 0.")
    return np.asarray(texts.cast(pa.int64()).to_numpy(), np.int64)
