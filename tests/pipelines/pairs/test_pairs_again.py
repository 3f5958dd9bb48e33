"""`maskgen pairs` on a folder that holds lists: done before, cut short, damaged, or of another origin."""

from __future__ import annotations

from pathlib import Path

import pytest
from pair_lists import all_bytes, write

from maskgen.core.reasons import UserError
from maskgen.manifests.checks.check import check_lists


def test_the_same_command_again_and_other_settings(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, run=run)
    before = all_bytes(out)
    write(out, run=run)
    assert all_bytes(out) == before
    with pytest.raises(UserError, match=r"--seed \(was 0, now 1\)"):
        write(out, run=run, seed=1)
    write(out, run=run, seed=1, overwrite=True)
    assert (out / "test.csv").read_bytes() != before["test.csv"]


def test_work_that_was_cut_short_goes_on_with_the_same_command_only(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def die(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("maskgen.pipelines.pairs.run.report_of", die)
        with pytest.raises(RuntimeError):
            write(out, run=run)
    assert not (out / "report.json").exists() and (out / "unfinished.json").exists()
    (out / ".train.csv.1234.part").write_bytes(b"half")
    with pytest.raises(UserError, match="other settings"):
        write(out, run=run, seed=1)
    write(out, run=run)
    write(tmp_path / "whole", run=run)
    assert all_bytes(out) == all_bytes(tmp_path / "whole")


def test_the_report_is_written_when_all_else_is_on_the_disk(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = tmp_path / "out", list[set[str]]()
    monkeypatch.setattr(
        "maskgen.formats.local_or_remote_files.persist", lambda folder: seen.append(set(all_bytes(folder)))
    )
    write(out, run=run)
    assert seen == [set(all_bytes(out)) - {"report.json"} | {"unfinished.json", ".lock"}]


def test_halves_that_a_killed_export_left_are_removed(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "out", run=run)
    for half in ("hub/data/.train.parquet", "test/memfile/.mem_file.dat", "imgs/000001/.000000001.jpg"):
        path = tmp_path / "out" / f"{half}.1234.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    write(tmp_path / "out", run=run, overwrite=True)
    assert list((tmp_path / "out").rglob("*.part")) == []


@pytest.mark.parametrize("damage", ["", "{}", "[1]", "[" * 3000, "one digit"])
def test_a_damaged_report_is_one_sentence(run: Path, tmp_path: Path, damage: str) -> None:
    out = tmp_path / "out"
    write(out, run=run)
    whole = (out / "report.json").read_text()
    changed = whole.replace('"seed": 0', '"seed": 1', 1)
    assert changed != whole
    (out / "report.json").write_text(changed if damage == "one digit" else damage)
    with pytest.raises(UserError, match=r"report\.json is damaged.*--overwrite"):
        write(out, run=run)
    if damage != "{}":  # which is another program's report as well
        with pytest.raises(UserError, match=r"report\.json is damaged"):
            check_lists(out, verify="names")
    write(out, run=run, overwrite=True)
    assert (out / "report.json").read_text() == whole


def test_lists_of_another_origin_and_run_folders_are_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train.csv").write_text("by hand")
    with pytest.raises(UserError, match="another origin"):
        write(tmp_path / "mine", run=run)
    with pytest.raises(UserError, match="folder of a run"):
        write(run, run=run)
    assert (tmp_path / "mine" / "train.csv").read_text() == "by hand"
