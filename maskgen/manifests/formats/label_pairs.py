"""pairs_label.txt: two paths and 1 (genuine) or 0 (impostor), one pair per line, separated by tabs.

Lists of other programs with commas or spaces are read too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.atomic_writes import atomic_file
from maskgen.core.reasons import UserError

from ..columns.texts import text_bytes
from ..csv_table import joined
from ..schema import Bools, Ints


def save_label_pairs(path: Path, first: Any, second: Any, same: Bools) -> None:
    """Write a pairs_label.txt.

    Args:
        first, second: paths, large_string (n,).
        same: bool (n,).

    Raises:
        UserError: a path contains a tab or a line break, which the format cannot represent.
    """
    for paths in (first, second):
        odd = pc.match_substring_regex(paths, "[\t\r\n]")
        if pc.any(odd).as_py():
            bad = paths.filter(odd)[0].as_py()
            raise UserError(
                f"{path.name} cannot hold {bad!r}, a path with a tab or line break: leave out --also label."
            )
    labels = pa.array(np.where(same, "1\n", "0\n").tolist(), pa.large_string())
    with atomic_file(path) as file:
        file.write(text_bytes(joined(first, second, labels, between="\t")))


def is_label_pairs(path: Path) -> bool:
    """Whether the first line of a file is two paths and 0 or 1; a name and two numbers mean LFW's pairs.txt."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            values = _values(file.readline())
    except (OSError, UnicodeDecodeError):
        return False
    return len(values) == 3 and values[2] in ("0", "1") and not values[1].isdecimal()


def load_label_pairs(path: Path) -> tuple[list[str], list[str], Ints]:
    """The two paths of each pair, and their people, int64 (n, 2).

    The file names no people: pictures connected by genuine pairs, directly or through others, are one person. Pictures
    that are not connected may still show one person, so these numbers hold within the pairs of the file only.

    Raises:
        UserError: a line is invalid, or pairs contradict one another; names the line.
    """
    lines = list(_lines(path))
    first, second = [line[0] for line in lines], [line[1] for line in lines]
    person = _people(lines)
    people = np.array([[person[one], person[two]] for one, two, _, _ in lines], np.int64).reshape(-1, 2)
    for (one, two, same, number), (a, b) in zip(lines, people.tolist(), strict=True):
        if not same and a == b:
            raise UserError(
                f"{path}, line {number}: {one} and {two} are labelled as two people, but other lines make them one: "
                "correct the lines."
            )
    return first, second, people


def _lines(path: Path) -> Iterator[tuple[str, str, bool, int]]:
    try:
        lines = path.read_text("utf-8-sig").split("\n")  # paths may hold what else `splitlines` cuts at
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text: save it as such.") from None
    for number, line in enumerate(lines, 1):
        values = _values(line)
        if not line.strip():
            continue
        if len(values) != 3 or values[2] not in ("0", "1") or not all(values):
            raise UserError(f"{path}, line {number}: expected two paths and 1 or 0, with tabs or commas between.")
        yield values[0], values[1], values[2] == "1", number


def _values(line: str) -> list[str]:
    between = "\t" if "\t" in line else "," if line.count(",") == 2 else None
    return [value.strip() for value in line.split(between)]


def _people(lines: Sequence[tuple[str, str, bool, int]]) -> dict[str, int]:
    """A number for each picture, the same for pictures connected by genuine pairs."""
    above: dict[str, str] = {}
    for one, two, same, _ in lines:
        tops = [_top(above, above.setdefault(name, name)) for name in (one, two)]
        if same:
            above[tops[1]] = tops[0]
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(_top(above, name), len(numbers)) for name in above}


def _top(above: dict[str, str], name: str) -> str:
    while above[name] != name:
        above[name] = above[above[name]]
        name = above[name]
    return name
