"""Training lists with their pictures, read back by readers that are not ours."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full_disk import full_after
from manifest_makers import rows, slow_records, write_run

from maskgen.core.reasons import UserError
from maskgen.manifests.formats import recordio_set
from maskgen.manifests.formats.recordio_set import save_recordio_set
from maskgen.manifests.formats.tar_set import save_tar_set
from maskgen.pipelines.pairs.run import run_pairs
from maskgen.pipelines.pairs.settings import PairsSettings


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    run = write_run(tmp_path / "run", rows(12, 4, ["bare", "n95"]), pictures=True)
    run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("rec", "tar"), picture_size=48))
    return tmp_path / "lists"


def trained(lists: Path) -> list[dict[str, Any]]:
    with (lists / "train.csv").open(encoding="utf-8", newline="") as file:
        return [
            {"target": int(row["target"]), "path": row["path"], "data": (lists / row["path"]).read_bytes()}
            for row in csv.DictReader(file)
        ]


def test_the_record_set_is_as_insightface_wants_it(lists: Path) -> None:
    records, wanted = slow_records(lists), trained(lists)
    end, people_end = map(int, records[0][0])
    assert end == len(wanted) + 1 and records[0][1] == b""
    for number, row in enumerate(wanted, 1):
        assert records[number] == ([row["target"]], row["data"])
    people = sorted({row["target"] for row in wanted})
    assert people == list(range(people_end - end))
    for target in people:
        first, last = map(int, records[end + target][0])
        assert {wanted[number - 1]["target"] for number in range(first, last)} == {target}
        assert last - first == sum(row["target"] == target for row in wanted)
    assert set(records) == set(range(people_end))
    assert (lists / "property").read_text() == f"{len(people)},48,48"
    lst = [line.split("\t") for line in (lists / "train.lst").read_text().splitlines()]
    assert lst == [[str(at), str(row["target"]), row["path"]] for at, row in enumerate(wanted, 1)]


def test_mxnet_reads_it_as_insightfaces_dataset_does(lists: Path) -> None:
    python = os.environ.get("MASKGEN_MXNET_PYTHON")
    if not python:
        pytest.skip("MASKGEN_MXNET_PYTHON names no Python with mxnet==1.9.1 and numpy==1.23.5")
    script = Path(__file__).parents[1] / "read_with_mxnet.py"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, script, lists], capture_output=True, text=True, env=environment, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    wanted = [[row["target"], [48, 48, 3], hashlib.sha256(row["data"]).hexdigest()] for row in trained(lists)]
    assert told["pictures"] == wanted
    assert [last - first for first, last in told["ranges"]] == [8] * len(told["ranges"])


def test_a_webdataset_loader_gives_the_targets_of_the_list(lists: Path) -> None:
    wds = pytest.importorskip("webdataset")
    wanted = trained(lists)
    shards = sorted(map(str, (lists / "shards").glob("train-*.tar")))
    samples = list(wds.WebDataset(shards, shardshuffle=False).decode().to_tuple("__key__", "cls", "json"))
    assert sorted(int(key) for key, _, _ in samples) == list(range(len(wanted)))
    assert [int(key) for key, _, _ in samples] != list(range(len(wanted)))  # shuffled
    for key, target, told in samples:
        assert target == told["target"] == wanted[int(key)]["target"]
        assert told["path"] == wanted[int(key)]["path"]


def test_its_tars_hold_the_pictures_as_they_are(lists: Path) -> None:
    wanted = trained(lists)
    with tarfile.open(lists / "shards" / "train-00000.tar") as archive:
        names = archive.getnames()
        assert len(names) == 3 * len(wanted)
        for name in names[::3]:
            file = archive.extractfile(name)
            assert file is not None and file.read() == wanted[int(name.partition(".")[0])]["data"]


def test_pictures_of_another_size_are_made_to_fit_and_bytes_repeat(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", rows(12, 3, ["n95"]), pictures=True)
    for name in ("a", "b"):
        run_pairs(PairsSettings(out=tmp_path / name, run=run, also=("rec", "tar", "rec"), picture_size=32))
    names = ("train.rec", "train.idx", "train.lst", "property", "shards/train-00000.tar")
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)
    assert slow_records(tmp_path / "a")[1][1][:2] == b"\xff\xd8"


def test_tars_are_cut_and_stale_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskgen.manifests.formats.tar_set.EACH", 10)
    run = write_run(tmp_path / "run", rows(12, 4, ["bare", "n95"]), pictures=True)
    settings = PairsSettings(out=tmp_path / "lists", run=run, also=("tar",))
    report = run_pairs(settings)
    made = sorted(path.name for path in (tmp_path / "lists" / "shards").iterdir())
    total = report["rows"]["train.csv"]
    assert len(made) == -(-total // 10) and sum(report["rows"][f"shards/{name}"] for name in made) == total
    run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("tar",), balance=2, overwrite=True))
    assert len(list((tmp_path / "lists" / "shards").iterdir())) < len(made)


def test_an_export_that_fails_leaves_no_halves(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", rows(12, 4, ["bare", "n95"]), pictures=True)
    for path in (run / "faces").rglob("*.jpg"):
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match="does not decode"):
        run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("rec",)))
    assert not (tmp_path / "lists" / "train.rec").exists() and not list((tmp_path / "lists").glob(".*"))

    def samples(part: Any) -> Any:
        yield b"x", "jpg", 0, {}
        raise KeyError("a fault")

    with pytest.raises(KeyError):
        save_tar_set(tmp_path / "tars", samples, 5, 0)
    assert list((tmp_path / "tars" / "shards").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        *(("tar", "shards/train-00000.tar"), ("lmdb", "train.lmdb"), ("rec", "train.rec"), ("bin", "test.bin")),
        *(("adaface", "test/memfile/mem_file.dat"), ("hub", "hub/data/train-00000-of-00001.parquet")),
    ],
)
def test_a_full_disk_is_told_with_the_files_name(tmp_path: Path, name: str, file: str) -> None:
    if name == "lmdb":
        pytest.importorskip("lmdb")
    run, out = write_run(tmp_path / "run", rows(12, 4, ["bare", "n95"]), pictures=True), tmp_path / "lists"
    settings = PairsSettings(out=out, run=run, also=(name,), picture_size=32, verify="names")
    with full_after(10_000), pytest.raises(OSError, match="File too large") as caught:
        run_pairs(settings)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(out / file))
    assert not (out / file).exists() and not list(out.rglob(".*"))
    run_pairs(settings)
    assert (out / file).is_file()


def test_more_than_float32_can_number_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordio_set, "_MOST", 4)
    with pytest.raises(UserError, match="--balance"):
        save_recordio_set(tmp_path, [b"x"] * 4, np.zeros(4, np.int64), ["p"] * 4, 8)


@pytest.mark.parametrize("name", ["rec", "tar", "cvlface", "adaface", "facexzoo", "lmdb", "hub", "lfw", "label", "bin"])
def test_a_format_that_would_hold_nothing_is_refused(tmp_path: Path, name: str) -> None:
    """The readers fail on an empty set, some with no more than an index error."""
    run, out = write_run(tmp_path / "run", rows(4, 2, ["bare", "n95"]), pictures=True), tmp_path / "lists"
    both = ("adaface", "hub")
    for options, what in (({"eval": (run,)}, "training images"), ({"train": (run,)}, "test pairs")):
        later = [{"run": run, "people": (0.5, 0.5, 0.0)}] if what == "test pairs" else []
        if (what == "test pairs") == (name in ("lfw", "label", "bin")):
            for runs in (options, *later):  # by the options alone, and by what was drawn
                with pytest.raises(UserError, match=f"There are no {what} for --also {name}: leave it out"):
                    run_pairs(PairsSettings(out=out, also=(name,), picture_size=32, overwrite=True, **runs))
            assert not out.exists()
            continue
        settings = PairsSettings(out=out, also=(name,), picture_size=32, overwrite=True, **options)
        if "train" in options and name in both:
            run_pairs(settings)
            assert not (out / "test").exists() and not (out / "hub" / "verification").exists()
