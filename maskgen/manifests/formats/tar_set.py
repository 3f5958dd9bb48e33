"""A training list with its pictures for WebDataset: tars of samples, each with a picture, a .cls and a .json.

The samples are shuffled once, because a loader reads each tar in order. .cls is the target of train.csv, the sample's
name is the row number there, and the .json has the other metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from maskgen.core.atomic_writes import atomic_path
from maskgen.core.seeding import rng_for
from maskgen.formats.tars.writer import TarWriter, json_of

from ..schema import Ints

FOLDER = "shards"
PATTERN = "train-*.tar"
EACH = 5000  # samples per tar: 50 MB of faces of 160 pixels

# For a row of the list: the picture's file, its suffix, its target, and its metadata.
Sample = tuple[bytes, str, int, dict[str, Any]]


def save_tar_set(folder: Path, samples: Callable[[Ints], Iterator[Sample]], total: int, seed: int) -> list[Path]:
    """Write the tars, each atomically.

    Args:
        samples: returns the samples of given rows, in their order.
        total: rows of the list.
    """
    order = rng_for(seed, "order of the tars").permutation(total)
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    written = []
    for number, start in enumerate(range(0, total, EACH)):
        rows = order[start : start + EACH]
        path = folder / FOLDER / f"train-{number:05}.tar"
        _save(path, rows, samples(rows))
        written.append(path)
    return written


def _save(path: Path, rows: Ints, samples: Iterator[Sample]) -> None:
    with atomic_path(path) as part, TarWriter(part) as tar:
        for row, (picture, suffix, target, known) in zip(rows.tolist(), samples, strict=True):
            tar.add(f"{row:09}.{suffix}", picture)
            tar.add(f"{row:09}.cls", str(target).encode())
            tar.add(f"{row:09}.json", json_of(known))
