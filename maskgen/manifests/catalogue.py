"""Catalogues of runs, read into one sorted table of images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from maskgen.core.kindspec import BARE
from maskgen.core.number_sets import by_appearance, numbered
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath

from .columns.photographs import photograph_codes
from .columns.run_columns import RunColumns, codes_of
from .columns.texts import GrowingTexts
from .schema import CATALOGUE, Bools, Ints, Person

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Images:
    """Images of one or several runs, sorted by person and then path, each path of a run once.

    Convention:
        - `paths`: large_string (n,), relative to the image's run, `/` between folders
        - `keys`: large_string (n,), the photograph's path relative to its source folder
        - `person`, `kind`, `source`: int32 (n,) codes. `person` indexes `people`, which is sorted by (run,
          name) and is ascending along the rows; `kind` indexes `kinds`, where 0 is "bare"; equal `source`
          means the same photograph, by the hash of its bytes, in any folder or run
    """

    paths: Any
    keys: Any
    person: Codes
    kind: Codes
    source: Codes
    people: tuple[Person, ...]
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        sizes = {len(self.paths), len(self.keys), len(self.person), len(self.kind), len(self.source)}
        if len(sizes) != 1:
            raise ValueError(f"columns of different lengths: {sorted(sizes)}")
        if not self.kinds or self.kinds[0] != BARE:
            raise ValueError(f"the first kind must be {BARE!r}, got {self.kinds[:1]}")
        if bool((np.diff(self.person) < 0).any()):
            raise ValueError("images must be sorted by person")

    def __len__(self) -> int:
        return len(self.person)

    @property
    def bare(self) -> Bools:
        """True where the image wears no mask, bool (n,)."""
        return np.asarray(self.kind == 0, np.bool_)

    def counts(self) -> Ints:
        """Images of each person, int64 (people,)."""
        return np.bincount(self.person, minlength=len(self.people)).astype(np.int64)

    def take(self, rows: NDArray[Any]) -> Images:
        """The images of these ascending rows, or where a mask is True, with the same people, kinds and codes."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        taken = pa.array(index)
        return self._with(self.paths.take(taken), self.keys.take(taken), index)

    def codes(self, rows: NDArray[Any]) -> Images:
        """As `take` of rows, without the texts: `paths` and `keys` are Arrow's nulls, which take no memory."""
        none = pa.nulls(len(rows))
        return self._with(none, none, rows)

    def _with(self, paths: Any, keys: Any, rows: NDArray[Any]) -> Images:
        columns = (self.person[rows], self.kind[rows], self.source[rows])
        return Images(paths, keys, *columns, self.people, self.kinds)


def read_runs(runs: Sequence[tuple[str, AnyPath]]) -> Images:
    """The images of several runs as one table.

    Args:
        runs: (name, folder) of each run; names differ.

    Raises:
        UserError: a catalogue is missing, unreadable, lacks a column or lists a path twice.
    """
    # In the order of the runs' names the images of sorted catalogues need no sorting.
    return _sorted_images([RunColumns.of(name, folder) for name, folder in sorted(runs, key=itemgetter(0))])


def digest(run: AnyPath) -> str:
    """The SHA-256 of a run's catalogue file, in hex."""
    catalogue = run / CATALOGUE
    if isinstance(catalogue, RemotePath):
        return hashlib.sha256(catalogue.read_bytes()).hexdigest()
    with catalogue.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run_names(folders: Sequence[AnyPath]) -> list[str]:
    """A name for each run folder: its own, prefixed with as many parents as needed to make all unique.

    Example:
        >>> run_names([Path("/data/casia/masked"), Path("/data/lfw/masked")])
        ['casia/masked', 'lfw/masked']

    Raises:
        UserError: a folder is given twice.
    """
    parts = [folder.resolve().parts for folder in folders]
    for folder, own in zip(folders, parts, strict=True):
        if parts.count(own) > 1:
            raise UserError(f"{folder} is given twice; give each run once (one run for everything is --run).")
    depth = 1
    while len({own[-depth:] for own in parts}) < len(parts):
        depth += 1
    return ["/".join(own[-depth:]).replace("//", "/") for own in parts]


def _sorted_images(runs: Sequence[RunColumns]) -> Images:
    """Read column by column: the hashes, which are the largest, are gone before the texts come."""
    source = photograph_codes(runs)
    person, people = _people(runs)
    kind, kinds = _kinds(runs)
    paths, order = _texts(runs, "path"), None
    if not _is_sorted(person, paths):
        order = pc.sort_indices(
            pa.table({"person": person, "path": paths}), [("person", "ascending"), ("path", "ascending")]
        )
        rows = order.to_numpy()
        paths = paths.take(order)
        person, kind, source = person[rows], kind[rows], source[rows]
        _refuse_repeats(person, paths, people)
    source = by_appearance(source).astype(np.int32, copy=False)
    keys = _texts(runs, "source")
    return Images(paths, keys if order is None else keys.take(order), person, kind, source, people, kinds)


def _texts(runs: Sequence[RunColumns], name: str) -> Any:
    texts = GrowingTexts()
    for run in runs:
        for (batch,) in run.batches(name):
            texts.add(batch)
    return texts.array()


def _people(runs: Sequence[RunColumns]) -> tuple[Codes, tuple[Person, ...]]:
    people: list[Person] = []
    parts = [np.empty(0, np.int32)]
    for run in runs:
        codes, names = codes_of(run.batches("person"))
        used, person = numbered(codes)
        parts.append(person.astype(np.int32) + len(people))
        people += [Person(run.run, names[code]) for code in used.tolist()]
    return np.concatenate(parts), tuple(people)


def _kinds(runs: Sequence[RunColumns]) -> tuple[Codes, tuple[str, ...]]:
    code, kinds = codes_of(batch for run in runs for batch in run.batches("kind"))
    ordered = [BARE, *(kind for kind in kinds if kind != BARE)]
    place = np.array([ordered.index(kind) for kind in kinds], np.int32)
    return place[code], tuple(ordered)


def _is_sorted(person: Codes, paths: Any) -> bool:
    if len(person) < 2:
        return True
    step = np.diff(person)
    rising = pc.less(paths.slice(0, len(paths) - 1), paths.slice(1)).to_numpy(zero_copy_only=False)
    return bool(((step > 0) | ((step == 0) & rising)).all())


def _refuse_repeats(person: Codes, paths: Any, people: tuple[Person, ...]) -> None:
    again = pc.equal(paths.slice(0, len(paths) - 1), paths.slice(1)).to_numpy(zero_copy_only=False)
    again = again & (np.diff(person) == 0)
    if again.any():
        row = int(np.flatnonzero(again)[0])
        where = f"the catalogue of {people[person[row]].run}"
        raise UserError(f"{where} lists {paths[row].as_py()} twice; write it again with `maskgen mask`.")
