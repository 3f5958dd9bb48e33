"""An option that cannot have an effect beside the others is refused in one sentence, before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from maskgen.pipelines.cli import main

TRAIN_ONLY, EVAL_ONLY, ALL = ["--train", "A"], ["--eval", "A"], ["--run", "A"]
NO_TRAINING = [*ALL, "--people", "0,0.5,0.5"]
NO_PAIRS = [*ALL, "--people", "1,0,0"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mask", "photographs", "out", "--take-over"], "--take-over is for a RUN in an object store: leave it out."),
        (["mask", "photographs", "out", "--overwrite", "--prune"], "--overwrite starts again and --prune resumes"),
        (["kinds", "--list-only", "--out", "foo"], "--list-only writes nothing: leave out --out."),
        (["kinds", "--copy", "n95", "own", "--out", "foo"], "--copy writes a form alone: leave out --out."),
        (["kinds", "--copy", "n95", "own", "--kind", "n95"], "--copy writes a form alone: leave out --kind."),
        (["kinds", "--copy", "n95", "own", "--list-only"], "--copy writes a form alone: leave out --list-only."),
        (["gallery", "photographs", "out", "--seed", "0"], "--seed is for --simulate: leave it out."),
        *[
            (["gallery", "run", "out", "--simulate", *words], f"pictures as they are: leave out {words[0]}.")
            for words in (
                ["--doubtful", "drop"],
                ["--size", "160"],
                ["--align", "arcface"],
                ["--margin", "0.2"],
                ["--max-pixels", "5"],
                ["--landmarks", "own"],
                ["--device", "cpu"],
            )
        ],
        (["pairs", *ALL, "L", "--picture-size", "112"], "--picture-size is for --also bin, rec, cvlface, adaface,"),
        (["pairs", *ALL, "L", "--picture-size", "64", "--also", "label"], "--picture-size is for --also bin, rec,"),
        (["pairs", *ALL, "L", "--workers", "2"], "--workers is for --verify decode: leave it out."),
        (["pairs", *ALL, "L", "--leave-out-missing", "--verify", "names"], "--leave-out-missing is for --verify exist"),
        *[
            (["pairs", *runs, "L", *words], f"{words[0]} is for a training list")
            for words in (["--balance", "3"], ["--min-images", "1"])
            for runs in (EVAL_ONLY, NO_TRAINING)
        ],
        *[
            (["pairs", *runs, "L", *words], f"{words[0]} is for pairs")
            for words in (
                ["--mix", "mm=1"],
                ["--max-pairs", "5"],
                ["--pair-kinds", "any"],
                ["--protocol", "reference"],
                ["--allow-same-source"],
            )
            for runs in (TRAIN_ONLY, NO_PAIRS)
        ],
        (["pairs", *TRAIN_ONLY, "L", "--test-share", "0.5"], "--test-share is for pairs"),
        (["pairs", *ALL, "L", "--mix", "mm=0,mb=1", "--pair-kinds", "same"], "--pair-kinds is for masked-masked pairs"),
        *[
            (["pairs", "--check", "L", *words], f"--check only reads OUT: leave out {words[0]}.")
            for words in (
                ["--run", "A"],
                ["--mix", "mm=1"],
                ["--also", "bin"],
                ["--seed", "0"],
                ["--overwrite"],
                ["--paths", "relative"],
                ["--leave-out-missing"],
            )
        ],
        (["pairs", "--check", "L", "--workers", "2"], "--workers is for --verify decode: leave it out."),
        (["evaluate", "dlib", "--data", "L", "--far", "0.1"], "--far is for --gallery"),
    ],
)
def test_an_option_without_effect_is_refused(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_the_same_options_are_taken_where_they_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (
        [*ALL, "L", "--picture-size", "64", "--also", "bin"],
        [*ALL, "L", "--workers", "2", "--verify", "decode", "--leave-out-missing", "--balance", "3", "--mix", "mm=1"],
        [*TRAIN_ONLY, "L", "--balance", "3"],
        [*EVAL_ONLY, "L", "--mix", "mm=1", "--pair-kinds", "same", "--allow-same-source", "--test-share", "0.5"],
    ):
        result = CliRunner().invoke(main, ["pairs", *words])
        assert "A is not a folder: give one that `maskgen mask` wrote." in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pairs", *ALL, "L", "--mix", "mm=1,xx=2"], "--mix cannot be used, 'xx' is not one of mm, mb and bb"),
        (["pairs", *ALL, "L", "--mix", "mm=0"], "--mix cannot be used, the weights must be numbers from 0 up"),
        (["pairs", *ALL, "L", "--test-pairs", "notes.txt"], "notes.txt is neither a pairs.txt nor a list of images"),
        (["pairs", *ALL, "L", "--test-pairs", "label.txt", "--wear", "bare"], "label.txt names the images themselves"),
        (["pairs", *ALL, "L", "--test-pairs", "broken.txt"], "broken.txt, line 2: expected two paths and 1 or 0"),
        (
            ["pairs", *TRAIN_ONLY, "L", "--also", "bin"],
            "There are no test pairs for --also bin: leave it out, or give --eval.",
        ),
        (
            ["pairs", *EVAL_ONLY, "L", "--also", "rec"],
            "There are no training images for --also rec: leave it out, or give --train.",
        ),
        (["evaluate", "dlib", "--data", ".", "--device", "gpu"], "--device gpu is unknown: give cpu, cuda or cuda:N."),
        (["evaluate", "dlib", "--data", ".", "--input", "x.toml"], "--input describes the input of an ONNX file"),
        (["evaluate", "m.onnx", "--data", ".", "--input", "x.toml"], "x.toml cannot be read as TOML"),
        (["evaluate", "o.onnx", "--data", ".", "--input", "x.toml"], "o.onnx is neither a checkpoint nor one of"),
        (["evaluate", "dlib", "--benchmark", "lwf", "x"], "--benchmark lwf is not known: did you mean lfw?"),
        (["embed", "dlib", "label.txt", "o.parquet", "--device", "cuda:x"], "--device cuda:x is unknown: give cpu,"),
        (["embed", "dlib", "label.txt", "o.parquet", "--input", "x.toml"], "--input describes the input of an ONNX"),
    ],
)
def test_options_are_checked_before_anything_is_read(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("some words in a line that are no pair\n")
    (tmp_path / "label.txt").write_text("a/1.jpg\ta/2.jpg\t1\n")
    (tmp_path / "broken.txt").write_text("a/1.jpg\ta/2.jpg\t1\na/1.jpg\n")
    (tmp_path / "m.onnx").write_bytes(b"")
    before = sorted(tmp_path.iterdir())
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.output.split())
    assert sorted(tmp_path.iterdir()) == before
