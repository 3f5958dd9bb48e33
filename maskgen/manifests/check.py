"""Lists checked: every file there, every row well-formed, labels right, nothing of one split in another.

The lists may be this program's or anybody's: `path,target` files to train on and
`path,target,pair_path,pair_target` files of pairs. A folder is checked as a whole; which split a file belongs
to, and whether its pairs should be of one person or two, is read from its name. What only this program's
people.csv and report.json can tell is used where they lie beside the lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.reasons import UserError
from maskgen.formats.places import Place

from .files import absent, fault
from .schema import (
    EVAL_DIFF,
    EVAL_SAME,
    IMAGE_COLUMNS,
    LEFT_OUT,
    PAIR_COLUMNS,
    PEOPLE,
    PEOPLE_COLUMNS,
    REPORT,
    TEST,
    TRAIN,
    Bools,
    Ints,
)
from .table import CsvText, read_csv, stretches

MapFiles = Callable[[Callable[[str], str], Sequence[str]], Iterator[str]]

_WRITTEN = (TRAIN, EVAL_SAME, EVAL_DIFF, TEST, PEOPLE)
_EXAMPLES = 3
# Photographs right in the source have no folder of a person's, in a tar or not.
_NO_PERSON = re.compile(r"/faces(?:/[^/]*\.tar)?$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one file (or of all): how many faults it found, with a few examples.

    A finding that is no `fault` is worth knowing and does not change the exit code.
    """

    file: str
    check: str
    count: int
    examples: tuple[str, ...] = ()
    fault: bool = True

    def text(self) -> str:
        """For a terminal: a line, and one for each example."""
        mark = "ok" if not self.count else "FAULT" if self.fault else "note"
        lines = [f"  {mark:<6}{self.check:<58}{self.count:>10,}"]
        return "\n".join([*lines, *(f"          {example}" for example in self.examples)])


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: rows by file and every finding, those of no faults too."""

    rows: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def n_faults(self) -> int:
        """Faults in all."""
        return sum(finding.count for finding in self.findings if finding.fault)

    def table(self) -> str:
        """For a terminal: files, then each check with its count, then a sentence."""
        lines: list[str] = []
        for file in dict.fromkeys([*self.rows, *(one.file for one in self.findings)]):
            rows = f", {self.rows[file]:,} rows" if file in self.rows else ""
            lines += [f"{file}{rows}", *(one.text() for one in self.findings if one.file == file)]
        n = self.n_faults
        return "\n".join([*lines, "", f"{n:,} fault{'s' * (n > 1)}." if n else "Nothing is wrong."])


@dataclass(frozen=True, slots=True)
class _Context:
    """What lies beside the lists: people.csv, as person and split by target, and how the pairs were drawn."""

    people: dict[int, tuple[str, str]] | None
    protocol: str | None
    allow_same_source: bool | None

    @property
    def reference(self) -> bool:
        return self.protocol == "reference"


@dataclass(frozen=True, slots=True)
class _List:
    """One CSV file: codes of its paths among all paths, and its targets.

    `codes` and `targets` are int64 (rows, 1) for images and (rows, 2) for pairs.
    """

    name: str
    codes: Ints
    targets: Ints

    @property
    def is_pairs(self) -> bool:
        return bool(self.codes.shape[1] == 2)

    @property
    def split(self) -> str:
        """train, eval, test, or the file's own name."""
        stem = Path(self.name).stem.lower()
        return next((s for s in ("train", "eval", "test") if s in stem), "eval" if "val" in stem else stem)

    @property
    def sort(self) -> str | None:
        """Whether all pairs should be of the same person or of different ones, by the file's name."""
        stem = Path(self.name).stem.lower()
        return next((s for s in ("same", "diff") if s in stem), None) if self.is_pairs else None


@dataclass(frozen=True, slots=True)
class _Lists:
    """All files together: `paths` are the distinct paths, which the codes of each list index."""

    lists: tuple[_List, ...]
    paths: Any
    folder: Ints = field(repr=False)
    photograph: Ints = field(repr=False)

    def path(self, code: int) -> str:
        text: str = self.paths[int(code)].as_py()
        return text


