from __future__ import annotations

import errno
import functools
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from fake_masker import make_fake
from support import picture, tree, without_packages, write

from maskgen import __version__
from maskgen.core.reasons import UserError
from maskgen.pipelines.cli import COMMANDS, main
from maskgen.pipelines.mask import run as runner
from maskgen.pipelines.options import fill_size
from maskgen.pipelines.options_once import OnceCommand
from maskgen.pipelines.runs.run_folder import RunFolder
from maskgen.pipelines.system_errors import explain

PLACE = RunFolder.place


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_mask", functools.partial(runner.run_mask, factory=make_fake))


def call(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def assert_refused(result: Result, *said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.output.count("Error:") == 1
    assert "Traceback" not in result.output
    for words in said:
        assert words in result.output.replace("\n", " ")


def test_mask_says_what_became_of_all(source: Path, tmp_path: Path) -> None:
    result = call("mask", source, tmp_path / "run", "--workers", 1)
    assert result.exit_code == 0
    assert "photographs in" in result.output
    assert "contact_sheet.png" in result.output
    write(source / "person 0" / "none.png", picture(900, "no_face"))
    result = call("mask", source, tmp_path / "run", "--workers", 1)
    assert result.exit_code == 3
    assert "no_face 1" in result.output
    assert "set_aside.csv" in result.output


@pytest.mark.parametrize(
    ("options", "folders"),
    [
        ([], set()),
        (["--segmentation"], {"segmentation"}),
        (["--segmentation", "coverage"], {"segmentation"}),
        (["--segmentation=classes"], {"segmentation", "classes"}),
        (["--segmentation", "classes"], {"segmentation", "classes"}),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_segmentation_may_stand_anywhere_without_a_value(
    source: Path, tmp_path: Path, options: list[str], folders: set[str], first: bool
) -> None:
    places = [source, tmp_path / "run", "--workers", 1]
    result = call("mask", *options, *places) if first else call("mask", *places, *options)
    assert result.exit_code == 0, result.output
    assert {"segmentation", "classes"} & {path.name for path in (tmp_path / "run").iterdir()} == folders


def test_the_two_names_of_one_segmentation_are_one(source: Path, tmp_path: Path) -> None:
    call("mask", source, tmp_path / "run", "--workers", 1, "--segmentation")
    result = call("mask", source, tmp_path / "run", "--workers", 1, "--segmentation", "coverage")
    assert "already processed" in result.output
    refused = call("mask", source, tmp_path / "run", "--workers", 1, "--segmentation", "classes")
    assert_refused(refused, "--segmentation (was True, now classes)")


def test_nothing_written_has_its_own_exit_code(tmp_path: Path) -> None:
    write(tmp_path / "photographs" / "note.txt", b"no picture")
    result = call("mask", tmp_path / "photographs", tmp_path / "run", "--workers", 1)
    assert result.exit_code == 4
    assert "Look at" not in result.output
    assert "set_aside.csv says why" in result.output


def test_dry_run_writes_nothing(source: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    result = call("mask", source, tmp_path / "run", "--dry-run")
    assert result.exit_code == 0
    assert "24" in result.output
    assert tree(tmp_path) == before


def test_faults_of_a_person_are_one_sentence(source: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert_refused(call("mask", tmp_path / "absent", run), "does not exist")
    assert_refused(call("mask", source, source / "run"), "lies inside SOURCE")
    assert_refused(call("mask", source, run, "--kinds", "n95,kn59"), "kn95")
    whole = ("mask", source, run, "--crop", "none")
    assert_refused(call(*whole, "--size", 160), "--crop none keeps", "leave out --size.")
    assert_refused(call(*whole, "--margin", 0.2, "--size", 112), "leave out --size and --margin.")
    assert_refused(call("mask", source, run, "--format", "png", "--quality", 50), "--format png", "leave out --quality")
    assert_refused(call(*whole, "--align", "arcface"), "--crop none keeps", "leave out --align.")
    assert call(*whole, "--dry-run").exit_code == 0
    assert call(*whole, "--aligned", "--align", "arcface", "--dry-run").exit_code == 0
    teel = call("mask", source, run, "--kinds", "surgical:teel")
    assert_refused(teel, "'teel' is neither a colour nor a picture's file", "did you mean surgical:teal?")
    assert_refused(call("mask", source, run, "--kinds", "surgical:#ff880"), "surgical:teal or surgical:#ff8800")
    assert_refused(call("mask", source, run, "--kinds", "surgical:orange.png"), "orange.png cannot be printed")
    assert_refused(call("mask", source, run, "--quality", 900), "--quality", "1 to 100")
    assert_refused(call("mask", source, run, "--per-photo", "some"), "random, all or a number")
    assert_refused(call("mask", source, run, "--per-photo", 9), "1 to 5")
    assert_refused(call("mask", source), "RUN")
    assert_refused(call("mask", source, run, "--kind", "n95"), "--kinds")
    assert_refused(call("mask", source, run, "--kinds", "n59"), "did you mean n95?")
    assert_refused(call("msak", source, run), "did you mean mask?")
    assert not run.exists()


def test_arcface_has_a_size_of_its_own(source: Path, tmp_path: Path) -> None:
    result = call("mask", source, tmp_path / "run", "--workers", 1, "--align", "arcface")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "run" / "settings.json").read_text("utf-8"))["config"]["size"] == 112
    refused = call("mask", source, tmp_path / "other", "--align", "arcface", "--size", 160)
    assert_refused(refused, "give --size 112")
    for given, size in (({}, 112), ({"crop": "none"}, 160), ({"size": 224}, 224), ({"align": "facenet"}, 160)):
        options: dict[str, object] = {"size": None, "align": "arcface", **given}
        fill_size(options)
        assert options["size"] == size


def test_a_run_is_no_source(source: Path, tmp_path: Path) -> None:
    call("mask", source, tmp_path / "run", "--workers", 1)
    for more in ((), ("--dry-run",)):
        again = call("mask", tmp_path / "run", tmp_path / "again", *more)
        assert_refused(again, "run is a run of `maskgen mask`", "run/faces")
    assert not (tmp_path / "again").exists()
    assert call("mask", tmp_path / "run" / "faces", tmp_path / "again", "--workers", 1).exit_code == 0


def test_a_backend_that_is_not_installed_leaves_no_run_behind(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_packages(monkeypatch)
    for backend in ("dask", "ray"):
        assert_refused(call("mask", source, tmp_path / "run", "--backend", backend), f"maskgen[{backend}]")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("code", "said"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permissions"), (errno.EIO, "05")]
)
def test_faults_of_the_system_are_one_sentence(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def fail(self: RunFolder, path: Path, data: bytes, durable: bool = False) -> None:
        if path.name.startswith("05"):
            raise OSError(code, "so the system says", str(path))
        PLACE(self, path, data)

    monkeypatch.setattr(RunFolder, "place", fail)
    assert_refused(call("mask", source, tmp_path / "run", "--workers", 1), said, "05")


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ([], " with --resume"),
        (["--resume"], ""),
        (["--overwrite"], " with --resume in place of --overwrite"),
    ],
)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_training_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], how: str, code: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, "so the system says", "x/last")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    given = ("train", "small", "--data", tmp_path, "--run", tmp_path / "run", *options)
    monkeypatch.setattr("maskgen.pipelines.train.run.run_train", fail)
    assert_refused(call(*given), f" and give the same command again{how}.", "x/last")
    monkeypatch.setattr("maskgen.pipelines.train.run.run_train", interrupt)
    assert f"Interrupted. The same command{how} continues after the last checkpoint." in call(*given).output


def test_an_interrupt_says_how_to_go_on(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run_mask", interrupt)
    result = call("mask", source, tmp_path / "run")
    assert result.exit_code == 130
    assert "resumes" in result.output


def test_an_interrupt_promises_no_more_than_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("maskgen.pipelines.evaluate.run.run_evaluate", interrupt)
    result = call("evaluate", "dlib", "--data", tmp_path)
    assert result.exit_code == 130
    assert "starts again" in result.output


@pytest.mark.parametrize("by", ["cause", "context", "two"])
def test_an_interrupt_that_a_library_hides_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """PyTorch's exporter calls it a model that cannot be exported, Python 3.11 a class that cannot be made."""

    def interrupt(*_: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            if by == "cause":
                raise RuntimeError("Error calling __set_name__") from error
            if by == "context":
                raise UserError("PyTorch cannot write it.") from None
            raise OSError(errno.EIO, "bad") from RuntimeError("no export")

    monkeypatch.setattr("maskgen.pipelines.evaluate.run.run_evaluate", interrupt)
    monkeypatch.setattr("maskgen.pipelines.train.run.run_train", interrupt)
    for line, then in (
        (("evaluate", "dlib", "--data", tmp_path), "starts again"),
        (("train", "small", "--data", tmp_path, "--run", tmp_path / "run"), "continues after the last checkpoint"),
    ):
        result = call(*line)
        assert result.exit_code == 130
        assert then in result.output and "Error" not in result.output


def test_a_file_in_place_of_run_is_refused(source: Path, tmp_path: Path) -> None:
    assert_refused(call("mask", source, write(tmp_path / "run", b"")), "is a file")


def test_damaged_settings_are_refused(source: Path, tmp_path: Path) -> None:
    write(tmp_path / "run" / "settings.json", b"{")
    write(tmp_path / "run" / "shards" / "1.json", b"{}")  # by which it is a run's
    assert_refused(call("mask", source, tmp_path / "run"), "--overwrite")


def test_version_and_list_of_commands() -> None:
    assert call("--version").output.split()[-1] == __version__
    for name in COMMANDS:
        assert name in call("--help").output


def test_every_command_refuses_an_option_given_twice() -> None:
    for name in COMMANDS:
        assert isinstance(main.get_command(click.Context(main), name), OnceCommand), name


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["pairs", "--run", "A", "--run", "B", "OUT"], "--run is given 2 times: give it once."),
        (
            ["pairs", "--run", "A", "--people", "1,0,0", "--people=0,1,0", "OUT"],
            "--people is given 2 times: give it once, with commas between its values (--people TRAIN,EVAL,TEST).",
        ),
        (
            ["mask", "S", "R", "--kinds", "n95", "--kinds", "cloth"],
            "--kinds is given 2 times: give it once, with commas between its values (--kinds KIND,KIND,...).",
        ),
        (["mask", "--wear", "proper", "S", "--wear=nose_out", "R", "--wear", "proper"], "--wear is given 3 times:"),
        (["mask", "--segmentation", "S", "R", "--segmentation"], "--segmentation is given 2 times: give it once."),
        (["mask", "S", "R", "--bare", "--no-bare"], "--bare/--no-bare is given 2 times: give it once."),
        (["gallery", "S", "R", "--expect", "3,3", "--expect", "3,3"], "between its values (--expect BARE,MASKED)."),
        (["evaluate", "dlib", "--data", "A", "--data", "B"], "--data is given 2 times: give it once."),
        (["train", "small", "--data", "A", "--run", "B", "--seed", "1", "--seed", "1"], "--seed is given 2 times"),
        (["kinds", "--list-only", "--copy", "n95", "A", "--copy", "kn95", "A"], "--copy is given 2 times"),
    ],
)
def test_an_option_given_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(call(*line), says)
    assert list(tmp_path.iterdir()) == []


def test_options_that_may_be_repeated_are_and_help_is_given(tmp_path: Path) -> None:
    result = call("pairs", "--train", "A", "--train", "B", "--also", "rec", "--also", "tar", tmp_path / "out")
    assert_refused(result, "A is not a folder")
    assert call("pairs", "--run", "A", "--run", "B", "--help").exit_code == 0


def test_explain_names_the_file() -> None:
    assert "/x/y" in explain(OSError(errno.EROFS, "Read-only file system", "/x/y"))


def test_completion_offers_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "maskgen m")
    monkeypatch.setenv("COMP_CWORD", "1")
    result = CliRunner().invoke(main, [], prog_name="maskgen", env={"_MASKGEN_COMPLETE": "bash_complete"})
    assert "mask" in result.output


