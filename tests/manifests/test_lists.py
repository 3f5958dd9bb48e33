"""Lists read back, and what the faces in them wear."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from manifest_makers import Row, rows, write_run

from maskgen.core.reasons import UserError
from maskgen.manifests.lists import read_image_list, read_pair_lists
from maskgen.manifests.mask_labels import mask_kinds_of, photographs_of
from maskgen.pipelines.cli import main


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    write_run(tmp_path / "run", rows(12, 3, ("bare", "surgical:#ff8800", "n95")), pictures=False)
    out = tmp_path / "lists"
    result = CliRunner().invoke(
        main, ["pairs", "--run", str(tmp_path / "run"), "--people", "0.4,0.3,0.3", "--verify", "names", str(out)]
    )
    assert result.exit_code == 0, result.output
    return out


def test_pairs_are_read_back_each_picture_once(lists: Path) -> None:
    names = ["eval_same.csv", "eval_diff.csv", "test.csv"]
    found = read_pair_lists([lists / name for name in names])
    addresses = found.addresses.to_pylist()
    assert len(set(addresses)) == len(addresses)
    for name in names:
        lines = [line.split(",") for line in (lists / name).read_text().splitlines()[1:]]
        assert [[addresses[a], addresses[b]] for a, b in found.pairs[name]] == [[line[0], line[2]] for line in lines]
        assert found.people[name].tolist() == [[int(line[1]), int(line[3])] for line in lines]
    assert found.named == dict.fromkeys(names, True)
    assert found.same("eval_same.csv").all()
    assert not found.same("eval_diff.csv").any()


def test_images_keep_their_columns(lists: Path) -> None:
    found = read_image_list(lists / "train.csv")
    assert found.root == lists
    assert len(found.addresses) == len(found.numbers("target"))
    with pytest.raises(UserError, match="no column box"):
        found.numbers("box")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path,target\na.jpg,1\n", "no column pair_path"),
        ("path,target,pair_path,pair_target\na.jpg,Ann,b.jpg,2\n", "'Ann'"),
        ("path,target,pair_path,pair_target\na.jpg,1\n", "instead of 4"),
        ("", "empty"),
    ],
)
def test_faults_of_a_list_name_it(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "test.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=says) as told:
        read_pair_lists([path])
    assert str(path) in str(told.value)
    with pytest.raises(UserError, match="not there"):
        read_pair_lists([tmp_path / "none.csv"])


def test_an_empty_list_of_pairs_is_a_list(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("path,target,pair_path,pair_target\n")
    found = read_pair_lists([tmp_path / "test.csv"])
    assert found.pairs["test.csv"].shape == (0, 2)
    assert found.same("test.csv").dtype == np.bool_


def test_the_catalogue_says_what_is_worn_and_without_it_the_name(lists: Path) -> None:
    addresses = read_image_list(lists / "train.csv").addresses
    kinds = mask_kinds_of(lists, addresses)
    assert set(kinds) == {"bare", "surgical:#ff8800", "n95"}
    assert all(f"__{kind}.jpg" in path for kind, path in zip(kinds, addresses.to_pylist(), strict=True))
    shutil.rmtree(lists.parent / "run")
    # A file's name cannot hold every sign of a kind's.
    shown = pa.array(["p/1__surgical-ff8800.jpg", "p/1__bare.f2.png", "a__b/1.jpg", "1.jpg"], pa.large_string())
    assert mask_kinds_of(lists, shown) == ["surgical-ff8800", "bare", "", ""]
    assert mask_kinds_of(lists.parent, shown) == ["surgical-ff8800", "bare", "", ""]


def test_pictures_of_one_photograph_are_known_by_the_catalogue_or_by_their_names(lists: Path) -> None:
    wanted = [
        Row("p", "1.jpg", "bare", "a" * 64), Row("p", "1.jpg", "n95", "a" * 64), Row("p", "copy.jpg", "n95", "a" * 64),
        Row("q", "1.jpg", "n95", "b" * 64),
    ]  # fmt: skip
    write_run(lists.parent / "run", wanted)
    names = [f"../run/{row.path}" for row in wanted]
    names += ["x/a__b__bare.jpg", "x/a__b__n95.f2.jpg", "x/a__n95.jpg", "y/a__n95.jpg", "x/a.jpg", "x/a.png"]
    codes = photographs_of(lists, pa.array(names, pa.large_string())).tolist()
    first = {code: codes.index(code) for code in codes}
    assert [first[code] for code in codes] == [0, 0, 0, 3, 4, 4, 6, 7, 8, 9]
    assert mask_kinds_of(lists, pa.array(names[4:6], pa.large_string())) == ["bare", "n95"]


def test_a_catalogue_without_hashes_knows_photographs_by_their_files(lists: Path) -> None:
    run = lists.parent / "run"
    write_run(run, [Row("p", "1.jpg", "bare"), Row("p", "1.jpg", "n95"), Row("q", "1.jpg", "n95")])
    table = pq.read_table(run / "catalogue.parquet")
    names = pa.array([f"../run/{path}" for path in table["path"].to_pylist()], pa.large_string())
    pq.write_table(table.drop_columns("source_sha256"), run / "catalogue.parquet")
    first, second, other = photographs_of(lists, names).tolist()
    assert first == second != other


@pytest.mark.parametrize("between", [";", "\t"])
def test_semicolons_and_tabs_are_read_as_commas_are(lists: Path, between: str) -> None:
    wanted = read_image_list(lists / "train.csv")
    text = (lists / "train.csv").read_text().replace(",", between)
    (lists / "other.csv").write_text(text)
    assert read_image_list(lists / "other.csv").columns == wanted.columns


@pytest.mark.parametrize("between", ["\t", ",", " "])
def test_two_paths_and_a_truth_are_pairs(tmp_path: Path, between: str) -> None:
    lines = ("a/1.jpg a/2.jpg 1", "a/2.jpg a/3.jpg 1", "b/1.jpg a/3.jpg 0", "b/1.jpg c/1.jpg 0")
    path = tmp_path / "pairs_label.txt"
    path.write_text("".join(line.replace(" ", between) + "\n" for line in lines))
    found = read_pair_lists([path])
    assert found.same(path.name).tolist() == [True, True, False, False]
    addresses = found.addresses.to_pylist()
    assert [[addresses[a], addresses[b]] for a, b in found.pairs[path.name]] == [line.split()[:2] for line in lines]
    a, b, c = (found.people[path.name][row, 0] for row in (0, 2, 2))
    assert len({a, b}) == 2 and b == c
    assert found.named == {path.name: False}


@pytest.mark.parametrize(("line", "says"), [("a/1.jpg a/3.jpg 0", "line 3"), ("a/1.jpg 1", "line 3")])
def test_pairs_that_contradict_one_another_or_are_none_are_told(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "pairs_label.txt"
    path.write_text(f"a/1.jpg a/2.jpg 1\na/2.jpg a/3.jpg 1\n{line}\n")
    with pytest.raises(UserError, match=says):
        read_pair_lists([path])


@pytest.mark.parametrize("gone", ["test.csv", "eval_same.csv", None])
def test_lists_that_were_not_written_to_the_end_are_refused(lists: Path, tmp_path: Path, gone: str | None) -> None:
    """A training on them would have no evaluation, or a part of the tars."""
    (lists / "report.json").rename(lists / "unfinished.json")
    (lists / "shards").mkdir()
    (lists / "shards" / "train-00000.tar").write_bytes(b"")
    if gone is not None:
        (lists / gone).unlink()
    run, out = str(tmp_path / "run2"), str(tmp_path / "out.parquet")
    for line in (
        ("train", "small", "--data", str(lists), "--run", run),
        ("train", "small", "--data", str(lists / "train.csv"), "--run", run),
        ("train", "small", "--data", str(lists / "shards"), "--run", run),
        ("evaluate", "dlib", "--data", str(lists)),
        ("evaluate", "dlib", "--data", str(lists / "test.csv")),
        ("embed", "dlib", str(lists / "train.csv"), out),
        ("pairs", "--run", str(tmp_path / "run"), "--test-pairs", str(lists / "eval_diff.csv"), run),
    ):
        if gone is not None and line[-1].endswith(gone):
            continue  # refused as not there
        result = CliRunner().invoke(main, line)
        assert result.exit_code == 2
        assert f"Error: {lists} holds lists that were not written to the end: wait for" in result.output, line
    assert not Path(run).exists() and not Path(out).exists() and not (lists / "judged").exists()
