"""LFW's pairs.txt, also used by MFR2: pairs by name and number, read, resolved on a run, and written.

Values are separated by tabs, commas or spaces; LFW's pairs.csv has commas and a header.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

import numpy as np

from maskgen.core.atomic_writes import atomic_file
from maskgen.core.reasons import UserError
from maskgen.core.seeding import rng_for

from ..catalogue import Images
from ..pairs import Drawn
from ..plan import ManifestSettings
from ..schema import Pairs, Person

_SECOND_FACE = re.compile(r"\.f\d+\.[^./]+$")


class Wear(StrEnum):
    """Which images a listed pair uses."""

    BARE = "bare"
    MASKED = "masked"
    MIXED = "mixed"  # the first bare, the second masked


@dataclass(frozen=True, slots=True)
class ListedPair:
    """One line of a pairs.txt: two photographs, each by its person's name and its number from 1."""

    name: str
    number: int
    other: str
    other_number: int

    def __post_init__(self) -> None:
        if not self.name or not self.other or min(self.number, self.other_number) < 0:
            raise ValueError(f"a pair needs two names and two numbers, got {self}")

    @property
    def same(self) -> bool:
        """Whether both photographs are of one person."""
        return self.name == self.other


@dataclass(frozen=True, slots=True)
class Resolved:
    """Listed pairs as pairs of a run's images; `left_out` holds (pair, reason) of the others."""

    drawn: Drawn
    left_out: tuple[tuple[str, str], ...]

    def counts(self) -> dict[str, int]:
        """The numbers of pairs listed, made and left out."""
        made = len(self.drawn.same) + len(self.drawn.diff)
        return {"listed": made + len(self.left_out), "made": made, "left_out": len(self.left_out)}


def load_lfw_pairs(path: Path) -> list[ListedPair]:
    """The pairs of a pairs.txt or pairs.csv, in order; a first line of only numbers or titles is the header.

    Raises:
        ValueError: a line is neither `name n1 n2` nor `name1 n1 name2 n2` (tabs, else commas, else spaces).
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # names may hold what else `splitlines` cuts at
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    pairs: list[ListedPair] = []
    for number, line in enumerate(lines, 1):
        values = _values(line)
        is_header = number == 1 and (len(values) <= 2 and all(map(str.isdecimal, values)) or _are_titles(line, values))
        if line.strip() and not is_header:
            pairs.append(_listed(values, number))
    return pairs


def is_lfw_pairs(path: Path) -> bool:
    """Whether a .txt holds pairs of names and numbers, as LFW's pairs.txt; whoever reads another says what is wrong."""
    if path.suffix != ".txt":
        return False
    try:
        return bool(load_lfw_pairs(path))
    except (ValueError, OSError):
        return False


def _values(line: str) -> list[str]:
    """A line's values; in a file with spaces a comma may be part of a name."""
    between = "\t" if "\t" in line else "," if line.count(",") > 1 else None
    values = [value.strip() for value in line.split(between)]
    while values and not values[-1]:  # a trailing comma or tab
        values.pop()
    return values


def _are_titles(line: str, values: Sequence[str]) -> bool:
    return "," in line and len(values) in (3, 4) and not any(map(str.isdecimal, values))


def _listed(values: Sequence[str], line: int) -> ListedPair:
    try:
        if len(values) == 3:
            return ListedPair(values[0], int(values[1]), values[0], int(values[2]))
        if len(values) == 4:
            return ListedPair(values[0], int(values[1]), values[2], int(values[3]))
    except ValueError:
        pass
    raise ValueError(f"line {line} is neither `name n1 n2` nor `name1 n1 name2 n2`")


def save_lfw_pairs(path: Path, pairs: Sequence[ListedPair]) -> None:
    """Write a pairs.txt: `1` and the number of genuine pairs, the genuine pairs, then the impostor pairs.

    LFW's header implies the same number of impostor pairs; readers that rely on it need such a list.

    Raises:
        UserError: a name holds a tab or a line break, which the format cannot represent.
    """
    for name in (name for pair in pairs for name in (pair.name, pair.other)):
        if re.search(r"[\t\r\n]", name):
            raise UserError(f"{path.name} cannot hold {name!r}, a name with a tab or line break: leave out --also lfw.")
    ordered = [pair for pair in pairs if pair.same] + [pair for pair in pairs if not pair.same]
    lines = [f"1\t{sum(pair.same for pair in pairs)}", *map(_line, ordered)]
    with atomic_file(path) as file:
        file.write("".join(line + "\n" for line in lines).encode())


def _line(pair: ListedPair) -> str:
    if pair.same:
        return f"{pair.name}\t{pair.number}\t{pair.other_number}"
    return f"{pair.name}\t{pair.number}\t{pair.other}\t{pair.other_number}"


def resolve(images: Images, listed: Sequence[ListedPair], wear: Wear, settings: ManifestSettings) -> Resolved:
    """The listed pairs on these images, in their order within genuine and impostor pairs, each once.

    If a photograph has several matching images, one is drawn by the seed and the pair's position.
    """
    known = _Photographs(images)
    made = PairsMade(images, settings.rules.allow_same_source)
    left_out: list[tuple[str, str]] = []
    masked = {Wear.BARE: (False, False), Wear.MASKED: (True, True), Wear.MIXED: (False, True)}[wear]
    for place, pair in enumerate(listed, 1):
        rng = rng_for(settings.seed, "listed", place)
        try:
            first = known.find(pair.name, pair.number, masked[0], rng)
            made.add(first, known.find(pair.other, pair.other_number, masked[1], rng), pair.same)
        except LookupError as error:
            left_out.append((f"pair {place}: {_line(pair)}", str(error.args[0])))
    return Resolved(made.drawn(), tuple(left_out))


