"""A training list with its pictures as WebDataset reads it: tars of samples, each a picture, a .cls and a .json.

The samples are shuffled once, since a loader reads each tar in order: .cls is the target of train.csv, the name the
row's number there, and the .json says the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from maskgen.core.seeding import rng_for
from maskgen.formats.tars.writer import TarWriter, json_of

from ..schema import Ints

FOLDER = "shards"
PATTERN = "train-*.tar"
EACH = 5000  # samples a tar: 50 MB of faces of 160 pixels

# Of a row of the list: the picture's file, its suffix, its target, and what else is known of it.
Sample = tuple[bytes, str, int, dict[str, Any]]


def save_tar_set(folder: Path, samples: Callable[[Ints], Iterator[Sample]], total: int, seed: int) -> list[Path]:
    """Write the tars; each is there whole or not at all.

    Args:
        samples: the samples of some of the list's rows, in the order asked for.
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
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with TarWriter(part) as tar:
            for row, (picture, suffix, target, known) in zip(rows.tolist(), samples, strict=True):
                tar.add(f"{row:09}.{suffix}", picture)
                tar.add(f"{row:09}.cls", str(target).encode())
                tar.add(f"{row:09}.json", json_of(known))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
