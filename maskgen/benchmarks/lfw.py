"""Labeled Faces in the Wild."""

from __future__ import annotations

from pathlib import Path

from maskgen.core.kindspec import BARE

from .base import Benchmark, BenchmarkSet, folder_of, list_file
from .pairs_txt import pairs_txt_set, read_pairs


def read_lfw(folder: Path) -> BenchmarkSet:
    """See `LFW`.

    Raises:
        UserError: the folder does not hold it.
    """
    pairs = list_file(folder, "pairs.txt", "pairs.csv", "lfw_pairs.txt")
    root = folder_of(folder, "lfw", "lfw-deepfunneled", "lfw_funneled")
    return pairs_txt_set(root, read_pairs(pairs), lambda person, number: BARE)


LFW = Benchmark(
    name="lfw",
    title="Labeled Faces in the Wild: 13,233 photographs of 5,749 people; 6,000 pairs, all bare",
    obtain="http://vis-www.cs.umass.edu/lfw (scikit-learn and Kaggle pass it on)",
    layout="pairs.txt, and lfw/PERSON/PERSON_0001.jpg (also lfw-deepfunneled/, or the people's folders themselves)",
    licence="for research; the photographs come from the press",
    protocol="the pairs of pairs.txt, ten folds",
    source="README of LFW, 'pairs.txt file format'",
    read=read_lfw,
)
