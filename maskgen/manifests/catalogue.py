"""Catalogues of runs, read into one sorted table of images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from maskgen.core.number_sets import by_appearance, numbered
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.formats.local_or_remote_files import parquet_of

from .schema import BARE, CATALOGUE, Bools, Ints, Person

Codes = NDArray[np.int32]

_COLUMNS = ("path", "source", "source_sha256", "person", "kind")
_OTHERS = "picture_face"


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
        columns = (self.person[index], self.kind[index], self.source[index])
        return Images(self.paths.take(taken), self.keys.take(taken), *columns, self.people, self.kinds)


def read_runs(runs: Sequence[tuple[str, AnyPath]]) -> Images:
    """The images of several runs as one table.

    Args:
        runs: (name, folder) of each run; names differ.

    Raises:
        UserError: a catalogue is missing, unreadable, lacks a column or lists a path twice.
    """
    tables = [_with_run(_read_catalogue(folder), name) for name, folder in runs]
    return _sorted_images(pa.concat_tables(tables, promote_options="permissive"))


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


def _read_catalogue(run: AnyPath) -> Any:
    path = run / CATALOGUE
    if not path.is_file():
        raise UserError(f"{run} has no {CATALOGUE}; give the folder that a finished `maskgen mask` wrote.")
    try:
        names = set(pq.read_schema(parquet_of(path)).names)
        missing = sorted(set(_COLUMNS) - names)
        if missing:
            raise UserError(f"{path} lacks the column {missing[0]!r}; write it again with `maskgen mask`.")
        # Dictionary columns hold one string per person, not one per image.
        packed = ["person", "kind", "source_sha256"]
        # A picture with several masked faces has a row for each; older catalogues have one per picture.
        only = pc.field(_OTHERS) == 0 if _OTHERS in names else None
        table = pq.read_table(
            parquet_of(path), columns=list(_COLUMNS), read_dictionary=packed, partitioning=None, filters=only
        )
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read ({_first_line(error)}); write it again.") from error
    for name in _COLUMNS:
        if table[name].null_count:
            raise UserError(f"{path} has {table[name].null_count} rows without {name}; write it again.")
    return table


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")


def _with_run(table: Any, name: str) -> Any:
    wide = {"path": pa.large_string(), "source": pa.large_string()}
    for column, kind in wide.items():
        table = table.set_column(table.column_names.index(column), column, table[column].cast(kind))
    run = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(table), np.int32)), pa.array([name]))
    return table.append_column("run", run)


def _encoded(column: Any) -> tuple[Codes, Any]:
    """A dictionary column as codes, int32 (n,), and their values."""
    encoded = column.unify_dictionaries().combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32), encoded.dictionary


def _codes(column: Any) -> tuple[Codes, list[str]]:
    """Codes of a dictionary column, int32 (n,), by the sorted order of its values, and those values."""
    codes, dictionary = _encoded(column)
    values = dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    place = np.empty(len(values), np.int32)
    place[order] = np.arange(len(values), dtype=np.int32)
    return place[codes], [values[i] for i in order]


def _sorted_images(table: Any) -> Images:
    person, people = _people(table)
    kind, kinds = _kinds(table["kind"])
    source = _sources(table)
    paths, keys = (_flat(table[name]) for name in ("path", "source"))
    del table
    if not _is_sorted(person, paths):
        order = pc.sort_indices(
            pa.table({"person": person, "path": paths}), [("person", "ascending"), ("path", "ascending")]
        )
        rows = order.to_numpy()
        paths, keys = paths.take(order), keys.take(order)
        person, kind, source = person[rows], kind[rows], source[rows]
        _refuse_repeats(person, paths, people)
    return Images(paths, keys, person, kind, by_appearance(source).astype(np.int32), people, kinds)


def _people(table: Any) -> tuple[Codes, tuple[Person, ...]]:
    name, names = _codes(table["person"])
    run, runs = _codes(table["run"])
    both = run.astype(np.int64) * max(len(names), 1) + name
    used, person = numbered(both)
    people = (Person(runs[code // len(names)], names[code % len(names)]) for code in used.tolist())
    return person.astype(np.int32), tuple(people)


def _kinds(column: Any) -> tuple[Codes, tuple[str, ...]]:
    code, kinds = _codes(column)
    ordered = [BARE, *(kind for kind in kinds if kind != BARE)]
    place = np.array([ordered.index(kind) for kind in kinds], np.int32)
    return (place[code] if len(place) else code), tuple(ordered)


def _sources(table: Any) -> Codes:
    """Codes of the photographs: by the hash of their bytes, or by run and key if a catalogue has no hash."""
    codes, hashes = _encoded(table["source_sha256"])
    without = np.flatnonzero(pc.equal(hashes, "").to_numpy(zero_copy_only=False))
    if len(without):
        rows = np.isin(codes, without)
        wide = pa.large_string()
        named = pc.binary_join_element_wise(table["run"].cast(wide), table["source"], pa.scalar("\n", wide))
        codes[rows] = len(hashes) + _encoded(named.dictionary_encode())[0][rows]
    return codes


def _flat(column: Any) -> Any:
    flat = column.combine_chunks()
    return pa.array([], pa.large_string()) if isinstance(flat, pa.ChunkedArray) else flat


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
