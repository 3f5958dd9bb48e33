"""Writing of manifests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath

from .catalogue import Images
from .csv_table import joined, stretches, write_columns, write_csv
from .plan import Manifests
from .schema import (
    EVAL_DIFF,
    EVAL_SAME,
    IMAGE_COLUMNS,
    PAIR_COLUMNS,
    PEOPLE,
    PEOPLE_COLUMNS,
    TEST,
    TRAIN,
    Ints,
    Pairs,
)


class PathWriter:
    """Formats image paths for the manifests, from the folder of each run.

    Example:
        >>> PathWriter.prefix(Path("/data/run"), Path("/data/out"), absolute=False)
        '../run/'
    """

    def __init__(self, images: Images, prefixes: Mapping[str, str]) -> None:
        self._paths = images.paths
        self._person = images.person
        starts = [prefixes[person.run] for person in images.people]
        self._prefix = pa.array(starts, pa.large_string())

    def __call__(self, rows: Ints) -> Any:
        """Paths of these rows, large_string (n,)."""
        prefix = self._prefix.take(pa.array(self._person[rows]))
        return joined(prefix, self._paths.take(pa.array(rows)))

    @staticmethod
    def prefix(run: AnyPath, out: Path, absolute: bool) -> str:
        """The prefix of a run's paths, `/` between folders.

        Raises:
            UserError: no relative path exists, as between two Windows drives.
        """
        if isinstance(run, RemotePath):
            return f"{run}/"
        if absolute:
            return run.resolve().as_posix().rstrip("/") + "/"
        try:
            relative = Path(os.path.relpath(run.resolve(), out.resolve())).as_posix()
        except ValueError as error:
            raise UserError(f"no relative path leads from {out} to {run}: give --paths absolute.") from error
        return "" if relative == "." else relative + "/"


def write_manifests(manifests: Manifests, out: Path, paths: PathWriter) -> dict[str, int]:
    """Write train.csv, eval_same.csv, eval_diff.csv, test.csv and people.csv; rows of each by file name."""
    trial = trial_pairs(manifests)
    pairs = {EVAL_SAME: manifests.eval.same, EVAL_DIFF: manifests.eval.diff, TEST: trial}
    rows = {TRAIN: write_csv(out / TRAIN, IMAGE_COLUMNS, _image_rows(manifests, paths))}
    for name, drawn in pairs.items():
        grouped = drawn.take(np.argsort(targets_of(manifests, drawn.first), kind="stable"))
        rows[name] = write_csv(out / name, PAIR_COLUMNS, _pair_rows(manifests, grouped, paths))
    rows[PEOPLE] = _write_people(manifests, out)
    return rows


def targets_of(manifests: Manifests, rows: Ints) -> Ints:
    """The targets of these images, int64 (n,)."""
    return manifests.target[manifests.images.person[rows]]


def trial_pairs(manifests: Manifests) -> Pairs:
    """The test pairs in the order of test.csv: genuine and impostor pairs mixed, by target and then path."""
    both = Pairs.joined([manifests.test.same, manifests.test.diff])
    return both.take(np.lexsort((both.second, both.first, targets_of(manifests, both.first))))


def _image_rows(manifests: Manifests, paths: PathWriter) -> Iterator[tuple[Any, Any]]:
    for part in stretches(manifests.train):
        yield paths(part), pa.array(targets_of(manifests, part))


def _pair_rows(manifests: Manifests, pairs: Pairs, paths: PathWriter) -> Iterator[tuple[Any, Any, Any, Any]]:
    for part in stretches(np.arange(len(pairs))):
        first, second = pairs.first[part], pairs.second[part]
        targets = (pa.array(targets_of(manifests, rows)) for rows in (first, second))
        yield paths(first), next(targets), paths(second), next(targets)


def _write_people(manifests: Manifests, out: Path) -> int:
    images = manifests.images
    used = images.counts()
    trained = np.bincount(images.person[manifests.train], minlength=len(used))
    people = np.argsort(manifests.target)
    columns = (
        pa.array(manifests.target[people]),
        pa.array([images.people[code].name for code in people], pa.large_string()),
        pa.array([images.people[code].run for code in people], pa.large_string()),
        pa.array(np.where(trained > 0, trained, used)[people]),
        pa.array([manifests.split[code] for code in people], pa.large_string()),
    )
    return write_columns(out / PEOPLE, PEOPLE_COLUMNS, columns)