def test_a_misspelt_value_of_segmentation_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "classed").mkdir()
    assert_refused(call("mask", "--segmentation", "clases", tmp_path, tmp_path / "run"), "'clases' is not one of")
    done = call("mask", "--segmentation", tmp_path / "classed", tmp_path / "run", "--dry-run")
    assert "classed" in done.output and "is not one of" not in done.output


def test_a_landmark_model_that_is_none_leaves_no_run(source: Path, tmp_path: Path) -> None:
    (tmp_path / "model.dat").write_text("no model")
    for options in ([], ["--dry-run"]):
        result = call("mask", source, tmp_path / "run", "--landmarks-model", tmp_path / "model.dat", *options)
        assert_refused(result, "not a dlib shape predictor of 68 points")
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "line",
    [
        ["mask", "SOURCE", "OUT"],
        ["mask", "SOURCE", "OUT", "--dry-run"],
        ["pairs", "--run", "SOURCE", "OUT"],
        ["gallery", "SOURCE", "OUT"],
        ["train", "small", "--data", "SOURCE", "--run", "OUT"],
        ["evaluate", "dlib", "--data", "SOURCE", "--report", "OUT"],
        ["embed", "dlib", "FILE", "OUT"],
        ["export", "facenet", "OUT"],
        ["kinds", "--kind", "n95", "--out", "OUT"],
        ["kinds", "--copy", "n95", "OUT"],
        ["demo", "OUT"],
    ],
)
def test_an_output_in_a_file_is_refused_before_any_work(source: Path, tmp_path: Path, line: list[str]) -> None:
    (tmp_path / "file.txt").write_text("hello")
    places = {"SOURCE": source, "OUT": tmp_path / "file.txt" / "out", "FILE": tmp_path / "file.txt"}
    assert_refused(call(*[places.get(word, word) for word in line]), f"{tmp_path / 'file.txt'} is a file, not a folder")


