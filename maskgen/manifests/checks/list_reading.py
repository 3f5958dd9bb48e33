"""Reading of lists for the checks: rows become numbers batch by batch, and the texts of all paths one column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.reasons import UserError

from ..columns.texts import GrowingTexts
from ..csv_table import CsvBatches
from ..formats.label_pairs import is_label_pairs, load_label_pairs
from ..schema import EVAL_DIFF, EVAL_SAME, IMAGE_COLUMNS, PAIR_COLUMNS, PEOPLE, TEST, TRAIN, Bools, Ints
from .findings import EXAMPLES, Finding

_WRITTEN = (TRAIN, EVAL_SAME, EVAL_DIFF, TEST, PEOPLE)


@dataclass(frozen=True, slots=True)
class ReadList:
    """One file: `places` of its paths among the texts of all files, and its `targets`.

    Both are int64 (n, 1) for images and (n, 2) for pairs; `rows` also counts those that were left out for a fault.
    `named` is False where targets are not of people, but equal for genuine pairs alone.
    """

    name: str
    rows: int
    places: Ints
    targets: Ints
    named: bool = True


@dataclass(slots=True)
class _Faults:
    """Rows with a fault: their number, and the first of them."""

    check: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, bad: Bools, before: int, paths: Any) -> None:
        """Count the rows of a batch that are bad, which follows on `before` other rows."""
        rows = np.flatnonzero(bad)
        self.count += len(rows)
        wanted = rows[: EXAMPLES - len(self.examples)].tolist()
        self.examples += [f"row {before + row + 1}: {paths[row].as_py()}" for row in wanted]

    def finding(self, name: str) -> Finding:
        return Finding(name, self.check, self.count, tuple(self.examples))


class ListsReader:
    """Reads lists; rows without a path or with an invalid target are reported and left out.

    Attributes:
        paths: of the good rows of all lists.
        lists: what was read of each.
    """

    def __init__(self) -> None:
        self.paths = GrowingTexts()
        self.lists: list[ReadList] = []

    def read(self, path: Path, asked: bool = False) -> list[Finding]:
        """Read a file, and return what was found; a file that is not a list is left out.

        Args:
            asked: the user named the file, so it is a fault if it is not a list.
        """
        if is_label_pairs(path):
            return self._read_labelled(path)
        faults = (_Faults("targets that are not whole numbers from 0"), _Faults("rows without a path"))
        try:
            batches = CsvBatches(path)
            names, lacking = _columns(batches.columns)
            rows, parts = 0, []
            for batch in batches:
                if not lacking:
                    parts.append(self._part(batch, names, rows, faults))
                rows += len(batch)
        except (ValueError, OSError) as error:
            return [Finding(path.name, "no CSV file", 1, (str(error),))]
        if lacking:
            what, have = f"not a list: no column {' and '.join(lacking)}", ",".join(batches.columns)[:60]
            is_fault = asked or names == PAIR_COLUMNS or path.name in _WRITTEN
            return [Finding(path.name, what, 1, (have,), fault=is_fault)]
        none = np.empty((2, 0, len(names) // 2), np.int64)
        places, targets = np.concatenate([none, *parts], axis=1)
        self.lists.append(ReadList(path.name, rows, places, targets))
        return [*_shape(path.name, batches), *(one.finding(path.name) for one in faults)]

    def _read_labelled(self, path: Path) -> list[Finding]:
        """As `read`, of two paths and a label in each line."""
        try:
            first, second, targets = load_label_pairs(path)
        except UserError as error:
            return [Finding(path.name, "no list of pairs", 1, (str(error),))]
        n, before = len(first), len(self.paths)
        for side in (first, second):
            self.paths.add(pa.array(side, pa.large_string()))
        places = before + np.stack([np.arange(n), np.arange(n, 2 * n)], axis=1)
        self.lists.append(ReadList(path.name, n, places, targets, named=False))
        return []

    def _part(self, batch: Any, names: Sequence[str], before: int, faults: tuple[_Faults, _Faults]) -> Ints:
        """The places and targets of a batch's good rows, int64 (2, n, sides)."""
        paths, marks = [batch[name] for name in names[::2]], [batch[name] for name in names[1::2]]
        whole = np.all([_bools(pc.match_substring_regex(mark, r"^[0-9]{1,18}$")) for mark in marks], axis=0)
        named = np.all([_bools(pc.not_equal(path, "")) for path in paths], axis=0)
        faults[0].add(~whole, before, paths[0])
        faults[1].add(~named, before, paths[0])
        good = pa.array(whole & named)
        targets = np.stack([mark.filter(good).cast(pa.int64()).to_numpy() for mark in marks], axis=1)
        places = np.empty_like(targets)
        for side, texts in enumerate(paths):
            places[:, side] = np.arange(len(self.paths), len(self.paths) + len(targets))
            self.paths.add(texts.filter(good))
        return np.stack([places, targets])


def _columns(columns: Sequence[str]) -> tuple[Sequence[str], list[str]]:
    """The columns that a list of this kind has, and those that are lacking."""
    # One column of the second picture is enough to mark a list of pairs.
    names = PAIR_COLUMNS if set(PAIR_COLUMNS[2:]) & set(columns) else IMAGE_COLUMNS
    return names, [name for name in names if name not in columns]


def _shape(name: str, batches: CsvBatches) -> list[Finding]:
    found = [Finding(name, "rows with too many or too few values", batches.n_ragged, batches.ragged)]
    if more := [column for column in batches.columns if column not in PAIR_COLUMNS]:
        found.append(Finding(name, "columns of no list", len(more), tuple(more[:EXAMPLES]), fault=False))
    return found


def _bools(values: Any) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), np.bool_)
