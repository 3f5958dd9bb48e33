"""The same command on a folder that holds a run: what is done, taken up, refused and left alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fake_masker import make_fake
from support import picture, run, tree, write, write_people

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.reasons import UserError
from maskgen.pipelines.mask.run import dry_run, run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.runs import versions


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


def half(source: Path, out: Path) -> dict[str, str]:
    """A run of many shards of which one and the summaries are missing, and what the whole one held."""
    write_people(source, people=6, each=40)
    run(source, out)
    whole = tree(out)
    min(out.glob("shards/*.json")).unlink()
    (out / "report.json").unlink()
    return whole


def told(source: Path, out: Path) -> list[str]:
    said: list[str] = []
    run_mask(MaskSettings(source, out), make_fake, said.append)
    return said


def test_a_run_goes_on_where_its_source_has_moved(source: Path, tmp_path: Path) -> None:
    out, moved = tmp_path / "run", tmp_path / "elsewhere" / "source"
    whole = half(source, out)
    moved.parent.mkdir()
    source.rename(moved)
    assert dry_run(MaskSettings(moved, out)).done
    (said,) = told(moved, out)
    assert str(source) in said and str(moved) in said and "the same names" in said
    assert told(moved, out) == ["All photographs are already processed."]
    changed = {name for name, hashed in tree(out).items() if whole[name] != hashed}
    assert changed == {"settings.json", "report.json", "report.html", "CARD.md"}
    with pytest.raises(UserError, match="SOURCE"):
        run(moved.rename(source), out, seed=7)
    write(source / "person 1" / "new.png", picture(900))
    with pytest.raises(UserError, match="SOURCE"):
        run(source, out)
    assert run(source.rename(moved), out).photographs == 25 + 216


def test_another_set_of_the_same_names_is_no_moved_source(source: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "run", tmp_path / "other"
    half(source, out)
    shutil.copytree(source, other)
    for number, path in enumerate(sorted(other.rglob("*.png"))):
        path.write_bytes(picture(3000 + number))
    with pytest.raises(UserError, match="SOURCE"):
        run(other, out)
    run(source, out)
    with pytest.raises(UserError, match="SOURCE"):
        run(other, out)


def test_other_versions_than_at_the_start_are_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half(source, tmp_path / "run")
    assert told(source, tmp_path / "run") == []
    half(source, tmp_path / "other")
    known = versions.version
    monkeypatch.setattr(versions, "version", lambda name: "0.1" if name == "numpy" else known(name))
    monkeypatch.setattr(versions, "_build", lambda: "another")
    (said,) = told(source, tmp_path / "other")
    assert f"begun with numpy {known('numpy')}, now 0.1; maskgen build" in said and "may differ" in said


def test_a_run_of_a_build_that_kept_no_versions_is_told(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    half(source, out)
    stored = parse_checksummed((out / "settings.json").read_bytes())
    del stored["versions"]
    (out / "settings.json").write_text(json.dumps(add_checksum(stored)), "utf-8")
    (said,) = told(source, out)
    assert "an earlier build of maskgen" in said
    assert told(source, out) == ["All photographs are already processed."]
    half(source, tmp_path / "fresh")
    for done in (tmp_path / "fresh").glob("shards/*.json"):
        done.unlink()
    assert told(source, tmp_path / "fresh") == []


def test_a_build_is_told_by_what_the_programs_files_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = {versions.versions()[versions.BUILD] for _ in range(2)}
    files = [*versions._files()]
    assert any("versions.py" in line for line in files) and any(".wasm" in line for line in files)
    monkeypatch.setattr(versions, "_installed", lambda: ["maskgen/x.py,sha256=1,2"])
    assert versions._build.__wrapped__() != before
