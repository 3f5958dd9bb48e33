"""Checks of lists: files exist, rows are well-formed, labels are right, and splits do not leak.

The lists may be of this or another program: `path,target` files for training and `path,target,pair_path,pair_target`
files of pairs. A folder is checked as a whole. A file's name gives its split, and whether its pairs are genuine or
impostor pairs. This program's people.csv and report.json beside the lists are used if they exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.number_sets import distinct, distinct_pairs, repeated, varying
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from ..csv_table import stretches
from ..formats.cvlface import LANDMARKS
from ..formats.lfw_pairs import is_lfw_pairs
from ..schema import LEFT_OUT, PEOPLE, UNFINISHED, Bools, Ints
from .coded import CodedList, CodedLists, coded_lists
from .findings import EXAMPLES, Checked, Finding
from .leaks import check_leaks
from .list_reading import ListsReader
from .pairs_output import PairsOutput, absent_lists, read_pairs_output
from .picture_files import absent, fault

MapFiles = Callable[[Callable[[str], str], Sequence[str]], Iterator[str]]

# Photographs directly in the source have no person's folder.
_NO_PERSON = re.compile(r"/faces(?:/[^/]*\.tar)?$")


def check_lists(out: Path, root: AnyPath | None = None, verify: str = "exist", map_files: MapFiles = map) -> Checked:
    """Check a folder of lists, or one file: a CSV, or two paths and 1 or 0 in each line.

    Args:
        root: base of relative paths; the files' folder by default.
        verify: "exist" checks that every file exists, "decode" also decodes it, "names" does neither.
        map_files: `map`, or an executor's, for decoding.

    Raises:
        UserError: there are no lists, or a file names no files.
    """
    files, folder = _files(out)
    beside = read_pairs_output(folder)
    findings: list[Finding] = [Finding(name, "the file is missing", 1) for name in absent_lists(folder)]
    if (folder / UNFINISHED).exists():
        findings.append(
            Finding(UNFINISHED, "the lists were not written to the end: repeat the command that writes them", 1)
        )
    reader = ListsReader()
    for path in files:
        findings += reader.read(path, asked=out.is_file())
    if not reader.lists and not any(found.fault for found in findings):
        raise UserError(f"{out} holds no list: give the folder of train.csv and the others.")
    rows = {one.name: one.rows for one in reader.lists}
    lists = coded_lists(reader.lists, reader.paths.array(), root or folder)
    del reader
    findings += _check_files(lists, root or folder, verify, map_files)
    for one in lists.lists:
        findings += _check_pairs(lists, one, beside) if one.is_pairs else _check_images(lists, one)
        findings += _check_labels(lists, one, beside) if one.named else _check_folders_of_pairs(lists, one)
    findings += check_leaks(lists, beside)
    return Checked(rows, tuple(findings))


def _files(out: Path) -> tuple[list[Path], Path]:
    if out.is_file():
        if is_lfw_pairs(out):
            raise UserError(
                f"{out} names people and numbers, no files, and is not checked: give the folder of the lists, or a "
                "file of two paths and 1 or 0, as pairs_label.txt."
            )
        return [out], out.parent
    if not out.is_dir():
        raise UserError(f"{out} is neither a folder nor a file: give what `maskgen pairs` wrote.")
    files = [path for path in sorted(out.glob("*.csv")) if path.name not in (PEOPLE, LEFT_OUT, LANDMARKS)]
    if not files:
        raise UserError(f"{out} holds no CSV file: give the folder of train.csv and the others.")
    return files, out


def _check_files(lists: CodedLists, root: AnyPath, verify: str, map_files: MapFiles) -> Iterator[Finding]:
    """Checks of the images: each distinct path once, counted for each file that names it."""
    if verify == "names":
        return
    n = len(lists.paths)
    gone, broken = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    # Each folder is listed once.
    order = lists.distinct[np.argsort(lists.folder[lists.distinct], kind="stable")]
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


def _images(lists: CodedLists, one: CodedList, check: str, bad: Bools, is_fault: bool = True) -> Finding:
    codes = distinct(one.codes.ravel())
    codes = codes[bad[codes]]
    return Finding(one.name, check, len(codes), tuple(lists.path(code) for code in codes[:EXAMPLES]), is_fault)


def _check_images(lists: CodedLists, one: CodedList) -> Iterator[Finding]:
    codes, targets = one.codes[:, 0], one.targets[:, 0]
    yield _by_row(lists, one, "images listed twice", repeated(codes))
    known = distinct(targets)
    gaps = int(known[-1]) + 1 - len(known) if len(known) else 0
    yield Finding(one.name, "numbers that no person has, from 0 to the highest", gaps)
    runs = 1 + int(np.count_nonzero(np.diff(targets))) if len(targets) else 0
    yield Finding(one.name, "people whose rows are not together", max(runs - len(known), 0), fault=False)


def _check_pairs(lists: CodedLists, one: CodedList, beside: PairsOutput) -> Iterator[Finding]:
    first, second = one.codes.T
    low, high = np.minimum(first, second), np.maximum(first, second)
    yield _by_row(lists, one, "images paired with themselves", first == second)
    twice = repeated(low * max(len(lists.paths), 1) + high)
    yield _by_row(lists, one, "pairs listed twice, in either order", twice, not beside.reference)
    same = one.targets[:, 0] == one.targets[:, 1]
    if one.sort == "same":
        yield _by_row(lists, one, "rows of two people", ~same)
    elif one.sort == "diff":
        yield _by_row(lists, one, "rows of one person", same)
    elif len(same) and (same.all() or not same.any()):
        what = "no row of two people" if same.all() else "no row of one person"
        yield Finding(one.name, what, 1, fault=False)
    alike = pc.equal(lists.photographs(first), lists.photographs(second)).to_numpy(zero_copy_only=False)
    alike &= first != second
    strict = beside.allow_same_source is False
    yield _by_row(lists, one, "pairs of one photograph, by the files' names", alike, strict)


def _by_row(lists: CodedLists, one: CodedList, check: str, bad: Bools, is_fault: bool = True) -> Finding:
    rows = np.flatnonzero(bad)
    examples = tuple(
        f"row {row + 1}: {' and '.join(lists.path(code) for code in one.codes[row])}" for row in rows[:EXAMPLES]
    )
    return Finding(one.name, check, len(rows), examples, is_fault)


def _check_labels(lists: CodedLists, one: CodedList, beside: PairsOutput) -> Iterator[Finding]:
    codes, targets = one.codes.ravel(), one.targets.ravel()
    several = varying(codes, targets)
    both = distinct_pairs(codes[several], targets[several])
    paths = both[0][repeated(both[0])]
    examples = tuple(lists.path(code) for code in paths[:EXAMPLES])
    yield Finding(one.name, "images with two targets", len(paths), examples)
    folders = distinct_pairs(lists.folder[codes], targets)
    further = int(repeated(folders[0]).sum())
    ours = beside.people is not None
    yield Finding(one.name, "further people in a folder that has one already", further, fault=ours)
    if beside.people is None:
        return
    unknown = [target for target in distinct(targets).tolist() if target not in beside.people]
    yield Finding(one.name, "targets that people.csv does not have", len(unknown), tuple(map(str, unknown[:3])))
    yield _folders(lists, one, folders, beside.people)
    yield _people_of_split(one, targets, beside.people)


def _check_folders_of_pairs(lists: CodedLists, one: CodedList) -> Iterator[Finding]:
    """Labels against folders, which often are people; nothing else in the file names them."""
    same, folders = one.targets[:, 0] == one.targets[:, 1], lists.folder[one.codes]
    alike = folders[:, 0] == folders[:, 1]
    yield _by_row(lists, one, "pairs labelled 1, in two folders", same & ~alike, False)
    yield _by_row(lists, one, "pairs labelled 0, in one folder", ~same & alike, False)


def _folders(lists: CodedLists, one: CodedList, folders: Ints, people: dict[int, tuple[str, str]]) -> Finding:
    """Folders that contradict the person of their target."""
    wrong = []
    places, targets = lists.path_of_folder()[folders[0]], folders[1].tolist()
    for path, target in zip(lists.alike.take(pa.array(places)).to_pylist(), targets, strict=True):
        holder, person = path.rpartition("/")[0], people.get(target, ("", ""))[0]
        named = not _NO_PERSON.search(f"/{holder}")
        if named and target in people and not f"/{holder}".endswith(f"/{person}"):
            wrong.append(f"{path} is not of {person}")
    return Finding(one.name, "folders that are not their person's", len(wrong), tuple(wrong[:EXAMPLES]))


def _people_of_split(one: CodedList, targets: Ints, people: dict[int, tuple[str, str]]) -> Finding:
    known = [target for target in distinct(targets).tolist() if target in people]
    wrong = [t for t in known if one.split in ("train", "eval", "test") and one.split not in people[t][1]]
    examples = tuple(f"{people[t][0]} is of {people[t][1]}" for t in wrong[:EXAMPLES])
    return Finding(one.name, "people of another split", len(wrong), examples)
