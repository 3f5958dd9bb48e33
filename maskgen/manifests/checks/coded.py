"""Lists as integer codes: each path as the first row that has it, each target as its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from maskgen.formats.any_path import AnyPath

from ..schema import Ints
from .list_reading import ReadList
from .spelling import one_spelling

_AT_ONCE = 1 << 18  # paths


@dataclass(frozen=True, slots=True)
class CodedList:
    """One file: codes of its paths, and its targets; `named` as in `ReadList`.

    `codes` and `targets` are int64 (rows, 1) for images and (rows, 2) for pairs.
    """

    name: str
    codes: Ints
    targets: Ints
    named: bool = True

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
        paths: large_string (n,), the paths of all rows of all lists, as they are written there.
        alike: large_string (n,), the same in one spelling; the code of a path is the first place that has it.
        distinct: int64 (d,), the codes, ascending.
        folder: int32 (n,), codes of the folder of each path.
    """

    lists: tuple[CodedList, ...]
    paths: Any
    alike: Any
    distinct: Ints = field(repr=False)
    folder: NDArray[np.int32] = field(repr=False)

    def path(self, code: int) -> str:
        """The path of a code."""
        text: str = self.paths[int(code)].as_py()
        return text

    def photographs(self, codes: Ints) -> Any:
        """The source photographs of these paths, by the naming rule of outputs, <photograph>__<kind>.<suffix>."""
        return pc.replace_substring_regex(self.alike.take(pa.array(codes)), r"(?s)^(.*)__[^/]*$", r"\1")

    def path_of_folder(self) -> Ints:
        """For each folder the code of one of its paths, the last one."""
        place = np.zeros(self.folder.max(initial=-1) + 1, np.int64)
        place[self.folder[self.distinct]] = self.distinct
        return place


def coded_lists(read: Sequence[ReadList], paths: Any, root: AnyPath) -> CodedLists:
    """The lists with a code for each path.

    Args:
        paths: large_string (n,), the paths that the lists' `places` index.
        root: base of relative paths.
    """
    alike, folders = one_spelling(paths, root)
    first = _first_rows(alike)
    lists = tuple(CodedList(one.name, first[one.places], one.targets, one.named) for one in read)
    distinct = np.flatnonzero(first == np.arange(len(first)))
    return CodedLists(lists, paths, alike, distinct, folders)


def _first_rows(texts: Any) -> Ints:
    """For each text of a large_string array the first row that has it, int64 (n,).

    Sorting takes a fifth of the memory that a table of the texts does.
    """
    narrow = np.int32 if len(texts) < 2**31 else np.int64
    order = pc.sort_indices(texts).to_numpy().astype(narrow)  # equal texts stay in the order of their rows
    new = np.ones(len(order), np.bool_)
    for start in range(1, len(order), _AT_ONCE):
        part = texts.take(pa.array(order[start - 1 : start + _AT_ONCE]))
        differ = pc.not_equal(part.slice(1), part.slice(0, len(part) - 1))
        new[start : start + len(differ)] = differ.to_numpy(zero_copy_only=False)
    first = np.empty(len(order), np.int64)
    first[order] = order[new][np.cumsum(new, dtype=narrow) - 1]
    return first
