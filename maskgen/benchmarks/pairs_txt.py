"""Benchmarks with a pairs.txt of pairs by name and number, as in LFW."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from maskgen.core.reasons import UserError
from maskgen.manifests.formats.lfw_pairs import ListedPair, load_lfw_pairs

from .base import BenchmarkPicture, BenchmarkSet, numbered, pair_arrays

Masked = Callable[[str, int], bool | None]


def read_pairs(path: Path) -> list[ListedPair]:
    """The pairs of a pairs.txt.

    Raises:
        UserError: it is not a valid pairs.txt.
    """
    try:
        return load_lfw_pairs(path)
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: {error}.") from None


def pairs_txt_set(root: Path, pairs: Iterable[ListedPair], masked: Masked) -> BenchmarkSet:
    """The pictures of the pairs, below `root`; pairs with a missing picture are left out."""
    rows: dict[tuple[str, int], int | None] = {}
    pictures: list[BenchmarkPicture] = []
    missing: list[str] = []

    def row(person: str, number: int) -> int | None:
        key = (person, number)
        if key not in rows:
            path = numbered(root, person, number)
            rows[key] = None if path is None else len(pictures)
            if path is None:
                missing.append(f"{person} {number}")
            else:
                pictures.append(BenchmarkPicture(path, person, masked(person, number)))
        return rows[key]

    found = [(row(one.name, one.number), row(one.other, one.other_number), one.same) for one in pairs]
    whole = [(first, second, same) for first, second, same in found if first is not None and second is not None]
    if not whole:
        raise UserError(
            f"{root} has no picture that the pairs name: give the folder that holds PERSON/PERSON_0001.jpg."
        )
    return BenchmarkSet(root, tuple(pictures), *pair_arrays(whole), missing=tuple(missing))
