"""`maskgen embed` as a person types it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from click.testing import CliRunner, Result
from support import posix, write_people

from maskgen.core.atomic_writes import atomic_file
from maskgen.core.images import read_photo
from maskgen.embedders.by_name import open_embedder
from maskgen.pipelines.cli import main
from maskgen.pipelines.embed import run as embed
from maskgen.trainer.checkpoints import Checkpoint, save_checkpoint
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["embed", *map(str, args)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    recipe = load_recipe("small", ["data.size=32", "model.dim=16"])
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "best", Checkpoint(recipe, build_model(recipe.model).state_dict()))
    return tmp_path / "best"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """Four people of five pictures, as a list of pictures and as one of pairs."""
    folder = tmp_path / "lists"
    write_people(folder, people=4, each=5)
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    rows = [f"{path},{path.split('/')[0].split()[1]},new" for path in paths]
    (folder / "train.csv").write_text("\n".join(["path,target,note", *rows]) + "\n")
    pairs = [f"{paths[a]},{a // 5},{paths[b]},{b // 5}" for a, b in ((0, 1), (1, 7), (0, 19))]
    (folder / "test.csv").write_text("\n".join(["path,target,pair_path,pair_target", *pairs]) + "\n")
    return folder


def test_every_picture_with_its_row(model: Path, lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "_GROUP", 1)
    monkeypatch.setattr("maskgen.pipelines.embedding.BATCH", 6)
    out = tmp_path / "new" / "train.parquet"
    out.parent.mkdir()
    (out.parent / ".train.parquet.12345.part").write_bytes(b"of a start that was killed")
    result = call(model, lists / "train.csv", out)
    assert result.exit_code == 0, result.output
    table = pq.read_table(out)
    assert table.column_names == ["path", "target", "note", "embedding"]
    assert table.schema.metadata[b"model"] == b"small"
    lines = (lists / "train.csv").read_text().splitlines()[1:]
    assert [f"{row['path']},{row['target']},{row['note']}" for row in table.to_pylist()] == lines
    images = [read_photo(lists / line.split(",")[0]).image for line in lines]
    own = open_embedder(str(model)).embed(images)
    np.testing.assert_allclose(np.array(table["embedding"].to_pylist()), own, atol=1e-5)
    assert pq.read_metadata(out).num_row_groups == 4
    assert [path.name for path in out.parent.iterdir()] == ["train.parquet"]


def test_a_run_without_best_gives_its_last_and_says_so(model: Path, lists: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(model, run / "last")
    for command in (
        ["export", "%s", tmp_path / "a.onnx"],
        ["embed", "%s", lists / "train.csv", tmp_path / "a.parquet"],
    ):
        said = [
            CliRunner().invoke(main, [str(word).replace("%s", str(of)) for word in command])
            for of in (run, run / "last")
        ]
        assert [result.exit_code for result in said] == [0, 0]
        assert f"{run} has no best/: its last/ is taken." in said[0].output
        assert "has no best/" not in said[1].output


@posix
def test_two_processes_may_write_one_file(
    model: Path, lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.parquet"
    assert call(model, lists / "train.csv", out).exit_code == 0
    whole = out.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: 4711)  # as if another process wrote it
        other = atomic_file(out)
        file = other.__enter__()
    file.write(whole)
    out.unlink()
    assert call(model, lists / "train.csv", out).exit_code == 0
    other.__exit__(None, None, None)
    assert out.read_bytes() == whole
    assert not list(tmp_path.glob(".*"))


def test_a_folder_is_no_file_to_write(model: Path, lists: Path, tmp_path: Path) -> None:
    for command in (["embed", model, lists / "train.csv", tmp_path], ["export", model, tmp_path]):
        result = CliRunner().invoke(main, [*map(str, command)])
        assert result.exit_code == 2
        assert f"{tmp_path} is a folder: name the file" in result.output


def test_a_folder_is_no_list_and_an_empty_list_no_pictures(model: Path, lists: Path, tmp_path: Path) -> None:
    refused = call(model, lists, tmp_path / "a.parquet")
    assert refused.exit_code == 2
    said = " ".join(refused.output.split())
    assert f"{lists} is a folder: name a list in it, as {lists / 'train.csv'}." in said
    (lists / "gallery.csv").touch()
    assert str(lists / "gallery.csv") in " ".join(call(model, lists, tmp_path / "a.parquet").output.split())
    (lists / "none.csv").write_text("path,target\n")
    said = " ".join(call(model, lists / "none.csv", tmp_path / "a.parquet").output.split())
    assert "none.csv names no picture: give a list with a row for each." in said
    assert not list(tmp_path.glob("a.parquet"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody may write to, root included")
def test_a_folder_that_may_not_be_written_is_named(model: Path, lists: Path) -> None:
    result = call(model, lists / "train.csv", "/proc/train.parquet")
    assert result.exit_code == 2
    assert "Error: /proc/train.parquet" in result.output


def test_pairs_give_each_picture_once(model: Path, lists: Path, tmp_path: Path) -> None:
    out = tmp_path / "test.parquet"
    assert call(model, lists / "test.csv", out).exit_code == 0
    rows = pq.read_table(out).to_pylist()
    assert [(row["path"], row["target"]) for row in rows] == [
        ("person 0/00.png", 0), ("person 0/01.png", 0), ("person 1/02.png", 1), ("person 3/04.png", 3),
    ]  # fmt: skip


def test_broken_pictures_are_left_out_and_counted(model: Path, lists: Path, tmp_path: Path) -> None:
    (lists / "person 1/02.png").write_bytes(b"no picture")
    (lists / "person 1/03.png").unlink()
    out = tmp_path / "train.parquet"
    result = call(model, lists / "train.csv", out)
    assert result.exit_code == 3
    assert "Warning: person 1/02.png is left out" in result.output
    assert "18 embeddings of 16 numbers" in result.output and "2 pictures could not be read" in result.output
    assert len(pq.read_table(out)) == 18


def test_a_list_of_nothing_that_is_there_writes_nothing(model: Path, lists: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\n" + "gone.png\n" * 13)
    result = call(model, tmp_path / "list.csv", tmp_path / "out.parquet")
    assert result.exit_code == 2
    assert "correct its paths" in result.output
    assert "3 more pictures are left out" in result.output
    assert not list(tmp_path.glob("*out.parquet*"))
    again = call(model, lists / "train.csv", tmp_path / "a.parquet")
    assert again.exit_code == 0
    (tmp_path / "list.csv").write_text("path,embedding\na.png,1\n")
    assert "a column embedding already" in call(model, tmp_path / "list.csv", tmp_path / "b.parquet").output


def test_label_pairs_give_each_picture_once_and_no_person(tmp_path: Path) -> None:
    from maskgen.pipelines.embed.run import _columns

    listed = tmp_path / "pairs_label.txt"
    # The third pair shows the person of the first, and no line says so.
    listed.write_text("a/1.jpg\ta/2.jpg\t1\na/1.jpg\tb/1.jpg\t0\na/3.jpg\ta/4.jpg\t1\n")
    columns = _columns(listed)
    assert sorted(columns["path"].to_pylist()) == ["a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "b/1.jpg"]
    assert set(columns) == {"path"}


def refused(*command: object) -> str:
    result = CliRunner().invoke(main, [*map(str, command)])
    assert result.exit_code == 2, result.output
    return " ".join(result.output.split())


def test_a_list_is_not_written_over(model: Path, lists: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.parquet"  # the columns are read from the text, whatever the name
    shutil.copy(lists / "train.csv", listed)
    before = listed.read_bytes()
    assert "is an input of this command" in refused("embed", model, listed, listed)
    (tmp_path / "other.parquet").hardlink_to(listed)
    assert "is an input of this command" in refused("embed", model, listed, tmp_path / "other.parquet")
    assert "is an input of this command" in refused("embed", "dlib", lists / "train.csv", lists / "train.csv")
    assert listed.read_bytes() == before


@pytest.mark.parametrize("given", ["best", "best/model.safetensors", ""])
def test_weights_are_not_written_over(model: Path, lists: Path, tmp_path: Path, given: str) -> None:
    training = tmp_path / "training"
    shutil.copytree(model, training / "best")
    weights = training / "best" / "model.safetensors"
    before = weights.read_bytes()
    for command in (["export", training / given], ["embed", training / given, lists / "train.csv"]):
        told = refused(*command, weights)
        assert "does not end with" in told or "is an input of this command" in told
    assert weights.read_bytes() == before


@pytest.mark.parametrize("suffix", [".csv", "", ".parquet.part"])
def test_a_file_to_write_has_the_suffix_of_its_kind(model: Path, lists: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    assert f"does not end with .parquet: name a file such as {tmp_path}/out" in refused(
        "embed", model, lists / "train.csv", out
    )
    assert "does not end with .onnx" in refused("export", model, out)
    assert not out.exists()


def test_a_file_of_another_origin_is_kept(model: Path, lists: Path, tmp_path: Path) -> None:
    out = tmp_path / "catalogue.parquet"
    tables = [b"", b"PAR1 no table", parquet_bytes(pa.table({"path": ["a.png"]})), catalogue_like()]
    for data in tables:
        out.write_bytes(data)
        assert "is not of `maskgen embed`" in refused("embed", model, lists / "train.csv", out)
        assert out.read_bytes() == data
    onnx = pytest.importorskip("onnx")
    foreign = onnx.ModelProto(producer_name="another", ir_version=8).SerializeToString()
    network = tmp_path / "network.onnx"
    for data in (b"", b"no model \xff", foreign):
        network.write_bytes(data)
        assert "is not of `maskgen export`" in refused("export", model, network)
        assert network.read_bytes() == data


def parquet_bytes(table: pa.Table) -> bytes:
    file = pa.BufferOutputStream()
    pq.write_table(table, file)
    return bytes(file.getvalue())


def catalogue_like() -> bytes:
    """A table with metadata of this program that holds no embeddings."""
    return parquet_bytes(pa.table({"path": ["a.png"]}).replace_schema_metadata({"maskgen": "1", "model": "x"}))


def test_a_file_of_ones_own_is_replaced(model: Path, lists: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    for command in (
        ["embed", model, lists / "train.csv", tmp_path / "new" / "a.PARQUET"],
        ["export", model, tmp_path / "new" / "a.onnx"],
    ):
        for _ in range(2):
            result = CliRunner().invoke(main, [*map(str, command)])
            assert result.exit_code == 0, result.output
