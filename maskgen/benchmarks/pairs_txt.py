"""Benchmarks with a pairs.txt of pairs by name and number, as in LFW."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from maskgen.core.kindspec import BARE
from maskgen.core.reasons import UserError
from maskgen.manifests.formats.lfw_pairs import ListedPair, load_lfw_pairs

from .base import BenchmarkPicture, BenchmarkSet, numbered, pair_arrays

Worn = Callable[[str, int], str | None]  # the mask of a person's picture: BARE, its name, or None if unknown


def read_pairs(path: Path) -> list[ListedPair]:
    """The pairs of a pairs.txt.

    Raises:
        UserError: it is not a valid pairs.txt, or has no pair.
    """
    try:
        pairs = load_lfw_pairs(path)
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: {error}.") from None
    if not pairs:
        raise UserError(f"{path} has no pair: give the whole file.")
    return pairs


def pairs_txt_set(root: Path, pairs: Iterable[ListedPair], worn: Worn) -> BenchmarkSet:
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
                pictures.append(_picture(path, person, worn(person, number)))
        return rows[key]

    found = [(row(one.name, one.number), row(one.other, one.other_number), one.same) for one in pairs]
    whole = [(first, second, same) for first, second, same in found if first is not None and second is not None]
    if not whole:
        raise UserError(
            f"{root} has no picture that the pairs name: give the folder that holds PERSON/PERSON_0001.jpg."
        )
    return BenchmarkSet(root, tuple(pictures), *pair_arrays(whole), missing=tuple(missing))


def _picture(path: str, person: str, kind: str | None) -> BenchmarkPicture:
    if kind is None:
        return BenchmarkPicture(path, person, None)
    return BenchmarkPicture(path, person, kind != BARE, "" if kind == BARE else kind)
