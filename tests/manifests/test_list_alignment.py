"""How the crops of runs and lists are aligned, as catalogues and reports say it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifest_makers import rows, write_run

from maskgen.core.reasons import UserError
from maskgen.manifests.list_alignment import alignment_of_list, alignment_of_run
from maskgen.pipelines.pairs.run import run_pairs
from maskgen.pipelines.pairs.settings import PairsSettings
from maskgen.trainer.data.lists import read_eval_pairs, read_training_list


def aligned_run(folder: Path, alignment: str, name: str = "p") -> Path:
    run = write_run(folder, rows(12, 4, ["bare", "n95"], name), pictures=True)
    table = pq.read_table(run / "catalogue.parquet")
    column = pa.array([alignment] * len(table))
    pq.write_table(table.append_column("alignment", column), run / "catalogue.parquet")
    return run


def addresses(*texts: str) -> pa.Array:
    return pa.array(texts, pa.large_string())


@pytest.mark.parametrize("paths", ["relative", "absolute"])
def test_lists_know_the_alignment_of_their_run(tmp_path: Path, paths: str) -> None:
    run, out = aligned_run(tmp_path / "run", "arcface"), tmp_path / "lists"
    report = run_pairs(PairsSettings(out=out, run=run, paths=paths, also=("rec", "tar")))
    assert report["runs"][0]["alignment"] == "arcface"
    assert alignment_of_run(run) == "arcface"
    for data in (out, out / "train.rec", out / "shards", out / "shards" / "train-00000.tar"):
        assert read_training_list(data).alignment == "arcface", data
    pairs = read_eval_pairs(out)[0]
    assert pairs is not None and pairs.alignment == "arcface"


def test_what_nobody_says_is_not_known(tmp_path: Path) -> None:
    run, out = write_run(tmp_path / "run", rows(12, 4, ["n95"]), pictures=True), tmp_path / "lists"
    run_pairs(PairsSettings(out=out, run=run))
    assert alignment_of_run(run) == read_training_list(out).alignment == ""
    assert alignment_of_list(tmp_path, addresses("a.jpg")) == ""
    aligned_run(tmp_path / "other", "arcface")
    run_pairs(PairsSettings(out=tmp_path / "known", run=tmp_path / "other"))
    assert alignment_of_list(tmp_path / "known", addresses("mine/1.jpg", "../run/2.jpg")) == ""
    for broken in ("{", "[]", '{"runs": [3]}', '{"runs": [{"folder": "a"}]}'):
        (tmp_path / "known" / "report.json").write_text(broken)
        assert alignment_of_list(tmp_path / "known", addresses("a/1.jpg")) == ""


def test_a_column_of_the_list_counts(tmp_path: Path) -> None:
    columns = {"alignment": addresses("facenet", "facenet")}
    assert alignment_of_list(tmp_path, addresses("a", "b"), columns) == "facenet"
    columns = {"alignment": addresses("facenet", "maskgen")}
    assert alignment_of_list(tmp_path, addresses("a", "b"), columns) == "facenet+maskgen"
    columns = {"alignment": addresses("facenet", "")}
    assert alignment_of_list(tmp_path, addresses("a", "b"), columns) == ""


def test_runs_of_two_alignments_are_refused(tmp_path: Path) -> None:
    train = aligned_run(tmp_path / "casia", "arcface")
    judged = aligned_run(tmp_path / "lfw", "maskgen", "q")
    asked = {"out": tmp_path / "lists", "train": (train,), "eval": (judged,)}
    says = (
        "The crops of casia are aligned as arcface, and those of lfw as maskgen: cut the pictures with --align "
        "arcface --size 112, or give --allow-misaligned."
    )
    with pytest.raises(UserError, match=says):
        run_pairs(PairsSettings(**asked))
    assert not (tmp_path / "lists").exists()
    told: list[str] = []
    run_pairs(PairsSettings(**asked, allow_misaligned=True), told.append)
    assert any(text.startswith("Warning: The crops of casia are aligned as arcface") for text in told)
    listed, pairs = read_training_list(tmp_path / "lists"), read_eval_pairs(tmp_path / "lists")[0]
    assert pairs is not None
    assert (listed.alignment, pairs.alignment) == ("arcface", "maskgen")


@pytest.mark.parametrize(("alignment", "warned"), [("arcface", False), ("maskgen", True), ("arcface-128", True)])
def test_formats_of_insightface_warn_of_other_crops(tmp_path: Path, alignment: str, warned: bool) -> None:
    run, told = aligned_run(tmp_path / "run", alignment), []
    run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("rec", "tar", "bin")), told.append)
    sentence = (
        "Warning: --also rec, bin is for recognisers that need crops of --align arcface, and those of run are aligned "
        f"as {alignment}: a pretrained model fails on them, and they do not match lfw.bin."
    )
    assert (sentence in told) is warned
