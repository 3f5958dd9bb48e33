"""Catalogues read as one sorted table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifest_makers import KINDS, Row, rows, write_run

from maskgen.core.reasons import UserError
from maskgen.manifests.catalogue import digest, read_runs, run_names
from maskgen.manifests.schema import Person

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)


def test_images_are_sorted_and_coded(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", [*rows(2, 2, ["n95", "bare"], "b"), *rows(1, 1, ["kn95"], "a")])
    images = read_runs([("r", run)])
    assert images.people == (Person("r", "a000"), Person("r", "b000"), Person("r", "b001"))
    assert images.kinds == ("bare", "kn95", "n95")
    assert images.person.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert images.kind.tolist() == [1, 0, 2, 0, 2, 0, 2, 0, 2]
    assert images.source.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert images.paths[0].as_py() == "faces/a000/a000_0001__kn95.jpg"
    assert images.keys[0].as_py() == "a000/a000_0001.jpg"
    assert images.counts().tolist() == [1, 4, 4]


@SHARED
@given(order=st.permutations(range(30)))
def test_the_order_of_a_catalogue_does_not_matter(tmp_path: Path, order: list[int]) -> None:
    wanted = rows(3, 2, KINDS)
    first = read_runs([("r", write_run(tmp_path / "a" / "r", wanted))])
    again = read_runs([("r", write_run(tmp_path / "b" / "r", [wanted[i] for i in order]))])
    assert first.paths.equals(again.paths) and first.keys.equals(again.keys)
    for name in ("person", "kind", "source"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert (first.people, first.kinds) == (again.people, again.kinds)


LISTED = st.lists(
    st.builds(Row, st.sampled_from("ab"), st.sampled_from(["1.jpg", "10.jpg"]), st.sampled_from(KINDS), st.just("")),
    unique_by=lambda row: row.path,
    max_size=8,
)


@SHARED
@given(LISTED, LISTED, st.sampled_from(["s", ""]))
def test_images_are_those_of_plain_loops(tmp_path: Path, some: list[Row], others: list[Row], alike: str) -> None:
    runs = {"z": some, "y": [replace(row, sha256=alike) for row in others]}
    images = read_runs([(name, write_run(tmp_path / name, wanted)) for name, wanted in runs.items()])
    listed = sorted((Person(run, row.person), row.path, row) for run, wanted in runs.items() for row in wanted)
    people, kinds = sorted({one for one, _, _ in listed}), sorted({row.kind for _, _, row in listed})
    photographs = [row.sha256 or (one.run, row.person, row.photograph) for one, _, row in listed]
    seen = list(dict.fromkeys(photographs))
    assert images.people == tuple(people) and images.kinds == ("bare", *kinds)
    assert images.paths.to_pylist() == [path for _, path, _ in listed]
    assert images.keys.to_pylist() == [f"{row.person}/{row.photograph}" for _, _, row in listed]
    assert images.person.tolist() == [people.index(one) for one, _, _ in listed]
    assert images.kind.tolist() == [1 + kinds.index(row.kind) for _, _, row in listed]
    assert images.source.tolist() == [seen.index(one) for one in photographs]


def test_one_name_in_two_runs_is_two_people(tmp_path: Path) -> None:
    runs = [(name, write_run(tmp_path / name, rows(2, 1, ["n95"]))) for name in ("vgg", "casia")]
    images = read_runs(runs)
    people = [Person(run, name) for run in ("casia", "vgg") for name in ("p000", "p001")]
    assert images.people == tuple(people) and images.person.tolist() == [0, 1, 2, 3]


def test_the_same_bytes_are_one_photograph_wherever_they_lie(tmp_path: Path) -> None:
    some = write_run(tmp_path / "a", [Row("x", "1.jpg", "n95", "s"), Row("x", "2.jpg", "n95", "t")])
    other = write_run(tmp_path / "b", [Row("y", "9.jpg", "kn95", "t")])
    assert read_runs([("a", some), ("b", other)]).source.tolist() == [0, 1, 1]


def test_without_a_hash_the_photograph_goes_by_its_name(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", rows(2, 2, ["bare", "n95"]))
    table = pq.read_table(run / "catalogue.parquet")
    blank = pa.array([""] * len(table))
    pq.write_table(table.set_column(2, "source_sha256", blank), run / "catalogue.parquet")
    assert read_runs([("a", run)]).source.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_many_row_groups_and_an_empty_catalogue(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", rows(5, 3, KINDS))
    whole = read_runs([("a", run)])
    table = pq.read_table(run / "catalogue.parquet")
    pq.write_table(table, run / "catalogue.parquet", row_group_size=4)
    assert read_runs([("a", run)]).source.tolist() == whole.source.tolist()
    pq.write_table(table.slice(0, 0), run / "catalogue.parquet")
    empty = read_runs([("a", run)])
    assert len(empty) == 0 and empty.people == () and empty.kinds == ("bare",)


def test_take_keeps_people_and_codes(tmp_path: Path) -> None:
    images = read_runs([("r", write_run(tmp_path / "r", rows(3, 1, ["n95", "bare"])))])
    some = images.take(images.bare)
    assert some.people == images.people and some.person.tolist() == [0, 1, 2] and not some.kind.any()


def test_run_names_are_as_short_as_tells_them_apart(tmp_path: Path) -> None:
    folders = [tmp_path / "casia" / "masked", tmp_path / "lfw" / "masked"]
    assert run_names(folders[:1]) == ["masked"]
    assert run_names(folders) == ["casia/masked", "lfw/masked"]
    with pytest.raises(UserError, match="given twice"):
        run_names([folders[0], folders[0]])


@pytest.mark.parametrize("fault", ["absent", "broken", "column", "null", "twice"])
def test_a_catalogue_that_cannot_be_used_is_one_sentence(tmp_path: Path, fault: str) -> None:
    run = write_run(tmp_path / "r", rows(2, 2, ["n95"]))
    path = run / "catalogue.parquet"
    table = pq.read_table(path)
    if fault == "absent":
        path.unlink()
    elif fault == "broken":
        path.write_bytes(b"PAR1 but not really PAR1")
    elif fault == "column":
        pq.write_table(table.drop_columns(["kind"]), path)
    elif fault == "null":
        pq.write_table(table.set_column(4, "kind", pa.array(["n95", None, "n95", "n95"])), path)
    else:
        pq.write_table(pa.concat_tables([table, table]), path)
    with pytest.raises(UserError) as raised:
        read_runs([("r", run)])
    assert str(raised.value).count(". ") == 0 and str(raised.value).endswith(".")


def test_digest_is_of_the_file(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", rows(2, 2, ["n95"]))
    before = digest(run)
    assert len(before) == 64 and before == digest(run)
    write_run(run, rows(2, 3, ["n95"]))
    assert digest(run) != before
