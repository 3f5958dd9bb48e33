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
    target = manifests.target[manifests.images.person]
    trial = trial_pairs(manifests)
    pairs = {EVAL_SAME: manifests.eval.same, EVAL_DIFF: manifests.eval.diff, TEST: trial}
    rows = {TRAIN: write_csv(out / TRAIN, IMAGE_COLUMNS, _image_rows(trained_rows(manifests), target, paths))}
    for name, drawn in pairs.items():
        grouped = drawn.take(np.argsort(target[drawn.first], kind="stable"))
        rows[name] = write_csv(out / name, PAIR_COLUMNS, _pair_rows(grouped, target, paths))
    rows[PEOPLE] = _write_people(manifests, out)
    return rows


def trial_pairs(manifests: Manifests) -> Pairs:
    """The test pairs in the order of test.csv: genuine and impostor pairs mixed, by target and then path."""
    both = Pairs.joined([manifests.test.same, manifests.test.diff])
    target = manifests.target[manifests.images.person[both.first]]
    return both.take(np.lexsort((both.second, both.first, target)))


def trained_rows(manifests: Manifests) -> Ints:
    """The images of train.csv in its order: by target."""
    target = manifests.target[manifests.images.person[manifests.train]]
    return manifests.train[np.argsort(target, kind="stable")]


def _image_rows(rows: Ints, target: Ints, paths: PathWriter) -> Iterator[tuple[Any, Any]]:
    for part in stretches(rows):
        yield paths(part), pa.array(target[part])


def _pair_rows(pairs: Pairs, target: Ints, paths: PathWriter) -> Iterator[tuple[Any, Any, Any, Any]]:
    for part in stretches(np.arange(len(pairs))):
        first, second = pairs.first[part], pairs.second[part]
        yield paths(first), pa.array(target[first]), paths(second), pa.array(target[second])


def _write_people(manifests: Manifests, out: Path) -> int:
    images = manifests.images
    used = images.counts()
    trained = np.bincount(images.person[manifests.train], minlength=len(used))
    people = sorted(range(len(used)), key=lambda code: int(manifests.target[code]))
    columns = (
        pa.array([int(manifests.target[code]) for code in people], pa.int64()),
        pa.array([images.people[code].name for code in people], pa.large_string()),
        pa.array([images.people[code].run for code in people], pa.large_string()),
        pa.array([int(trained[code] or used[code]) for code in people], pa.int64()),
        pa.array([str(manifests.split[code]) for code in people], pa.large_string()),
    )
    return write_columns(out / PEOPLE, PEOPLE_COLUMNS, columns)
