"""Files of a run that are damaged or lost: made again, or told in a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fake_masker import make_fake
from support import run, tree, write_people

from maskgen.core.reasons import UserError
from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.runs.reuse import check_reuse
from maskgen.pipelines.runs.run_folder import RunFolder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs and their run."""
    folder = tmp_path_factory.mktemp("finished")
    write_people(folder / "photographs", people=3, each=8)
    run(folder / "photographs", folder / "run")
    return folder


@pytest.fixture
def source(finished: Path) -> Path:
    return finished / "photographs"


def done(finished: Path, out: Path) -> dict[str, str]:
    """A copy of the run, and what lies in it."""
    shutil.copytree(finished / "run", out)
    return tree(out)


def half_done(finished: Path, out: Path) -> dict[str, str]:
    """A run that ended before it was summed up, and what it should come to."""
    whole = done(finished, out)
    RunFolder(out).remove_summaries()
    return whole


@pytest.mark.parametrize("how", ["empty", "cut", "flipped", "nested", "list", "gone"])
@pytest.mark.parametrize("which", ["*.json", "*.parquet"])
def test_a_damaged_shard_is_done_again(finished: Path, source: Path, tmp_path: Path, which: str, how: str) -> None:
    whole = half_done(finished, tmp_path / "out")
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
def test_a_damaged_settings_file_is_a_sentence_and_a_plan_is_mended(
    finished: Path, source: Path, tmp_path: Path, how: str
) -> None:
    whole = half_done(finished, tmp_path / "out")
    damage(tmp_path / "out" / "shards" / "plan", how)
    assert run(source, tmp_path / "out").written
    assert tree(tmp_path / "out") == whole
    damage(tmp_path / "out" / "settings.json", how)
    with pytest.raises(UserError, match=r"settings\.json is damaged .*--overwrite"):
        run(source, tmp_path / "out")
    with pytest.raises(UserError, match="is no folder of a run"):
        check_reuse(MaskSettings(source, tmp_path / "new", reuse=tmp_path / "out"))


def test_without_its_plan_a_run_still_knows_what_is_missing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_people(source, people=3, each=4)
    run(source, tmp_path / "out")
    (tmp_path / "out" / "shards" / "plan").unlink()
    shutil.rmtree(source / "person 1")
    with pytest.raises(UserError, match=r"no longer holds 4 photographs .*--prune"):
        run(source, tmp_path / "out")
    run(source, tmp_path / "out", prune=True)
    run(source, tmp_path / "fresh")
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_a_lost_settings_file_is_a_sentence(finished: Path, source: Path, tmp_path: Path) -> None:
    half_done(finished, tmp_path / "out")
    (tmp_path / "out" / "settings.json").unlink()
    with pytest.raises(UserError, match=r"has lost its settings\.json and cannot"):
        run(source, tmp_path / "out")


@pytest.mark.parametrize("how", ["empty", "cut", "flipped", "nested", "list"])
def test_a_damaged_report_is_made_again(finished: Path, source: Path, tmp_path: Path, how: str) -> None:
    whole = done(finished, tmp_path / "out")
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
def test_a_summary_of_a_finished_run_that_is_cut_is_made_again(
    finished: Path, source: Path, tmp_path: Path, which: str
) -> None:
    whole = done(finished, tmp_path / "out")
    damage(tmp_path / "out" / which, "cut")
    run(source, tmp_path / "out")
    assert tree(tmp_path / "out") == whole


def test_settings_that_were_cut_off_before_anything_was_done_are_written_anew(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "settings.json").write_bytes(b"")
    assert run(source, tmp_path / "out").written