class PairsMade:
    """Pairs of images made from a list, none twice in either order."""

    def __init__(self, images: Images, allow_same_source: bool) -> None:
        self._images = images
        self._allow_same_source = allow_same_source
        self._same: list[tuple[int, int]] = []
        self._diff: list[tuple[int, int]] = []
        self._there: set[frozenset[int]] = set()

    def add(self, first: int, second: int, same: bool) -> None:
        """Add the pair of two rows.

        Raises:
            LookupError: they are one image, or one photograph if that is not allowed, or the pair is there already.
        """
        if first == second:
            raise LookupError("both are one image")
        if not self._allow_same_source and self._images.source[first] == self._images.source[second]:
            raise LookupError("both are one photograph")
        pair = frozenset((first, second))
        if pair in self._there:
            raise LookupError("it is listed already")
        self._there.add(pair)
        (self._same if same else self._diff).append((first, second))

    def drawn(self) -> Drawn:
        """The pairs, in the order in which they were added."""
        return Drawn(_as_pairs(self._same), _as_pairs(self._diff), {})


def _as_pairs(rows: Sequence[tuple[int, int]]) -> Pairs:
    """Rows of images, two per pair, as `Pairs`."""
    table = np.array(rows, np.int64).reshape(-1, 2)
    return Pairs(table[:, 0], table[:, 1])


def listed_pairs(images: Images, pairs: Pairs) -> list[ListedPair]:
    """Pairs of images by name and number, for a pairs.txt, which does not name masks."""
    known = _Photographs(images)
    ends = (known.name_and_number(int(a)) + known.name_and_number(int(b)) for a, b in _both(pairs))
    return [ListedPair(*end) for end in ends]


def _both(pairs: Pairs) -> Iterator[tuple[int, int]]:
    yield from zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)


class _Photographs:
    """Photographs by person's name and number.

    If all photographs of a person are named NAME_NUMBER, these numbers are used; otherwise they are numbered from 1 in
    the order of their names. The person's name is that of the folder, its whole path if two folders share a name, and
    that path below the run's name if two runs share it.
    """

    def __init__(self, images: Images) -> None:
        self._images = images
        self._names = _unique_names(images.people)
        self._codes: dict[str, list[int]] = defaultdict(list)
        for code, person in enumerate(images.people):
            for name in {self._names[code], person.name}:
                self._codes[name].append(code)
        self._numbers: dict[int, dict[str, int]] = {}

    def name_and_number(self, row: int) -> tuple[str, int]:
        """Name and number of the photograph of this image, for a pairs.txt."""
        code = int(self._images.person[row])
        return self._names[code], self._of(code)[self._images.keys[row].as_py()]

    def find(self, name: str, number: int, masked: bool, rng: np.random.Generator) -> int:
        """The row of an image of this photograph, masked or bare.

        Raises:
            LookupError: it does not exist; the message says what is missing.
        """
        codes = self._codes.get(name, [])
        if not codes:
            raise LookupError(f"the runs have nobody called {name}")
        if len(codes) > 1:
            raise LookupError(f"the runs have {len(codes)} people called {name}")
        keys = [key for key, own in self._of(codes[0]).items() if own == number]
        if not keys:
            raise LookupError(f"{name} has no photograph {number}")
        rows = [row for row in self._rows(codes[0]) if self._images.keys[row].as_py() == keys[0]]
        fitting = [row for row in rows if bool(self._images.kind[row] > 0) == masked and self._is_first_face(row)]
        if not fitting:
            raise LookupError(f"{name}'s photograph {number} has no {'masked' if masked else 'bare'} image")
        return fitting[int(rng.integers(len(fitting)))]

    def _is_first_face(self, row: int) -> bool:
        return _SECOND_FACE.search(self._images.paths[row].as_py()) is None

    def _rows(self, code: int) -> Iterable[int]:
        low, high = np.searchsorted(self._images.person, [code, code + 1])
        return range(int(low), int(high))

    def _of(self, code: int) -> dict[str, int]:
        """Numbers of a person's photographs by key."""
        if code not in self._numbers:
            keys = sorted({self._images.keys[row].as_py() for row in self._rows(code)})
            self._numbers[code] = _numbers(keys, PurePosixPath(self._images.people[code].name).name)
        return self._numbers[code]


def _unique_names(people: Sequence[Person]) -> list[str]:
    """A name for each person that no other has, as short as it may be."""
    short = [PurePosixPath(person.name).name for person in people]
    many, paths = Counter(short), Counter(person.name for person in people)
    in_runs = any(count > 1 for count in paths.values())
    return [
        name if many[name] == 1 else f"{person.run}/{person.name}" if in_runs else person.name
        for name, person in zip(short, people, strict=True)
    ]


def _numbers(keys: Sequence[str], name: str) -> dict[str, int]:
    own = re.compile(re.escape(name) + r"_0*(\d+)", re.DOTALL)
    found = [own.fullmatch(PurePosixPath(key).stem) for key in keys]
    numbers = [int(match[1]) for match in found if match]
    if len(set(numbers)) < len(keys):
        numbers = list(range(1, len(keys) + 1))
    return dict(zip(keys, numbers, strict=True))
