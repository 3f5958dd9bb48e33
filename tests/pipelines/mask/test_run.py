"""A run as it is written: what lies where, the same bytes however it is done, and what it says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import catalogue, picture, posix, run, set_aside, tree, write

from maskgen.pipelines.mask.run import LAST, small_last
from maskgen.pipelines.runs.shard_plan import Shard
from maskgen.pipelines.sources.output_names import unescape


def test_class_indices_lie_beside_coverage_and_change_nothing_else(source: Path, tmp_path: Path) -> None:
    plain, out = tmp_path / "plain", tmp_path / "run"
    run(source, plain, bare=True, segmentation=True)
    run(source, out, bare=True, segmentation="classes")
    pictures = [path for path in tree(plain) if str(path).startswith(("faces/", "segmentation/"))]
    assert pictures
    for path in pictures:
        assert tree(out)[path] == tree(plain)[path]
    for row, other in zip(catalogue(out), catalogue(plain), strict=True):
        named = cv2.imread(str(out / row.pop("classes")), cv2.IMREAD_UNCHANGED)
        covered = cv2.imread(str(out / row["segmentation"]), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(named, covered // 255)
        assert row == other
    assert json.loads((out / "report.json").read_text())["settings"]["--segmentation"] == "classes"
    assert len(list((out / "classes").rglob("*.png"))) == 48
    (source / "person 0" / "00.png").unlink()
    run(source, out, bare=True, segmentation="classes", prune=True)
    assert len(list((out / "classes").rglob("*.png"))) == 46
    run(source, out, bare=True, overwrite=True)
    assert not (out / "classes").exists()


def test_a_run_writes_what_it_says(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    report = run(source, out, bare=True, segmentation=True, kinds=("n95", "kn95"))
    assert (report.people, report.photographs, report.written, report.images) == (3, 24, 24, 48)
    rows = catalogue(out)
    assert len(rows) == 48
    assert [row["source"] for row in rows] == sorted(row["source"] for row in rows)
    for row in rows:
        assert row["path"] == f"faces/{row['source'].removesuffix('.png')}__{row['kind']}.jpg"
        assert (out / row["path"]).is_file()
        assert (out / row["segmentation"]).is_file()
        assert row["person"] == row["source"].partition("/")[0]
    assert len(list((out / "faces").rglob("*.*"))) == 48
    assert set_aside(out) == {}
    assert json.loads((out / "report.json").read_text())["images"] == 48
    assert (out / "contact_sheet.png").stat().st_size > 1000
    assert not (out / "scratch").exists()


@pytest.mark.parametrize(("align", "stored"), [("maskgen", ""), ("arcface-scaled", "arcface")])
def test_crops_that_keep_their_pixels_are_aligned_as_is_said(
    source: Path, tmp_path: Path, align: str, stored: str
) -> None:
    run(source, tmp_path / "out", aligned=True, crop="none", align=align)
    assert {row["alignment"] for row in catalogue(tmp_path / "out")} == {stored}


def test_bytes_are_the_same_with_any_number_of_workers(source: Path, tmp_path: Path) -> None:
    outs = {workers: tmp_path / f"run{workers}" for workers in (1, 2, 4)}
    for workers, out in outs.items():
        run(source, out, workers=workers, per_photo=2)
    assert tree(outs[1]) == tree(outs[2]) == tree(outs[4])


def test_bytes_are_the_same_alone_and_among_others(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "all")
    run(source / "person 1" / "03.png", tmp_path / "one")
    (alone,) = (tmp_path / "one" / "faces").iterdir()
    assert alone.read_bytes() == (tmp_path / "all" / "faces" / "person 1" / alone.name).read_bytes()


def test_every_photograph_has_one_outcome(source: Path, tmp_path: Path) -> None:
    write(source / "person 0" / "none.png", picture(900, "no_face"))
    write(source / "person 0" / "notes.txt", b"not a picture")
    write(source / "person 0" / "empty.jpg", b"")
    write(source / "person 0" / "half.png", picture(901)[:400])
    write(source / "person 0" / "two.png", picture(902, "two_faces"))
    report = run(source, tmp_path / "run")
    assert (report.photographs, report.written, sum(report.set_aside.values())) == (29, 25, 4)
    assert report.faces_set_aside == {"extreme_pose": 1}
    assert report.exit_code == 3
    assert set(set_aside(tmp_path / "run")) == {
        f"person 0/{name}" for name in ("none.png", "notes.txt", "empty.jpg", "half.png", "two.png")
    }
    assert "person 0/two.png,face,extreme_pose,face 2: yaw 88" in (tmp_path / "run" / "set_aside.csv").read_text()
    assert report.several_faces == 1


def test_a_photograph_whose_faces_are_all_set_aside_has_one_reason(tmp_path: Path) -> None:
    write(tmp_path / "photographs" / "a" / "two.png", picture(902, "no_two_faces"))
    report = run(tmp_path / "photographs", tmp_path / "run", faces="all")
    assert (report.set_aside, report.faces_set_aside) == ({"doubtful_fit": 1}, {"extreme_pose": 1})
    assert report.exit_code == 4


def test_nothing_written_is_said(tmp_path: Path) -> None:
    write(tmp_path / "photographs" / "a" / "none.png", picture(1, "no_face"))
    report = run(tmp_path / "photographs", tmp_path / "run")
    assert report.exit_code == 4
    assert catalogue(tmp_path / "run") == []


@posix
def test_odd_names_come_through(tmp_path: Path) -> None:
    source, out = tmp_path / "photographs", tmp_path / "run"
    names = ["a.b.c.png", "with space.PNG", "[x] (1).jpeg", "Zoë 漢字.webp", "no suffix", "back\\slash.png"]
    for number, name in enumerate([*names, ".png"]):
        write(source / "p 1" / name, picture(number))
    latin1 = Path(os.fsdecode(os.fsencode(source) + b"/caf\xe9"))
    write(latin1 / 'new\nline,"quoted".png', picture(50))
    write(latin1 / os.fsdecode(b"\xff.txt"), b"not a picture")
    report = run(source, out, workers=2)
    assert (report.photographs, report.written) == (9, 8)
    for row in catalogue(out):
        assert (out / row["path"]).is_file()
        assert (source / unescape(row["source"])).is_file()
    assert [(source / unescape(path)).is_file() for path in set_aside(out)] == [True]


@posix
def test_names_too_long_for_the_file_system_are_set_aside(source: Path, tmp_path: Path) -> None:
    write(source / "person 0" / ("x" * 250 + ".png"), picture(900))
    report = run(source, tmp_path / "run", per_photo="all")
    assert report.set_aside == {"name_too_long": 1}
    assert report.images == 24 * 5


def test_a_picture_of_twelve_bits_says_what_was_stretched(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(600, 2400, (48, 48)).astype(np.uint16)
    write(tmp_path / "in" / "ann" / "1.png", cv2.imencode(".png", deep)[1].tobytes())
    write(tmp_path / "in" / "ann" / "2.png", picture(1))
    run(tmp_path / "in", tmp_path / "out")
    levels = {row["source"]: row["source_levels"] for row in catalogue(tmp_path / "out")}
    assert levels == {"ann/1.png": f"{deep.min()}-{deep.max()}", "ann/2.png": None}


def test_the_last_shards_begin_with_the_largest() -> None:
    counts = [3, 1, 2, *range(1, LAST + 1), *range(4 + LAST, 4, -1)]
    todo = [(Shard(f"{at}", count, 0, 0), None) for at, count in enumerate(counts)]
    ordered = small_last(todo, 2)
    assert ordered[:3] == todo[:3]
    assert [shard.count for shard, _ in ordered[3:]] == sorted(counts[3:], reverse=True)
    assert sorted(shard.id for shard, _ in ordered) == sorted(shard.id for shard, _ in todo)
    few = [(Shard("few", 1, 0, 0), frozenset({"a"})), (Shard("more", 5, 0, 0), None)]
    assert small_last(few, 0) == few[::-1]
    assert small_last([], 2) == []
