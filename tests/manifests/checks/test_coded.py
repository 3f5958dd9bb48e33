"""Lists as numbers, read batch by batch, against Python's own csv module and a plain dictionary."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskgen.manifests import csv_table
from maskgen.manifests.checks import coded, spelling
from maskgen.manifests.checks.coded import coded_lists
from maskgen.manifests.checks.list_reading import ListsReader

PATHS = st.sampled_from(["a/1.jpg", "a/2.jpg", "b/1.jpg", 'b/"2", 3.jpg', "c.jpg", "t.tar/b/1.jpg", ""])
TARGETS = st.sampled_from(["0", "1", "23", "x", "-1"])
IMAGES = st.lists(st.tuples(PATHS, TARGETS), max_size=20)
PAIRS = st.lists(st.tuples(PATHS, TARGETS, PATHS, TARGETS), max_size=20)
NAMES = ("path", "target", "pair_path", "pair_target")
FOLDERS = {"a/1.jpg": "a", "a/2.jpg": "a", "b/1.jpg": "b", 'b/"2", 3.jpg': "b", "c.jpg": "", "t.tar/b/1.jpg": "b"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(IMAGES, PAIRS, st.sampled_from([64, 128, 1 << 20]))
def test_codes_are_those_of_a_dictionary(
    tmp_path: Path, images: list[tuple[str, ...]], pairs: list[tuple[str, ...]], size: int
) -> None:
    reader = ListsReader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "_BYTES_AT_ONCE", size)
        patch.setattr(coded, "_AT_ONCE", 3)
        patch.setattr(spelling, "_AT_ONCE", 3)
        found = {}
        for name, rows in (("train.csv", images), ("test.csv", pairs)):
            with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([NAMES[: 2 if name == "train.csv" else 4], *rows])
            found[name] = {one.check: one for one in reader.read(tmp_path / name)}
        lists = coded_lists(reader.lists, reader.paths.array(), tmp_path)
    seen: set[int] = set()
    for one, rows in zip(lists.lists, (images, pairs), strict=True):
        bad = [at for at, row in enumerate(rows, 1) if not all(text.isdecimal() for text in row[1::2])]
        targets = found[one.name]["targets that are not whole numbers from 0"]
        assert targets.count == len(bad)
        assert targets.examples == tuple(f"row {at}: {rows[at - 1][0]}" for at in bad[:3])
        assert found[one.name]["rows without a path"].count == sum(not all(row[::2]) for row in rows)
        good = [row for row in rows if all(row[::2]) and all(text.isdecimal() for text in row[1::2])]
        assert [[lists.path(code) for code in row] for row in one.codes] == [list(row[::2]) for row in good]
        assert one.targets.tolist() == [[int(text) for text in row[1::2]] for row in good]
        seen |= set(one.codes.ravel().tolist())
    texts = [lists.path(code) for code in sorted(seen)]
    assert lists.distinct.tolist() == sorted(seen) and len(set(texts)) == len(texts)
    folders = [FOLDERS[text] for text in lists.paths.to_pylist()]
    assert [[a == b for b in lists.folder] for a in lists.folder] == [[a == b for b in folders] for a in folders]
