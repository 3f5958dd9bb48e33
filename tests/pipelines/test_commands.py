from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner
from fake_masker import make_fake
from support import catalogue, run, tree, write, write_people

from maskgen.masks.kinds import kind_names
from maskgen.pipelines import load_models
from maskgen.pipelines.cli import main
from maskgen.pipelines.demo import run as demo_run
from maskgen.pipelines.mask import run as runner


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_mask", functools.partial(runner.run_mask, factory=make_fake))
    monkeypatch.setattr(load_models, "load_masker", lambda settings, made=(): make_fake(settings))


def test_kinds_are_listed_and_drawn(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["kinds", "--out", str(tmp_path / "masks")])
    assert result.exit_code == 0, result.output
    for kind in kind_names():
        assert kind in result.output
        assert cv2.imread(str(tmp_path / "masks" / f"{kind}.png")) is not None
    several, one = (cv2.imread(str(tmp_path / "masks" / f"{kind}.png")) for kind in ("world-surgical", "n95"))
    assert several is not None and one is not None
    assert several.shape[0] == 3 * one.shape[0]  # the stand-in draws all pictures in one size


@pytest.mark.parametrize("options", [[], ["--list-only"], ["--list-only", "--kind", "n95"]])
def test_kinds_are_listed_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["kinds", *options])
    assert result.exit_code == 0 and "n95" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_kind_that_is_named_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["kinds", "--kind", "n95"])
    assert "Previews are in mask_previews." in result.output
    assert (tmp_path / "mask_previews" / "n95.png").is_file()


def test_columns_of_kinds_stand_below_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    long = "cloth:#ff0000+flowers+#00ff00"
    result = CliRunner().invoke(main, ["kinds", "--list-only", "--kind", "n95", "--kind", long])
    first, second = result.output.splitlines()[:2]
    assert second.startswith(f"{long}  #ff0000  ")
    assert first.index("#") == second.index("  #ff0000") + 2


@pytest.mark.parametrize("own", [False, True])
def test_demo_names_what_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool) -> None:
    draw = functools.partial(write_people, people=13, each=4)
    monkeypatch.setattr(demo_run, "draw_sample", draw)
    out = tmp_path / "demo"
    options = []
    if own:
        draw(tmp_path / "photographs")
        options = ["--source", str(tmp_path / "photographs")]
    result = CliRunner().invoke(main, ["demo", str(out), "--workers", "1", *options])
    assert result.exit_code == 0, result.output
    for opened in ("masked/contact_sheet.png", "masked/catalogue.parquet", "masked/faces", "manifests"):
        assert str(out / opened) in result.output
        assert (out / opened).exists()
    assert len(catalogue(out / "masked")) == 13 * 4 * 6
    assert (out / "sample").exists() != own


def test_demo_without_any_face_says_so(tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "note.txt").write_text("no picture")
    result = CliRunner().invoke(
        main, ["demo", str(tmp_path / "demo"), "--source", str(tmp_path / "photographs"), "--workers", "1"]
    )
    assert result.exit_code == 4
    assert "not_a_picture 1" in result.output


def test_demo_with_photographs_set_aside_ends_as_mask_does(tmp_path: Path) -> None:
    write_people(tmp_path / "photographs", people=13, each=4)
    (tmp_path / "photographs" / "note.txt").write_text("no picture")
    result = CliRunner().invoke(
        main, ["demo", str(tmp_path / "demo"), "--source", str(tmp_path / "photographs"), "--workers", "1"]
    )
    assert result.exit_code == 3, result.output
    assert (tmp_path / "demo" / "manifests" / "train.csv").is_file()


def test_demo_in_the_folder_of_another_demo_names_what_to_do(source: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "demo", tmp_path / "other"
    shutil.copytree(source, other)
    min(path for path in other.rglob("*") if path.is_file()).unlink()
    for folder, code in ((source, 3), (other, 2)):
        result = CliRunner().invoke(main, ["demo", str(out), "--source", str(folder), "--workers", "1"])
        assert result.exit_code == code
    assert f"{out} holds a demo of another source: name another folder." in result.stderr


@pytest.mark.parametrize("what", ["run", "sample", "notes"])
def test_demo_refuses_a_folder_with_other_files(
    source: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_run, "draw_sample", functools.partial(write_people, people=1, each=1))
    out = tmp_path / "mine"
    if what == "run":
        run(source, out)
    else:
        write(out / {"sample": "sample/person 0/00.png", "notes": "notes.txt"}[what], b"mine")
    before = tree(out)
    for options in ([], ["--source", str(source)]):
        result = CliRunner().invoke(main, ["demo", str(out), "--workers", "1", *options])
        assert result.exit_code == 2, result.output
        told = " ".join(result.output.split())
        assert "is the folder of a masking run" in told if what == "run" else "that no demo wrote" in told
    assert tree(out) == before


def test_demo_goes_on_in_its_own_folder(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    words = ["demo", str(out), "--source", str(source), "--workers", "1"]
    out.mkdir()
    assert CliRunner().invoke(main, words).exit_code == 3  # too few people for lists
    write(out / "notes.txt", b"mine")
    done = tree(out)
    assert CliRunner().invoke(main, words).exit_code == 3
    assert tree(out) == done
    shutil.rmtree(out / "masked")  # as if it had been killed before the run began
    assert CliRunner().invoke(main, words).exit_code == 3
    assert tree(out) == done
    (out / "notes.txt").unlink()
    (out / "settings.json").unlink()  # a demo of an earlier version
    assert CliRunner().invoke(main, words).exit_code == 3
    refused = CliRunner().invoke(main, ["pairs", "--run", str(out / "masked"), str(out)])
    assert refused.exit_code == 2
    assert "is the folder of a demo" in " ".join(refused.output.split())


def test_demo_on_few_people_goes_without_lists(source: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["demo", str(tmp_path / "demo"), "--source", str(source), "--workers", "1"])
    assert result.exit_code == 3, result.output
    assert "There are no lists" in result.output
    assert "contact_sheet.png" in result.output


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["mask", "", "out"], "it is empty"),
        (["gallery", "in", ""], "it is empty"),
        (["train", "small", "--data", "", "--run", "x"], "it is empty"),
        (["mask", "ftp://host/faces", "out"], "not an object store"),
        (["mask", "photographs", "out", "--seed", "9" * 23], "--seed"),
        (["pairs", "--run", "run", "--people", "nan,0,1", "out"], "three shares"),
        (["evaluate", "dlib", "--gallery", "missing.csv"], "--gallery missing.csv is not there"),
        (["evaluate", "dlib", "--data", "missing"], "--data missing is not there"),
        (["embed", "dlib", "missing.csv", "out.parquet"], "missing.csv is not there"),
        (["demo", "--workers", "0"], "--workers 0 is out of range"),
    ],
)
def test_what_is_wrong_is_said_before_anything_heavy_is_imported(line: list[str], says: str, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom maskgen.pipelines.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    print(sorted({'torch', 'cv2', 'skimage'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *line], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() == "[]"
    assert not list(tmp_path.iterdir())
