"""Runs that take their faces from another run, and runs over aligned crops, with the real library on drawn people."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from support import catalogue, picture, set_aside, tree, write

from maskgen.api import draw_sample
from maskgen.faces.detect import MtcnnDetector
from maskgen.pipelines.cli import main


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn people of three pictures each, and one picture without a face."""
    folder = tmp_path_factory.mktemp("drawn") / "people"
    draw_sample(folder, 2, 3)
    write(folder / "person_01" / "wall.png", picture(1, side=64))
    return folder


@pytest.fixture(scope="module")
def first(drawn: Path) -> Path:
    """A run of all masks over them."""
    return mask(drawn, drawn.parent / "first", per_photo="all", bare=True)


def invoke(source: Path, out: Path, **options: Any) -> Any:
    words = ["mask", str(source), str(out), "--workers", str(options.pop("workers", 1))]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return CliRunner().invoke(main, words)


def mask(source: Path, out: Path, **options: Any) -> Path:
    result = invoke(source, out, **options)
    assert result.exit_code in (0, 3), result.output
    return out


def reused(out: Path) -> int:
    return int(json.loads((out / "timing.json").read_text())["faces_reused"])


@pytest.mark.parametrize(
    "options",
    [
        {"seed": 5, "kinds": "n95,kn95", "size": 112, "margin": 0.4, "format": "png"},
        {"crop": "none", "per_photo": 2, "segmentation": True, "workers": 2},
        {"unmasked_share": 0.5, "quality": 80},
    ],
)
def test_a_run_is_the_same_with_faces_of_another_and_without(
    drawn: Path, first: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    fresh = mask(drawn, tmp_path / "fresh", **options)
    again = mask(drawn, tmp_path / "again", **options, reuse=first)
    assert tree(again) == tree(fresh)
    assert (reused(fresh), reused(again)) == (0, 6)


def test_known_faces_are_not_searched_for(
    drawn: Path, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []
    detect = MtcnnDetector.detect

    def counted(self: MtcnnDetector, images: Any, include_small: bool = False) -> Any:
        searched.append(len(images))
        return detect(self, images, include_small)

    monkeypatch.setattr(MtcnnDetector, "detect", counted)
    mask(drawn, tmp_path / "again", seed=9, reuse=first)
    assert sum(searched) == 1  # the wall, which the first run set aside


def test_new_and_changed_photographs_are_searched(drawn: Path, first: Path, tmp_path: Path) -> None:
    source = tmp_path / "people"
    shutil.copytree(drawn, source)
    shutil.copy(source / "person_02" / "01.png", source / "person_01" / "04.png")  # new under this name
    shutil.copy(source / "person_02" / "03.png", source / "person_01" / "02.png")  # another under a known name
    again = mask(source, tmp_path / "again", seed=2, reuse=first)
    fresh = mask(source, tmp_path / "fresh", seed=2)
    assert reused(again) == 5
    assert tree(again) == tree(fresh)


def test_every_face_of_a_whole_photograph_is_known_again(drawn: Path, tmp_path: Path) -> None:
    source = tmp_path / "groups"
    pair = np.concatenate([cv2.imread(str(path)) for path in sorted(drawn.glob("*/02.png"))], axis=1)
    write(source / "pair.png", cv2.imencode(".png", pair)[1].tobytes())
    options = {"faces": "all", "crop": "none"}
    one = mask(source, tmp_path / "one", **options)
    again = mask(source, tmp_path / "again", **options, reuse=one, seed=4)
    assert reused(again) == 1
    assert [(row["face"], row["picture_face"], row["faces_found"]) for row in catalogue(again)] == [
        (0, 0, 2),
        (1, 1, 2),
    ]
    assert len({row["path"] for row in catalogue(again)}) == 1
    report = json.loads((again / "report.json").read_text())
    assert (report["images"], report["faces"], report["several_faces"]) == (1, 2, 1)
    assert tree(again) == tree(mask(source, tmp_path / "fresh", **options, seed=4))


def test_a_run_goes_on_with_and_without_reuse(drawn: Path, first: Path, tmp_path: Path) -> None:
    whole = mask(drawn, tmp_path / "whole", seed=7)
    broken = mask(drawn, tmp_path / "broken", seed=7)
    for path in (broken / "shards").glob("*.json"):
        path.unlink()
    mask(drawn, broken, seed=7, reuse=first)
    assert reused(broken) == 6
    assert tree(broken) == tree(whole)


def refused(result: Any, *said: str) -> None:
    assert result.exit_code == 2, result.output
    for text in said:
        assert text in result.output
    assert "Traceback" not in result.output


def test_a_run_that_cannot_serve_is_refused_by_name(drawn: Path, first: Path, tmp_path: Path) -> None:
    refused(invoke(drawn, tmp_path / "r", reuse=tmp_path / "absent"), "no folder of a run")
    refused(invoke(drawn, tmp_path / "r", reuse=drawn), "no folder of a run")
    refused(invoke(drawn, first, reuse=first, per_photo="all", bare=True), "is RUN itself")
    refused(invoke(drawn, tmp_path / "r", reuse=first, faces="all"), "--faces (was subject, now all)")
    refused(invoke(drawn, tmp_path / "r", reuse=first, aligned=True), "--aligned")
    half = tmp_path / "half"
    shutil.copytree(first, half)
    (half / "report.json").unlink()
    refused(invoke(drawn, tmp_path / "r", reuse=half), "not complete")
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("damage", ["cut", "column", "points"])
def test_a_damaged_catalogue_is_refused(drawn: Path, first: Path, tmp_path: Path, damage: str) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(first, bad)
    path = bad / "catalogue.parquet"
    table = pq.read_table(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "column":
        pq.write_table(table.drop_columns(["source_points68"]), path)
    else:
        short = pa.array([row[:-1] for row in table["source_points68"].to_pylist()], pa.list_(pa.float32()))
        at = table.column_names.index("source_points68")
        pq.write_table(table.set_column(at, "source_points68", short), path)
    refused(invoke(drawn, tmp_path / "r", reuse=bad))


def test_aligned_crops_are_masked_in_their_own_pixels(drawn: Path, first: Path, tmp_path: Path) -> None:
    crops = tmp_path / "crops"
    for row in catalogue(first):
        if row["kind"] == "bare":
            write(crops / row["person"] / Path(row["path"]).name, (first / row["path"]).read_bytes())
    write(crops / "person_01" / "wall.png", picture(1, side=64))
    out = mask(crops, tmp_path / "out", aligned=True, crop="none", per_photo="all")
    rows = catalogue(out)
    assert len(rows) == 6 * 5
    assert set_aside(out) == {"person_01/wall.png": "no_face"}
    truth = {row["source"]: row for row in catalogue(first) if row["kind"] == "bare"}
    errors = []
    for row in rows:
        source = row["source"].replace("__bare.jpg", ".png")
        apart = np.reshape(row["points68"], (68, 2)) - np.reshape(truth[source]["points68"], (68, 2))
        errors.append(np.linalg.norm(apart, axis=1).mean())
        assert cv2.imread(str(out / row["path"])).shape == (160, 160, 3)
    assert np.mean(errors) < 4  # of 160 pixels, on drawn faces, whose points are uncertain
    assert tree(out) == tree(mask(crops, tmp_path / "two", aligned=True, crop="none", per_photo="all", workers=2))
