"""Test pairs as InsightFace's .bin: a pickle of encoded pictures, two per pair, and whether each pair is genuine."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path

from maskgen.core.atomic_writes import atomic_file


def save_bin(path: Path, pictures: Iterable[bytes], same: Sequence[bool]) -> None:
    """Write a .bin for InsightFace's and other loaders.

    Args:
        pictures: encoded pictures, first and second of each pair in turn.
        same: whether each pair is genuine.

    Raises:
        ValueError: the number of pictures is not twice the number of pairs.
    """
    encoded = list(pictures)
    if len(encoded) != 2 * len(same):
        raise ValueError(f"{len(encoded)} pictures for {len(same)} pairs")
    with atomic_file(path) as file:
        pickle.dump((encoded, [bool(value) for value in same]), file, protocol=4)