def check_lists(out: Path, root: Place | None = None, verify: str = "exist", map_files: MapFiles = map) -> Checked:
    """Check a folder of lists, or one CSV file.

    Args:
        root: what relative paths start from; the files' folder by default.
        verify: "exist" looks for every file, "decode" decodes it too, "names" does neither.
        map_files: how files are decoded, as `map` or an executor's.

    Raises:
        UserError: there is nothing to check.
    """
    files, folder = _files(out)
    context = _context(folder)
    findings: list[Finding] = [Finding(name, "the file is missing", 1) for name in _absent_lists(folder)]
    texts: dict[str, CsvText] = {}
    for path in files:
        text, found = _read(path)
        findings += found
        if text is not None:
            texts[path.name] = text
    rows = {name: text.rows for name, text in texts.items()}
    lists, found = _parse(texts)
    findings += found
    findings += _check_files(lists, root or folder, verify, map_files)
    for one in lists.lists:
        findings += _check_pairs(lists, one, context) if one.is_pairs else _check_images(lists, one)
        findings += _check_labels(lists, one, context)
    findings += _check_leaks(lists, context)
    return Checked(rows, tuple(findings))


def _files(out: Path) -> tuple[list[Path], Path]:
    if out.is_file():
        return [out], out.parent
    if not out.is_dir():
        raise UserError(f"{out} is neither a folder nor a CSV file: give what `maskgen pairs` wrote.")
    files = [path for path in sorted(out.glob("*.csv")) if path.name not in (PEOPLE, LEFT_OUT)]
    if not files:
        raise UserError(f"{out} holds no CSV file: give the folder of train.csv and the others.")
    return files, out


def _absent_lists(folder: Path) -> list[str]:
    """Files that report.json says were written and that are not there."""
    rows = _report(folder).get("rows", {})
    names = [name for name in rows if not (folder / name).is_file()] if isinstance(rows, dict) else []
    return sorted(names)


def _report(folder: Path) -> dict[str, Any]:
    try:
        report = json.loads((folder / REPORT).read_bytes())
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) and "protocol" in report else {}


def _context(folder: Path) -> _Context:
    report = _report(folder)
    allow = report.get("settings", {}).get("--allow-same-source") if report else None
    return _Context(_people(folder / PEOPLE), report.get("protocol"), allow)


def _people(path: Path) -> dict[int, tuple[str, str]] | None:
    """Person and split by target."""
    if not path.is_file():
        return None
    try:
        columns = read_csv(path).columns
        values = [columns[name].to_pylist() for name in PEOPLE_COLUMNS]
        return {int(target): (name, split) for target, name, _, _, split in zip(*values, strict=True)}
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} is not a people.csv of `maskgen pairs` ({error}): write it again.") from error


def _read(path: Path) -> tuple[CsvText | None, list[Finding]]:
    try:
        text = read_csv(path)
    except (ValueError, OSError) as error:
        return None, [Finding(path.name, "no CSV file", 1, (str(error),))]
    if not set(IMAGE_COLUMNS) <= set(text.columns):
        have = ",".join(text.columns)[:60]
        ours = path.name in _WRITTEN
        return None, [Finding(path.name, "not a list: no columns path and target", 1, (have,), fault=ours)]
    more = [name for name in text.columns if name not in PAIR_COLUMNS]
    found = [Finding(path.name, "rows with too many or too few values", text.n_ragged, text.ragged)]
    if more:
        found.append(Finding(path.name, "columns of no list", len(more), tuple(more[:_EXAMPLES]), fault=False))
    return text, found


def _parse(texts: dict[str, CsvText]) -> tuple[_Lists, list[Finding]]:
    """The files' rows as numbers; rows without a path or a whole-numbered target are found and left out."""
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
    examples = tuple(f"row {row + 1}: {paths[int(row)].as_py()}" for row in rows[:_EXAMPLES])
    return Finding(name, check, len(rows), examples)


def _coded(sides: Sequence[tuple[str, list[Any], Ints]]) -> _Lists:
    """Every path of all files as its place among the distinct ones."""
    columns = [path for _, paths, _ in sides for path in paths] or [pa.array([], pa.large_string())]
    every = pa.concat_arrays(columns).dictionary_encode()
    codes = np.split(
        every.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        np.cumsum([len(c) for c in columns])[:-1],
    )
    lists, at = [], 0
    for name, paths, targets in sides:
        lists.append(_List(name, np.stack(codes[at : at + len(paths)], axis=1), targets))
        at += len(paths)
    distinct = every.dictionary
    # A tar is no folder of a person's: a run written in tars has its people all over them.
    outside = pc.replace_substring_regex(distinct, r"(?s)[^/]*\.(tar|tgz|tar\.gz)/", "")
    folder = pc.replace_substring_regex(outside, r"(?s)/?[^/]*$", "")
    # The same rule by which outputs are named: <photograph>__<kind>.<suffix>
    photograph = pc.replace_substring_regex(distinct, r"(?s)^(.*)__[^/]*$", r"\1")
    return _Lists(tuple(lists), distinct, _numbers(folder), _numbers(photograph))


