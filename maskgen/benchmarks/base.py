"""The base of all benchmarks: a description, and a reader of the folder."""

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
    """One picture: its path below the benchmark's root with "/", its person, and whether it shows a mask.

    Attributes:
        masked: None if the benchmark does not state it.
        kind: the mask's name, "" without a mask or if the benchmark does not state it.
    """

    path: str
    person: str
    masked: bool | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class BenchmarkSet:
    """The content of a benchmark.

    Attributes:
        root: base folder of the paths, or a container with pictures named by number.
        pictures: each once.
        pairs: int64 (n, 2), rows of `pictures`.
        same: bool (n,), whether a pair shows one person.
        missing: pictures that the lists name and the folder lacks.
        aligned: the pictures are face crops, so no face is detected.
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
        obtain: where to get it.
        layout: the required content of the folder.
        licence: the owners' terms of use.
        protocol: the pairs that are compared.
        source: the source of the layout.
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
    """The first of the folders `path/NAME` that exists, else `path` itself.

    Raises:
        UserError: `path` is not a folder.
    """
    if not path.is_dir():
        raise UserError(f"{path} is no folder: give the folder of the benchmark.")
    return next((path / name for name in names if (path / name).is_dir()), path)


def list_file(path: Path, *names: str) -> Path:
    """The first of the files `path/NAME` that exists.

    Raises:
        UserError: none exists.
    """
    for name in names:
        if (path / name).is_file():
            return path / name
    raise UserError(f"{path} has no {' or '.join(names)}: give the folder of the benchmark.")


def numbered(root: Path, person: str, number: int) -> str | None:
    """PERSON/PERSON_0001 with its suffix on disk, relative to `root`; None if it does not exist."""
    stem = f"{person}/{person}_{number:04}"
    if ".." in stem.split("/") or "/" in person:
        return None
    return next((stem + suffix for suffix in PICTURES if (root / (stem + suffix)).is_file()), None)


def pair_arrays(pairs: Iterable[tuple[int, int, bool]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(first, second, same) as the arrays of a `BenchmarkSet`."""
    listed = list(pairs)
    rows = np.array([one[:2] for one in listed], np.int64).reshape(-1, 2)
    return rows, np.array([one[2] for one in listed], np.bool_)
