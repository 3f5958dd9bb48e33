"""Columns in batches, and photographs by their bytes, against plain loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifest_makers import Row, write_run

from maskgen.manifests.columns import run_columns
from maskgen.manifests.columns.photographs import equal_codes, photograph_codes
from maskgen.manifests.columns.run_columns import RunColumns, codes_of
from maskgen.manifests.columns.texts import GrowingTexts

HASHES = ("", "s", "ü" * 32, "ab" * 32, "cd" * 32, "AB" * 32, "x" * 64)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)


def of(folder: Path, hashes: list[str]) -> RunColumns:
    """A run of three photographs, each listed several times, with these hashes."""
    columns = {name: pa.array(["a"] * len(hashes), pa.string()) for name in ("path", "person", "kind")}
    columns["source"] = pa.array([f"a/{i % 3}" for i in range(len(hashes))], pa.string())
    columns["source_sha256"] = pa.array(hashes, pa.string())
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / "catalogue.parquet")
    return RunColumns.of(folder.name, folder)


def pattern(values: list[object]) -> list[list[bool]]:
    """Which of them are equal."""
    return [[one == other for other in values] for one in values]


@SHARED
@given(st.lists(st.sampled_from(HASHES), max_size=9), st.lists(st.sampled_from(HASHES), max_size=9))
def test_codes_are_equal_where_the_hashes_are(tmp_path: Path, some: list[str], others: list[str]) -> None:
    codes = photograph_codes([of(tmp_path / "a", some), of(tmp_path / "b", others)])
    named = [sha256.lower() or (run, i % 3) for run, ones in enumerate((some, others)) for i, sha256 in enumerate(ones)]
    assert pattern(codes.tolist()) == pattern(named)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 2**64 - 1])), max_size=20))
def test_pairs_of_numbers_are_equal_where_both_are(pairs: list[tuple[int, int]]) -> None:
    codes = equal_codes(np.array(pairs, np.uint64).reshape(-1, 2))
    assert pattern(codes.tolist()) == pattern(pairs)


def test_a_column_in_batches_has_the_codes_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_columns, "_ROWS_AT_ONCE", 2)
    run = write_run(tmp_path / "r", [Row(name, "1.jpg", "n95") for name in "cabacabbd"])
    codes, names = codes_of(RunColumns.of("r", run).batches("person"))
    assert names == ["a", "b", "c", "d"] and [names[code] for code in codes] == list("cabacabbd")


@SHARED
@given(st.lists(st.lists(st.text(max_size=3), max_size=4), max_size=5), st.integers(0, 2))
def test_texts_in_batches_are_the_texts_in_one(batches: list[list[str]], skip: int) -> None:
    texts = GrowingTexts()
    for batch in batches:
        texts.add(pa.array(batch, pa.string()).slice(skip))
    expected = [text for batch in batches for text in batch[skip:]]
    assert len(texts) == len(expected) and texts.array().to_pylist() == expected