def _numbers(texts: Any) -> Ints:
    codes: Ints = texts.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _check_files(lists: _Lists, root: Place, verify: str, map_files: MapFiles) -> Iterator[Finding]:
    """Each distinct path once, counted for each file that names it."""
    if verify == "names":
        return
    n = len(lists.paths)
    gone, broken = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    order = np.argsort(lists.folder, kind="stable")  # each folder is listed once
    for part in stretches(order):
        gone[part] = absent(root, lists.paths.take(pa.array(part)))
        if verify == "decode":
            there = part[~gone[part]]
            paths = [lists.path(code) for code in there]
            broken[there] = [bool(reason) for reason in map_files(partial(fault, root), paths)]
    for one in lists.lists:
        yield _images(lists, one, "images without a file", gone)
        if verify == "decode":
            yield _images(lists, one, "images that do not decode", broken)


def _images(lists: _Lists, one: _List, check: str, bad: Bools, is_fault: bool = True) -> Finding:
    codes = np.unique(one.codes)
    codes = codes[bad[codes]]
    return Finding(one.name, check, len(codes), tuple(lists.path(code) for code in codes[:_EXAMPLES]), is_fault)


def _check_images(lists: _Lists, one: _List) -> Iterator[Finding]:
    codes, targets = one.codes[:, 0], one.targets[:, 0]
    yield _by_row(lists, one, "images listed twice", _repeated(codes))
    distinct = np.unique(targets)
    gaps = int(distinct[-1]) + 1 - len(distinct) if len(distinct) else 0
    yield Finding(one.name, "numbers that no person has, from 0 to the highest", gaps)
    runs = 1 + int(np.count_nonzero(np.diff(targets))) if len(targets) else 0
    yield Finding(one.name, "people whose rows are not together", max(runs - len(distinct), 0), fault=False)


def _check_pairs(lists: _Lists, one: _List, context: _Context) -> Iterator[Finding]:
    first, second = one.codes.T
    low, high = np.minimum(first, second), np.maximum(first, second)
    yield _by_row(lists, one, "images paired with themselves", first == second)
    twice = _repeated(low * max(len(lists.paths), 1) + high)
    yield _by_row(lists, one, "pairs listed twice, in either order", twice, not context.reference)
    same = one.targets[:, 0] == one.targets[:, 1]
    if one.sort == "same":
        yield _by_row(lists, one, "rows of two people", ~same)
    elif one.sort == "diff":
        yield _by_row(lists, one, "rows of one person", same)
    elif len(same) and (same.all() or not same.any()):
        what = "no row of two people" if same.all() else "no row of one person"
        yield Finding(one.name, what, 1, fault=False)
    photographs = lists.photograph[one.codes]
    alike = (photographs[:, 0] == photographs[:, 1]) & (first != second)
    strict = context.allow_same_source is False
    yield _by_row(lists, one, "pairs of one photograph, by the files' names", alike, strict)


def _by_row(lists: _Lists, one: _List, check: str, bad: Bools, is_fault: bool = True) -> Finding:
    rows = np.flatnonzero(bad)
    examples = tuple(
        f"row {row + 1}: {' and '.join(lists.path(code) for code in one.codes[row])}" for row in rows[:_EXAMPLES]
    )
    return Finding(one.name, check, len(rows), examples, is_fault)


def _repeated(values: Ints) -> Bools:
    """True for every value that has been there before."""
    again = np.ones(len(values), np.bool_)
    again[np.unique(values, return_index=True)[1]] = False
    return again


def _check_labels(lists: _Lists, one: _List, context: _Context) -> Iterator[Finding]:
    codes, targets = one.codes.ravel(), one.targets.ravel()
    both = np.unique(np.stack([codes, targets]), axis=1) if len(codes) else np.empty((2, 0), np.int64)
    paths = both[0][_repeated(both[0])]
    examples = tuple(lists.path(code) for code in paths[:_EXAMPLES])
    yield Finding(one.name, "images with two targets", len(paths), examples)
    folders = np.unique(np.stack([lists.folder[codes], targets]), axis=1) if len(codes) else both
    several = int(_repeated(folders[0]).sum())
    ours = context.people is not None
    yield Finding(one.name, "further people in a folder that has one already", several, fault=ours)
    if context.people is None:
        return
    unknown = [int(t) for t in np.unique(targets) if int(t) not in context.people]
    yield Finding(one.name, "targets that people.csv does not have", len(unknown), tuple(map(str, unknown[:3])))
    yield _folders(lists, one, folders, context.people)
    yield _people_of_split(one, targets, context.people)


