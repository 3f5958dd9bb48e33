"""MFR2, masked faces in real-world face recognition."""

from __future__ import annotations

from pathlib import Path

from maskgen.core.kindspec import BARE
from maskgen.core.reasons import UserError

from .base import Benchmark, BenchmarkSet, folder_of, list_file
from .pairs_txt import pairs_txt_set, read_pairs

_BARE = "no-mask"


def read_mfr2(folder: Path) -> BenchmarkSet:
    """See `MFR2`.

    Raises:
        UserError: the folder does not hold it.
    """
    labels = _labels(list_file(folder, "mfr2_labels.txt"))
    pairs = read_pairs(list_file(folder, "pairs.txt"))
    root = folder_of(folder, "mfr2")
    return pairs_txt_set(root, pairs, lambda person, number: labels.get((person, number)))


def _labels(path: Path) -> dict[tuple[str, int], str]:
    """The mask's name or BARE, by person and number, of lines `PERSON, 1, surgical_blue`."""
    found: dict[tuple[str, int], str] = {}
    for at, line in enumerate(path.read_text("utf-8-sig", errors="replace").splitlines(), 1):
        values = [value.strip() for value in line.split(",")]
        if len(values) == 3 and values[1].isdecimal():
            found[values[0], int(values[1])] = BARE if values[2] == _BARE else values[2]
        elif line.strip() and at > 1:  # the first line may be titles
            raise UserError(f"{path}: line {at} is not `PERSON, NUMBER, MASK`.")
    return found


MFR2 = Benchmark(
    name="mfr2",
    title="MFR2: 269 pictures of 53 public figures, bare and in real masks; 848 pairs",
    obtain="https://github.com/aqeelanwar/MaskTheFace, 'MFR2'",
    layout="mfr2_labels.txt, pairs.txt, and PERSON/PERSON_0001.png (also in a folder mfr2/)",
    licence="none stated for the pictures; the repository is MIT",
    protocol="the pairs of pairs.txt; masks by mfr2_labels.txt",
    source="README of MaskTheFace",
    read=read_mfr2,
)
