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

_AT_ONCE = 1 << 18  # paths
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
        folder: int64 (n,), codes of the folder of each path.
    """

    lists: tuple[CodedList, ...]
    paths: Any
    folder: Ints = field(repr=False)

    def path(self, code: int) -> str:
        """The path of a code."""
        text: str = self.paths[int(code)].as_py()
        return text

    def photographs(self, codes: Ints) -> Any:
        """The source photographs of these paths, by the naming rule of outputs, <photograph>__<kind>.<suffix>."""
        return pc.replace_substring_regex(self.paths.take(pa.array(codes)), r"(?s)^(.*)__[^/]*$", r"\1")

    def path_of_folder(self) -> Ints:
        """For each folder the code of one of its paths, the last one."""
        place = np.zeros(self.folder.max(initial=-1) + 1, np.int64)
        place[self.folder] = np.arange(len(self.folder))
        return place


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
    """The files' rows as numbers; rows without a path or with an invalid target are reported and left out.

    The texts are taken out of `texts`, so that they are not in memory twice.
    """
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
        if not (good := whole & named).all():
            paths, marks = ([one.filter(pa.array(good)) for one in columns] for columns in (paths, marks))
        sides.append((name, paths, np.stack([mark.cast(pa.int64()).to_numpy() for mark in marks], axis=1)))
        text.columns.clear()
    return _coded(sides), findings


def _bools(values: Any) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), np.bool_)


def _rows(name: str, check: str, bad: Bools, paths: Any) -> Finding:
    rows = np.flatnonzero(bad)
    examples = tuple(f"row {row + 1}: {paths[int(row)].as_py()}" for row in rows[:EXAMPLES])
    return Finding(name, check, len(rows), examples)


def _coded(sides: Sequence[tuple[str, list[Any], Ints]]) -> CodedLists:
    """Every path of all files as its index among the distinct paths."""
    columns = [path for _, paths, _ in sides for path in paths]
    if not sum(map(len, columns)):
        none = np.empty((0, 1), np.int64)
        empty = (CodedList(name, none.repeat(len(paths), axis=1), targets) for name, paths, targets in sides)
        return CodedLists(tuple(empty), pa.array([], pa.large_string()), none[:, 0])
    every = pa.chunked_array(columns).dictionary_encode()
    numbers = np.concatenate([part.indices.to_numpy(zero_copy_only=False).astype(np.int64) for part in every.chunks])
    codes = np.split(numbers, np.cumsum([len(column) for column in columns])[:-1])
    lists, at = [], 0
    for name, paths, targets in sides:
        lists.append(CodedList(name, np.stack(codes[at : at + len(paths)], axis=1), targets))
        at += len(paths)
    every = every.chunk(0).dictionary  # one for all
    return CodedLists(tuple(lists), every, _folders(every))


def _folders(paths: Any) -> Ints:
    """Codes of the folders of paths; in parts, since the texts of all folders are as large as those of the paths."""
    parts = []
    for start in range(0, len(paths), _AT_ONCE):
        # A tar is not a person's folder: in a run written in tars, people are spread over them.
        outside = pc.replace_substring_regex(paths.slice(start, _AT_ONCE), r"(?s)[^/]*\.(tar|tgz|tar\.gz)/", "")
        parts.append(pc.replace_substring_regex(outside, r"(?s)/?[^/]*$", "").dictionary_encode())
    alike = pa.chunked_array(parts).unify_dictionaries()
    return np.concatenate([part.indices.to_numpy(zero_copy_only=False).astype(np.int64) for part in alike.chunks])