def test_a_report_in_place_of_a_file_is_refused_before_any_work(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("hello")
    result = call("evaluate", "dlib", "--data", source, "--report", tmp_path / "file.txt")
    assert_refused(result, "file.txt is a file, not a folder")


@pytest.mark.parametrize(
    "line",
    [
        ["gallery", "ADDRESS", "out"],
        ["gallery", "SOURCE", "ADDRESS"],
        ["pairs", "--run", "SOURCE", "ADDRESS"],
        ["train", "small", "--data", "ADDRESS", "--run", "out"],
        ["train", "small", "--data", "SOURCE", "--run", "ADDRESS"],
        ["evaluate", "dlib", "--data", "ADDRESS"],
        ["evaluate", "dlib", "--gallery", "SOURCE", "--report", "ADDRESS"],
        ["embed", "dlib", "ADDRESS", "out"],
        ["export", "facenet", "ADDRESS"],
        ["kinds", "--out", "ADDRESS"],
        ["kinds", "--copy", "n95", "ADDRESS"],
        ["demo", "ADDRESS"],
        ["demo", "out", "--source", "ADDRESS"],
        ["mask", "SOURCE", "out", "--points", "ADDRESS"],
    ],
)
@pytest.mark.parametrize("scheme", ["s3", "ftp", "https"])
def test_an_address_is_no_local_folder(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: list[str], scheme: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = tree(tmp_path)
    places = {"SOURCE": str(source), "ADDRESS": f"{scheme}://bucket/x"}
    assert_refused(call(*[places.get(word, word) for word in line]), f"{scheme}://bucket/x is an address")
    assert tree(tmp_path) == before and not (tmp_path / f"{scheme}:").exists()


@pytest.mark.parametrize(
    "line",
    [
        ["evaluate", "", "--data", "x"],
        ["embed", "", "FILE", "out"],
        ["export", "", "out"],
        ["train", "", "--data", "x", "--run", "out"],
        ["kinds", "--copy", "n95", ""],
        ["mask", "SOURCE", "out", "--config", ""],
        ["evaluate", "dlib", "--data", "x", "--input", ""],
    ],
)
def test_an_empty_word_is_told_as_empty(source: Path, tmp_path: Path, line: list[str]) -> None:
    (tmp_path / "list.csv").write_text("path\n")
    places = {"SOURCE": str(source), "FILE": str(tmp_path / "list.csv"), "x": str(source)}
    assert_refused(call(*[places.get(word, word) for word in line]), "is empty")


def test_the_end_of_a_command_looks_for_no_cycles(tmp_path: Path) -> None:
    code = """
import atexit, gc, sys
atexit.register(lambda: print("frozen", gc.get_freeze_count() > 1000, len(gc.get_objects()) < 1000))
from maskgen.core.reasons import UserError
from maskgen.pipelines.cli import main
main(["kinds"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "frozen True True"
