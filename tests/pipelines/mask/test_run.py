from __future__ import annotations

import errno
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fake_masker import make_fake
from support import catalogue, picture, run, set_aside, tree, wait_for, write, write_people

from maskgen.core.reasons import UserError
from maskgen.pipelines.mask.run import dry_run, run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.runs.reuse import check_reuse
from maskgen.pipelines.runs.run_folder import RunFolder
from maskgen.pipelines.runs.shard import PhotographError
from maskgen.pipelines.sources.output_names import unescape

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and names of POSIX")


def start(source: Path, out: Path, workers: int, seconds: float) -> subprocess.Popen[bytes]:
    script = Path(__file__).parents[1] / "run_fake.py"
    return subprocess.Popen(
        [sys.executable, str(script), str(source), str(out), str(workers)],
        env={**os.environ, "FAKE_MASKER_SECONDS": str(seconds)},
        stderr=subprocess.DEVNULL,
    )


def has_shards(out: Path, count: int) -> bool:
    return len(list(out.glob("shards/*.json"))) >= count


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


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_as_if_it_had_not_been(source: Path, tmp_path: Path, workers: int) -> None:
    write_people(source, people=6, each=40)
    out, whole = tmp_path / "run", tmp_path / "whole"
    for finished in (1, 3):
        killed = start(source, out, workers, seconds=0.02)
        wait_for(functools.partial(has_shards, out, finished))
        killed.kill()
        killed.wait()
        assert not (out / "report.json").exists()
    run(source, out, workers=2, segmentation=True)
    run(source, whole, segmentation=True)
    assert tree(out) == tree(whole)


@posix
def test_workers_end_with_the_run_that_started_them(source: Path, tmp_path: Path) -> None:
    write_people(source, people=6, each=40)
    out = tmp_path / "run"
    killed = start(source, out, 2, seconds=0.02)
    wait_for(lambda: any(out.glob("shards/*.json")))
    killed.kill()
    killed.wait()
    wait_for(lambda: _is_still(out))


def _is_still(out: Path) -> bool:
    before = tree(out)
    time.sleep(0.3)
    return tree(out) == before


@posix
def test_an_interrupted_run_says_nothing_of_its_workers(source: Path, tmp_path: Path) -> None:
    write_people(source, people=6, each=40)
    out = tmp_path / "run"
    running = start(source, out, 2, seconds=0.02)
    wait_for(lambda: any(out.glob("shards/*.json")))
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=20) != 0
    assert run(source, out, segmentation=True).written == 240


@posix
def test_a_second_run_in_the_folder_is_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = start(source, out, 1, seconds=0.2)
    wait_for(lambda: (out / "settings.json").exists())
    with pytest.raises(UserError, match=rf"process {first.pid} on .*wait for it"):
        run(source, out)
    first.kill()
    first.wait()
    assert run(source, out, segmentation=True).written == 24


