"""Lists as integer codes: each path as its index among the distinct paths, each target as its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..csv_table import CsvText, read_csv
from ..schema import EVAL_DIFF, EVAL_SAME, IMAGE_COLUMNS, PAIR_COLUMNS, PEOPLE, TEST, TRAIN, Bools, Ints
from .findings import EXAMPLES, Finding

_WRITTEN = (TRAIN, EVAL_SAME, EVAL_DIFF, TEST, PEOPLE)


@dataclass(frozen=True, slots=True)
class CodedList:
    """One CSV file: codes of its paths among all paths, and its targets.

    `codes` and `targets` are int64 (rows, 1) for images and (rows, 2) for pairs.
    """

    name: str
    codes: Ints
    targets: Ints

    @property
    def is_pairs(self) -> bool:
        """Whether its rows are pairs."""
        return bool(self.codes.shape[1] == 2)

    @property
    def split(self) -> str:
        """The split: train, eval, test, or the file's own name."""
        stem = Path(self.name).stem.lower()
        return next((s for s in ("train", "eval", "test") if s in stem), "eval" if "val" in stem else stem)

    @property
    def sort(self) -> str | None:
        """Whether all pairs should be genuine or impostor pairs, by the file's name."""
        stem = Path(self.name).stem.lower()
        return next((s for s in ("same", "diff") if s in stem), None) if self.is_pairs else None


@dataclass(frozen=True, slots=True)
class CodedLists:
    """All files together.

    Attributes:
        paths: large_string (n,), the distinct paths of all lists, which their codes index.
        folder, photograph: int64 (n,), codes of the folder and of the source photograph of each path.
    """

    lists: tuple[CodedList, ...]
    paths: Any
    folder: Ints = field(repr=False)
    photograph: Ints = field(repr=False)

    def path(self, code: int) -> str:
        """The path of a code."""
        text: str = self.paths[int(code)].as_py()
        return text


def read_list(path: Path, asked: bool = False) -> tuple[CsvText | None, list[Finding]]:
    """A CSV file as text and its faults; None if it is not a list.

    Args:
        asked: the user named the file, so it is a fault if it is not a list.
    """
    try:
        text = read_csv(path)
    except (ValueError, OSError) as error:
        return None, [Finding(path.name, "no CSV file", 1, (str(error),))]
    # One column of the second picture is enough to mark a list of pairs.
    pairs = bool(set(PAIR_COLUMNS[2:]) & set(text.columns))
    if lacking := [name for name in (PAIR_COLUMNS if pairs else IMAGE_COLUMNS) if name not in text.columns]:
        what, have = f"not a list: no column {' and '.join(lacking)}", ",".join(text.columns)[:60]
        return None, [Finding(path.name, what, 1, (have,), fault=asked or pairs or path.name in _WRITTEN)]
    more = [name for name in text.columns if name not in PAIR_COLUMNS]
    found = [Finding(path.name, "rows with too many or too few values", text.n_ragged, text.ragged)]
    if more:
        found.append(Finding(path.name, "columns of no list", len(more), tuple(more[:EXAMPLES]), fault=False))
    return text, found


def as_codes(texts: dict[str, CsvText]) -> tuple[CodedLists, list[Finding]]:
    """The files' rows as numbers; rows without a path or with an invalid target are reported and left out."""
    findings: list[Finding] = []
    sides: list[tuple[str, list[Any], Ints]] = []
    for name, text in texts.items():
        columns = PAIR_COLUMNS if set(PAIR_COLUMNS) <= set(text.columns) else IMAGE_COLUMNS
        paths = [text.columns[column] for column in columns[::2]]
        marks = [text.columns[column] for column in columns[1::2]]
        whole = np.all([_bools(pc.match_substring_regex(mark, r"^[0-9]{1,18}$")) for mark in marks], axis=0)
        named = np.all([_bools(pc.not_equal(path, "")) for path in paths], axis=0)
        findings.append(_rows(name, "targets that are not whole numbers from 0", ~whole, paths[0]))
        findings.append(_rows(name, "rows without a path", ~named, paths[0]))
        good = pa.array(whole & named)
        targets = [mark.filter(good).cast(pa.int64()).to_numpy() for mark in marks]
        sides.append((name, [path.filter(good) for path in paths], np.stack(targets, axis=1)))
    return _coded(sides), findings


def _bools(values: Any) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), np.bool_)


def _rows(name: str, check: str, bad: Bools, paths: Any) -> Finding:
    rows = np.flatnonzero(bad)
    examples = tuple(f"row {row + 1}: {paths[int(row)].as_py()}" for row in rows[:EXAMPLES])
    return Finding(name, check, len(rows), examples)


def _coded(sides: Sequence[tuple[str, list[Any], Ints]]) -> CodedLists:
    """Every path of all files as its index among the distinct paths."""
    columns = [path for _, paths, _ in sides for path in paths] or [pa.array([], pa.large_string())]
    every = pa.concat_arrays(columns).dictionary_encode()
    codes = np.split(
        every.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        np.cumsum([len(c) for c in columns])[:-1],
    )
    lists, at = [], 0
    for name, paths, targets in sides:
        lists.append(CodedList(name, np.stack(codes[at : at + len(paths)], axis=1), targets))
        at += len(paths)
    distinct = every.dictionary
    # A tar is not a person's folder: in a run written in tars, people are spread over them.
    outside = pc.replace_substring_regex(distinct, r"(?s)[^/]*\.(tar|tgz|tar\.gz)/", "")
    folder = pc.replace_substring_regex(outside, r"(?s)/?[^/]*$", "")
    # The naming rule of outputs: <photograph>__<kind>.<suffix>
    photograph = pc.replace_substring_regex(distinct, r"(?s)^(.*)__[^/]*$", r"\1")
    return CodedLists(tuple(lists), distinct, _numbers(folder), _numbers(photograph))


def _numbers(texts: Any) -> Ints:
    codes: Ints = texts.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def repeated(values: Ints) -> Bools:
    """True for every value that occurred before."""
    again = np.ones(len(values), np.bool_)
    again[np.unique(values, return_index=True)[1]] = False
    return again
