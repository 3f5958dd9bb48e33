"""The folder for a hub of data sets: opened as it is by `datasets`, and by MLCommons' reader of Croissant."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from manifest_makers import Row, rows, write_run
from PIL import Image

from maskgen.core.reasons import UserError
from maskgen.pipelines.pairs.run import run_pairs
from maskgen.pipelines.pairs.settings import PairsSettings

# Loaders of image folders take such names for those of splits, and leave out everybody else.
PEOPLE = ("dev_patel", "test", "train", "validation", 'anna: "#1" - é', "eval_smith")


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    named = [Row(who, f"{at}.jpg", kind) for who in PEOPLE for at in range(3) for kind in ("bare", "n95")]
    run = write_run(folder / "run", [*named, *rows(12, 3, ["bare", "n95"])], pictures=True)
    settings = PairsSettings(
        out=folder / "lists", run=run, also=("hub",), license="cc-by-nc-4.0", consent='signed: "yes", #3'
    )
    run_pairs(settings)
    return folder / "lists"


def trained(lists: Path) -> list[dict[str, str]]:
    with (lists / "train.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def people(lists: Path) -> dict[int, str]:
    with (lists / "people.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["target"]): row["person"] for row in csv.DictReader(file)}


def test_datasets_opens_the_folder_as_it_is(lists: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(str(lists / "hub"), cache_dir=str(tmp_path))
    assert list(found) == ["train"]
    wanted = {Path(row["path"]).name + row["target"]: row for row in trained(lists)}
    names, seen = people(lists), found["train"]
    assert len(seen) == len(wanted)
    assert {row["person"] for row in seen} == {names[int(row["target"])] for row in wanted.values()}
    held = sorted((row["target"], np.asarray(row["image"]).tobytes()) for row in seen)
    own = ((int(row["target"]), np.asarray(Image.open(lists / row["path"])).tobytes()) for row in wanted.values())
    assert held == sorted(own)
    for row in seen:
        assert row["person"] == names[row["target"]]
        assert row["kind"] in ("bare", "n95")
    assert [row["target"] for row in seen] != sorted(row["target"] for row in seen)  # mixed


def test_datasets_opens_the_test_pairs_too(lists: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(str(lists / "hub"), "verification", split="test", cache_dir=str(tmp_path))
    with (lists / "test.csv").open(encoding="utf-8", newline="") as file:
        wanted = list(csv.DictReader(file))
    assert [row["same"] for row in found] == [row["target"] == row["pair_target"] for row in wanted]
    first = np.asarray(found[0]["pair_image"])
    assert np.array_equal(first, np.asarray(Image.open(lists / wanted[0]["pair_path"])))


def test_datasets_notices_rows_that_are_missing(lists: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    told = datasets.load_dataset_builder(str(lists / "hub"), cache_dir=str(tmp_path / "a")).info
    assert told.splits["train"].num_examples == len(trained(lists))
    assert told.splits["train"].num_bytes == next((lists / "hub" / "data").iterdir()).stat().st_size
    shutil.copytree(lists / "hub", tmp_path / "hub")
    path = tmp_path / "hub" / "data" / "train-00000-of-00001.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(Exception, match="num_examples"):
        datasets.load_dataset(str(tmp_path / "hub"), cache_dir=str(tmp_path / "b"))


def test_datasets_streams_it(lists: Path) -> None:
    datasets = pytest.importorskip("datasets")
    stream = datasets.load_dataset(str(lists / "hub"), split="train", streaming=True)
    assert len(list(stream)) == len(trained(lists))


def test_croissant_reads_pictures_and_columns(lists: Path, caplog: pytest.LogCaptureFixture) -> None:
    croissant = pytest.importorskip("mlcroissant")
    told = croissant.Dataset(jsonld=str(lists / "hub" / "croissant.json"))
    assert not told.metadata.ctx.issues.errors
    # Properties that only the publisher can fill in.
    assert sorted(text.split('"')[1].rpartition("/")[2] for text in told.metadata.ctx.issues.warnings) == [
        "citeAs",
        "datePublished",
        "version",
    ]
    assert "not standard" not in caplog.text
    assert told.metadata.license == ["cc-by-nc-4.0"]
    found = list(told.records("default"))
    assert len(found) == len(trained(lists))
    names = people(lists)
    assert {row["default/person"].decode() for row in found} <= set(names.values())
    assert {type(row["default/target"]) for row in found} <= {int, np.int64}
    assert np.asarray(found[0]["default/image"]).shape == (48, 48, 3)


def head(lists: Path) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    text = (lists / "hub" / "README.md").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_the_card_says_licence_consent_and_what_to_load(lists: Path) -> None:
    found = head(lists)
    assert found["license"] == "cc-by-nc-4.0"
    assert found["consent"] == 'signed: "yes", #3'
    assert [(one["config_name"], one["data_files"][0]["split"]) for one in found["configs"]] == [
        ("default", "train"),
        ("verification", "test"),
    ]
    text = (lists / "hub" / "README.md").read_text("utf-8")
    with (lists / "test.csv").open(encoding="utf-8", newline="") as file:
        shown = {row[name] for row in csv.DictReader(file) for name in ("target", "pair_target")}
    assert f"Face crops of {len(shown | {row['target'] for row in trained(lists)})} people" in text
    assert "signed:" in text.split("---\n")[2]
    about = json.loads((lists / "hub" / "croissant.json").read_text("utf-8"))
    assert "signed:" in about["rai:personalSensitiveInformation"]


def test_the_parquet_holds_the_files_as_they_are_and_bytes_repeat(lists: Path, tmp_path: Path) -> None:
    table = pq.read_table(lists / "hub" / "data" / "train-00000-of-00001.parquet")
    held = sorted(one["bytes"] for one in table["image"].to_pylist())
    assert held == sorted((lists / row["path"]).read_bytes() for row in trained(lists))
    assert Image.open(io.BytesIO(held[0])).size == (48, 48)
    again = tmp_path / "lists"
    told: list[str] = []
    run_pairs(PairsSettings(out=again, run=lists.parent / "run", also=("hub",)), told.append)
    for name in ("data/train-00000-of-00001.parquet", "verification/test-00000-of-00001.parquet"):
        assert (again / "hub" / name).read_bytes() == (lists / "hub" / name).read_bytes()
    assert any("--license and --consent" in text for text in told)
    assert head(again)["license"] == "unknown"


def test_fewer_rows_leave_no_files_of_an_earlier_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskgen.manifests.hub.parquet.EACH", 10)
    run = write_run(tmp_path / "run", rows(12, 4, ["bare", "n95"]), pictures=True)
    report = run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("hub",)))
    made = list((tmp_path / "lists" / "hub" / "data").iterdir())
    assert len(made) == -(-report["rows"]["train.csv"] // 10)
    run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("hub",), balance=2, overwrite=True))
    assert len(list((tmp_path / "lists" / "hub" / "data").iterdir())) < len(made)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"license": "mit"}, "--license is for the card of --also hub"),
        ({"consent": "yes", "also": ("rec",)}, "--consent is for the card of --also hub"),
        ({"consent": "a\nb", "also": ("hub",)}, "--consent must be one line of text"),
        ({"license": " ", "also": ("hub",)}, "--license must be one line of text"),
    ],
)
def test_what_the_card_cannot_say_is_refused(tmp_path: Path, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        PairsSettings(out=tmp_path / "lists", run=tmp_path, **settings)