def test_other_settings_are_refused_by_name(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(source, out)
    before = tree(out)
    with pytest.raises(UserError, match=r"--quality \(was 95, now 80\); --seed \(was 0, now 7\)"):
        run(source, out, seed=7, quality=80)
    with pytest.raises(UserError, match="SOURCE"):
        run(source / "person 1", out)
    assert tree(out) == before
    run(source, out, workers=2)
    assert tree(out) == before


def test_a_run_that_has_done_nothing_yet_takes_other_settings(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(source, out, write="tar", segmentation=True)
    for done in (out / "shards").glob("*.json"):
        done.unlink()
    with pytest.raises(UserError, match="--seed"):  # it was complete once
        run(source, out, seed=7)
    (out / "report.json").unlink()
    run(source, out, seed=7)
    run(source, tmp_path / "fresh", seed=7)
    assert tree(out) == tree(tmp_path / "fresh")


def test_overwrite_starts_anew_and_spares_other_files(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(source, out, per_photo="all", segmentation=True)
    write(out / "notes.txt", b"mine")
    write(out / "faces" / "person 0" / "mine.jpg", b"mine")
    run(source, out, seed=7, overwrite=True)
    (out / "notes.txt").unlink()
    (out / "faces" / "person 0" / "mine.jpg").unlink()
    run(source, tmp_path / "fresh", seed=7)
    assert tree(out) == tree(tmp_path / "fresh")


def test_a_folder_of_something_else_is_refused(source: Path, tmp_path: Path) -> None:
    write(tmp_path / "run" / "thesis.tex", b"years of work")
    for overwrite in (False, True):
        with pytest.raises(UserError, match=r"thesis\.tex"):
            run(source, tmp_path / "run", overwrite=overwrite)
    assert (tmp_path / "run" / "thesis.tex").exists()


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


def test_set_aside_photographs_are_tried_again(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    mended = write(source / "person 1" / "03.png", picture(900, "no_face"))
    write(source / "person 2" / "x.png", picture(901, "no_face"))
    assert run(source, out).set_aside == {"no_face": 2}
    mended.write_bytes(picture(902))
    assert run(source, out).set_aside == {"no_face": 2}
    assert run(source, out, retry_set_aside=True).set_aside == {"no_face": 1}
    run(source, tmp_path / "fresh")
    assert tree(out) == tree(tmp_path / "fresh")


def test_new_photographs_are_taken_up(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(source, out, bare=True)
    write(source / "person 1" / "03.jpg", picture(900))  # 03.png now needs its whole name
    write(source / "person 9" / "01.png", picture(901))
    assert run(source, out, bare=True).photographs == 26
    run(source, tmp_path / "fresh", bare=True)
    assert tree(out) == tree(tmp_path / "fresh")


def test_work_is_not_lost_with_photographs_unless_asked(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(source, out)
    before = tree(out)
    (source / "person 1" / "03.png").unlink()
    with pytest.raises(UserError, match=r"no longer holds 1 .*person 1/03\.png.*--prune"):
        run(source, out)
    assert tree(out) == before
    assert run(source, out, prune=True).photographs == 23
    run(source, tmp_path / "fresh")
    assert tree(out) == tree(tmp_path / "fresh")


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


@pytest.mark.parametrize("workers", [2, 3])
def test_a_photograph_that_kills_its_worker_is_found_out(source: Path, tmp_path: Path, workers: int) -> None:
    write_people(source, people=4, each=20)
    write(source / "person 1" / "05.png", picture(900, "crash"))
    write(source / "person 3" / "x.png", picture(901, "crash"))
    report = run(source, tmp_path / "run", workers=workers)
    assert set_aside(tmp_path / "run") == {"person 1/05.png": "crashed", "person 3/x.png": "crashed"}
    assert (report.photographs, report.written) == (81, 79)
    assert not (tmp_path / "run" / "scratch").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fault_of_the_program_names_the_photograph(source: Path, tmp_path: Path, workers: int) -> None:
    write(source / "person 1" / "03.png", picture(900, "bug"))
    with pytest.raises(PhotographError, match=r"person 1/03\.png: ZeroDivisionError"):
        run(source, tmp_path / "run", workers=workers)


def test_a_full_disk_stops_the_run_and_it_goes_on_later(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = RunFolder.place

    def full(self: RunFolder, path: Path, data: bytes, durable: bool = False) -> None:
        if path.name.startswith("05"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        place(self, path, data)

    out = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(RunFolder, "place", full)
        run(source, out)
    assert not (out / "report.json").exists()
    run(source, out)
    run(source, tmp_path / "fresh")
    assert tree(out) == tree(tmp_path / "fresh")


def test_a_survey_writes_nothing(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    found = dry_run(MaskSettings(source, out, per_photo="all", bare=True))
    assert (found.people, found.photographs, found.done, found.images) == (3, 24, 0, 144)
    assert not out.exists()
    run(source, out, per_photo="all", bare=True)
    before = tree(out)
    assert dry_run(MaskSettings(source, out, per_photo="all", bare=True)).done == 24
    with pytest.raises(UserError, match="--seed"):
        dry_run(MaskSettings(source, out, per_photo="all", bare=True, seed=1))
    assert tree(out) == before


def test_a_finished_run_is_not_done_again(source: Path, tmp_path: Path) -> None:
    told: list[str] = []
    run(source, tmp_path / "run")

    def never(settings: MaskSettings) -> Any:
        raise AssertionError("nothing is left to do")

    report = run_mask(MaskSettings(source, tmp_path / "run"), never, told.append)
    assert report.written == 24
    assert told == ["All photographs are already processed."]
    (tmp_path / "run" / "report.json").unlink()
    assert run_mask(MaskSettings(source, tmp_path / "run"), never) == report


def test_a_picture_of_twelve_bits_says_what_was_stretched(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(600, 2400, (48, 48)).astype(np.uint16)
    write(tmp_path / "in" / "ann" / "1.png", cv2.imencode(".png", deep)[1].tobytes())
    write(tmp_path / "in" / "ann" / "2.png", picture(1))
    run(tmp_path / "in", tmp_path / "out")
    levels = {row["source"]: row["source_levels"] for row in catalogue(tmp_path / "out")}
    assert levels == {"ann/1.png": f"{deep.min()}-{deep.max()}", "ann/2.png": None}


def half_done(source: Path, out: Path) -> dict[str, str]:
    """A run that ended before it was summed up, and what it should come to."""
    run(source, out)
    whole = tree(out)
    RunFolder(out).remove_summaries()
    return whole


@pytest.mark.parametrize("how", ["empty", "cut", "flipped", "nested", "list", "gone"])
@pytest.mark.parametrize("which", ["*.json", "*.parquet"])
def test_a_damaged_shard_is_done_again(source: Path, tmp_path: Path, which: str, how: str) -> None:
    whole = half_done(source, tmp_path / "out")
    path = sorted((tmp_path / "out" / "shards").glob(which))[0]
    damage(path, how)
    said: list[str] = []
    run_mask(MaskSettings(source, tmp_path / "out"), make_fake, said.append)
    assert tree(tmp_path / "out") == whole
    if (which, how) != ("*.json", "gone"):
        assert "1 finished shard is damaged" in " ".join(said)


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    changed = {
        "empty": b"",
        "cut": data[:middle],
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "nested": b"[" * 100_000,
        "list": b"[1]",
    }
    path.unlink() if how == "gone" else path.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["empty", "cut", "flipped", "nested", "list"])
def test_a_damaged_settings_file_is_a_sentence_and_a_plan_is_mended(source: Path, tmp_path: Path, how: str) -> None:
    whole = half_done(source, tmp_path / "out")
    damage(tmp_path / "out" / "shards" / "plan", how)
    assert run(source, tmp_path / "out").written
    assert tree(tmp_path / "out") == whole
    damage(tmp_path / "out" / "settings.json", how)
    with pytest.raises(UserError, match=r"settings\.json is damaged .*--overwrite"):
        run(source, tmp_path / "out")
    with pytest.raises(UserError, match="is no folder of a run"):
        check_reuse(MaskSettings(source, tmp_path / "new", reuse=tmp_path / "out"))


def test_a_lost_settings_file_is_a_sentence(source: Path, tmp_path: Path) -> None:
    half_done(source, tmp_path / "out")
    (tmp_path / "out" / "settings.json").unlink()
    with pytest.raises(UserError, match=r"has lost its settings\.json and cannot"):
        run(source, tmp_path / "out")


@pytest.mark.parametrize("how", ["empty", "cut", "flipped", "nested", "list"])
def test_a_damaged_report_is_made_again(source: Path, tmp_path: Path, how: str) -> None:
    run(source, tmp_path / "out")
    whole = tree(tmp_path / "out")
    damage(tmp_path / "out" / "report.json", how)
    run(source, tmp_path / "out")
    assert tree(tmp_path / "out") == whole


@pytest.mark.parametrize("how", ["empty", "cut", "gone"])
@pytest.mark.parametrize("which", ["faces/*/*.jpg", "segmentation/*/*.png", "classes/*/*.png"])
def test_an_output_of_a_finished_run_that_is_missing_or_cut_is_made_again(
    source: Path, tmp_path: Path, which: str, how: str
) -> None:
    settings = MaskSettings(source, tmp_path / "out", segmentation="classes")
    run_mask(settings, make_fake)
    whole = tree(tmp_path / "out")
    path = sorted((tmp_path / "out").glob(which))[3]
    damage(path, how)
    said: list[str] = []
    run_mask(settings, make_fake, said.append)
    assert tree(tmp_path / "out") == whole
    assert path.name in said[0] and "1 finished shard is damaged, and processed again" in said[0]
    run_mask(settings, make_fake, said.append)
    assert said[-1] == "All photographs are already processed."


@pytest.mark.parametrize("which", ["catalogue.parquet", "set_aside.csv", "contact_sheet.png", "report.html"])
def test_a_summary_of_a_finished_run_that_is_cut_is_made_again(source: Path, tmp_path: Path, which: str) -> None:
    run(source, tmp_path / "out")
    whole = tree(tmp_path / "out")
    damage(tmp_path / "out" / which, "cut")
    run(source, tmp_path / "out")
    assert tree(tmp_path / "out") == whole


def test_settings_that_were_cut_off_before_anything_was_done_are_written_anew(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "settings.json").write_bytes(b"")
    assert run(source, tmp_path / "out").written
