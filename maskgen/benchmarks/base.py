"""What every benchmark has in common: a description for a person, and a reader of its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskgen.core.reasons import UserError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True, slots=True)
class BenchmarkPicture:
    """One picture: its path below the benchmark's root with "/", whose it is, and whether a mask is worn.

    Attributes:
        masked: None where the benchmark does not say.
    """

    path: str
    person: str
    masked: bool | None


@dataclass(frozen=True, slots=True)
class BenchmarkSet:
    """A benchmark as it was read.

    Attributes:
        root: folder that paths start from, or a container whose pictures are named by their numbers.
        pictures: each once.
        pairs: int64 (n, 2), rows of `pictures`.
        same: bool (n,), whether a pair shows one person.
        missing: what the lists name and the folder does not have.
        aligned: the pictures are crops of faces already, and no face is searched.
        named: `person` of a picture is a person's name; otherwise each picture of an impostor pair counts as a person.
    """

    root: Path
    pictures: tuple[BenchmarkPicture, ...]
    pairs: NDArray[np.int64]
    same: NDArray[np.bool_]
    missing: tuple[str, ...] = ()
    aligned: bool = False
    named: bool = True


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark.

    Attributes:
        name: as `maskgen evaluate --benchmark` takes it.
        title: what it holds.
        obtain: where a person gets it.
        layout: what the folder must hold.
        licence: what its owners say about use.
        protocol: which pairs are compared.
        source: where the layout was read.
        read: reads the folder (or file).
    """

    name: str
    title: str
    obtain: str
    layout: str
    licence: str
    protocol: str
    source: str
    read: Callable[[Path], BenchmarkSet]


def folder_of(path: Path, *names: str) -> Path:
    """The first of the folders `path/NAME` that is there, else `path` itself.

    Raises:
        UserError: `path` is no folder.
    """
    if not path.is_dir():
        raise UserError(f"{path} is no folder: give the folder of the benchmark.")
    return next((path / name for name in names if (path / name).is_dir()), path)


def list_file(path: Path, *names: str) -> Path:
    """The first of the files `path/NAME` that is there.

    Raises:
        UserError: none is.
    """
    for name in names:
        if (path / name).is_file():
            return path / name
    raise UserError(f"{path} has no {' or '.join(names)}: give the folder of the benchmark.")


def numbered(root: Path, person: str, number: int) -> str | None:
    """PERSON/PERSON_0001 with the suffix that it has on disk, relative to `root`; None where it is not there."""
    stem = f"{person}/{person}_{number:04}"
    if ".." in stem.split("/") or "/" in person:
        return None
    return next((stem + suffix for suffix in PICTURES if (root / (stem + suffix)).is_file()), None)


def pair_arrays(pairs: Iterable[tuple[int, int, bool]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(first, second, same) as the arrays of a `BenchmarkSet`."""
    listed = list(pairs)
    rows = np.array([one[:2] for one in listed], np.int64).reshape(-1, 2)
    return rows, np.array([one[2] for one in listed], np.bool_)
