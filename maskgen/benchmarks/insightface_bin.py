"""Any verification set in InsightFace's .bin: lfw.bin, cfp_fp.bin, agedb_30.bin, or one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskgen.core.reasons import UserError
from maskgen.formats.bin_sets import load_bin
from maskgen.formats.faults import ContainerError

from .base import Benchmark, BenchmarkPicture, BenchmarkSet


def read_bin(path: Path) -> BenchmarkSet:
    """See `BIN`.

    Raises:
        UserError: it is no such file, or has no pair.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file: give a .bin file.")
    try:
        encoded, same = load_bin(path)
    except ContainerError as error:
        raise UserError(f"{path} cannot be read: {error}.") from None
    if not same:
        raise UserError(f"{path} has no pair: give the whole file.")
    # No person is named: the two pictures of a genuine pair are one person, every other picture is a person of its own.
    person = [at // 2 if same[at // 2] else -1 - at for at in range(len(encoded))]
    pictures = tuple(BenchmarkPicture(str(at), str(person[at]), None) for at in range(len(encoded)))
    pairs = np.arange(len(encoded), dtype=np.int64).reshape(-1, 2)
    return BenchmarkSet(path, pictures, pairs, np.array(same, np.bool_), aligned=True, named=False)


BIN = Benchmark(
    name="bin",
    title="a verification set of InsightFace, one file: lfw.bin, cfp_fp.bin, agedb_30.bin, calfw.bin, cplfw.bin",
    obtain="https://github.com/deepinsight/insightface/tree/master/recognition/_datasets_",
    layout="one file: a pickle of encoded pictures, two a pair, and of truths; read without executing anything",
    licence="that of the set it was made from",
    protocol="its pairs, ten folds; the pictures are already aligned by InsightFace's template",
    source="recognition/arcface_torch/eval/verification.py of the same repository",
    read=read_bin,
)
