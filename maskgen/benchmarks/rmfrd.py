"""RMFRD, the real-world masked face recognition dataset of Wuhan University."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from maskgen.core.reasons import UserError
from maskgen.core.seeding import rng_for

from .base import PICTURES, Benchmark, BenchmarkPicture, BenchmarkSet, folder_of, pair_arrays

MASKED, BARE = "AFDB_masked_face_dataset", "AFDB_face_dataset"
EACH = 10  # bare pictures per person that are compared; the set has up to a thousand


def read_rmfrd(folder: Path) -> BenchmarkSet:
    """See `RMFRD`.

    Raises:
        UserError: the folder does not hold it.
    """
    root = folder_of(folder, "self-built-masked-face-recognition-dataset")
    for name in (MASKED, BARE):
        if not (root / name).is_dir():
            raise UserError(f"{root} has no folder {name}: give the folder that holds {MASKED} and {BARE}.")
    masked, bare = _people(root, MASKED), _people(root, BARE)
    shared = sorted(set(masked) & set(bare))
    pictures = [
        BenchmarkPicture(path, person, is_masked)
        for person in shared
        for is_masked, paths in ((True, masked[person]), (False, _spread(bare[person])))
        for path in paths
    ]
    if len(shared) < 2:
        raise UserError(
            f"{root} has fewer than two people in both {MASKED} and {BARE}: give the whole set, unpacked completely."
        )
    return BenchmarkSet(root, tuple(pictures), *pair_arrays(_pairs(pictures)))


def _people(root: Path, name: str) -> dict[str, list[str]]:
    """Pictures by person, in order."""
    found: dict[str, list[str]] = {}
    for folder in sorted(path for path in (root / name).iterdir() if path.is_dir()):
        paths = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in PICTURES)
        if paths:
            found[folder.name] = [f"{name}/{folder.name}/{path}" for path in paths]
    return found


def _spread(paths: Sequence[str]) -> list[str]:
    """At most EACH, evenly over the list."""
    return [paths[at * len(paths) // EACH] for at in range(EACH)] if len(paths) > EACH else list(paths)


def _pairs(pictures: Sequence[BenchmarkPicture]) -> Iterator[tuple[int, int, bool]]:
    """Each masked picture with bare ones of its person, and with as many bare ones of others, by a fixed seed."""
    rng = rng_for(0, "rmfrd")
    bare = [row for row, one in enumerate(pictures) if not one.masked]
    people = np.array([pictures[row].person for row in bare])
    for row, one in enumerate(pictures):
        if not one.masked:
            continue
        own = [at for at, person in zip(bare, people, strict=True) if person == one.person]
        others = np.array(bare)[people != one.person]
        yield from ((row, at, True) for at in own)
        yield from ((row, int(at), False) for at in rng.choice(others, len(own), replace=len(others) < len(own)))


RMFRD = Benchmark(
    name="rmfrd",
    title="RMFRD: 5,000 masked and 90,000 bare pictures of 525 public figures, cut from the web",
    obtain="https://github.com/X-zhangyang/Real-World-Masked-Face-Dataset",
    layout=f"{MASKED}/PERSON/*.jpg and {BARE}/PERSON/*.jpg",
    licence="free for research, as its README says; labels are known to hold errors",
    protocol=f"it has no list of pairs: each masked picture against up to {EACH} bare ones of its person and as many "
    "of others, by a fixed seed",
    source="README of the repository; its folders as github.com/AvLab-CV/Masked-Face-Recognition reads them",
    read=read_rmfrd,
)