def _folders(lists: _Lists, one: _List, folders: Ints, people: dict[int, tuple[str, str]]) -> Finding:
    """Folders that are not those of the person their target stands for."""
    place = dict(zip(lists.folder.tolist(), range(len(lists.folder)), strict=True))
    wrong = []
    for folder, target in folders.T.tolist():
        path = lists.path(place[folder])
        holder, person = path.rpartition("/")[0], people.get(target, ("", ""))[0]
        named = not _NO_PERSON.search(f"/{holder}")
        if named and target in people and not f"/{holder}".endswith(f"/{person}"):
            wrong.append(f"{path} is not of {person}")
    return Finding(one.name, "folders that are not their person's", len(wrong), tuple(wrong[:_EXAMPLES]))


def _people_of_split(one: _List, targets: Ints, people: dict[int, tuple[str, str]]) -> Finding:
    known = [int(t) for t in np.unique(targets) if int(t) in people]
    wrong = [t for t in known if one.split in ("train", "eval", "test") and one.split not in people[t][1]]
    examples = tuple(f"{people[t][0]} is of {people[t][1]}" for t in wrong[:_EXAMPLES])
    return Finding(one.name, "people of another split", len(wrong), examples)


def _check_leaks(lists: _Lists, context: _Context) -> Iterator[Finding]:
    splits: dict[str, list[_List]] = {}
    for one in lists.lists:
        splits.setdefault(one.split, []).append(one)
    for (name, ones), (other_name, others) in combinations(splits.items(), 2):
        where = f"{name}, {other_name}"
        by_image = context.reference and {name, other_name} == {"eval", "test"}
        if by_image:  # a partner may come from the other part; an image of its own part may not be in both
            yield _leak(lists, where, "images, as the first of a pair, in both", _first(ones), _first(others))
        yield _leak(lists, where, "images in both", _all(ones), _all(others), not by_image)
        yield from _people_leaks(lists, where, ones, others, context, by_image)


def _first(ones: Sequence[_List]) -> Ints:
    return np.concatenate([one.codes[:, 0] for one in ones])


def _all(ones: Sequence[_List]) -> Ints:
    return np.concatenate([one.codes.ravel() for one in ones])


def _leak(lists: _Lists, where: str, check: str, some: Ints, others: Ints, is_fault: bool = True) -> Finding:
    both = np.intersect1d(some, others)
    return Finding(where, check, len(both), tuple(lists.path(c) for c in both[:_EXAMPLES]), is_fault)


def _people_leaks(
    lists: _Lists,
    where: str,
    ones: Sequence[_List],
    others: Sequence[_List],
    context: _Context,
    by_image: bool,
) -> Iterator[Finding]:
    """People in both: by target where there is a people.csv, else by folder where folders tell."""
    if context.people is not None:
        sides = [np.concatenate([one.targets.ravel() for one in group]) for group in (ones, others)]
        both = np.intersect1d(sides[0], sides[1])
        names = tuple(context.people[t][0] for t in both[:_EXAMPLES].tolist() if t in context.people)
        yield Finding(where, "people in both", len(both), names, not by_image)
        return
    if not all(_folder_is_person(lists, one) for one in (*ones, *others)):
        yield Finding(where, "people in both cannot be told: folders are not people", 0, fault=False)
        return
    both = np.intersect1d(lists.folder[_all(ones)], lists.folder[_all(others)])
    place = dict(zip(lists.folder.tolist(), range(len(lists.folder)), strict=True))
    names = tuple(lists.path(place[f]).rpartition("/")[0] for f in both[:_EXAMPLES].tolist())
    yield Finding(where, "folders, taken for people, in both", len(both), names, "train" in where)


def _folder_is_person(lists: _Lists, one: _List) -> bool:
    """Whether each folder of a file holds one target and each target lies in one folder."""
    folders, targets = lists.folder[one.codes.ravel()], one.targets.ravel()
    both = np.unique(np.stack([folders, targets]), axis=1) if len(folders) else np.empty((2, 0), np.int64)
    return not (_repeated(both[0]).any() or _repeated(both[1]).any())
