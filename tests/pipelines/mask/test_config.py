"""`mask --config`: options from a file, the command line first; settings.json is such a file."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_masker import make_fake
from support import tree

from maskgen.core.reasons import UserError
from maskgen.pipelines.cli import main
from maskgen.pipelines.config import read_config
from maskgen.pipelines.mask import run as runner
from maskgen.pipelines.mask.command import mask_command
from maskgen.pipelines.mask.settings import MaskSettings


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[MaskSettings]:
    """The settings of each run that was asked for; masks are painted squares."""
    found: list[MaskSettings] = []
    do = functools.partial(runner.run_mask, factory=make_fake)

    def run_mask(settings: MaskSettings, **options: Any) -> Any:
        found.append(settings)
        return do(settings, **options)

    monkeypatch.setattr(runner, "run_mask", run_mask)
    return found


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["mask", "--workers", "1", *map(str, args)])


def config(folder: Path, text: str) -> Path:
    (folder / "mask.yaml").write_text(text, "utf-8", "surrogateescape")
    return folder / "mask.yaml"


def test_a_file_gives_options_and_the_command_line_wins(
    source: Path, tmp_path: Path, asked: list[MaskSettings]
) -> None:
    text = "kinds: [n95=3, surgical:teal]\nwear: proper\nper-photo: 2\nbare: true\nsize: 96\nmargin: 0.2\nseed: 5\n"
    file = config(tmp_path, text)
    result = call("--config", file, source, tmp_path / "run", "--seed", 7, "--no-bare")
    assert result.exit_code == 0, result.output
    (one,) = asked
    assert (one.kinds, one.wear, one.per_photo) == (("n95=3", "surgical:teal"), ("proper",), 2)
    assert (one.bare, one.size, one.margin, one.seed) == (False, 96, 0.2, 7)


def test_every_option_has_its_key(source: Path, tmp_path: Path, asked: list[MaskSettings]) -> None:
    known = {str(param.name) for param in mask_command.params} - {"config"}
    values = {name: "random" if name == "per_photo" else None for name in known}
    values |= {"source": str(source), "run": str(tmp_path / "run"), "overwrite": True}
    result = call("--config", config(tmp_path, json.dumps(values)))
    assert result.exit_code == 0, result.output
    assert asked[0].source == source and asked[0].overwrite


def test_the_settings_of_a_run_repeat_it(source: Path, tmp_path: Path, asked: list[MaskSettings]) -> None:
    options = ("--kinds", "n95=3,surgical:#008080", "--bare", "--format", "png", "--seed", 3, "--min-trust", 0.5)
    assert call(source, tmp_path / "run", *options).exit_code == 0
    stored = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert stored["config"]["kinds"] == ["n95=3", "surgical:#008080"]
    assert "workers" not in stored["config"] and "run" not in stored["config"]
    result = call("--config", tmp_path / "run" / "settings.json", source, tmp_path / "again")
    assert result.exit_code == 0, result.output
    assert tree(tmp_path / "again") == tree(tmp_path / "run")
    assert asked[0].deciding() == asked[1].deciding()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sizes: 112", "mask.yaml: there is no option 'sizes': did you mean size?"),
        ("config: b.yaml", "there is no option 'config'"),
        ("size: 112\nsize: 96", "gives size twice"),
        ('{"size": 1, "--size": 2}', "gives size twice"),
        ("size: big", "mask.yaml: size: 'big' is not a valid integer."),
        ("size: 112.5", "mask.yaml: size: '112.5' is not a valid integer."),
        ("size: true", "mask.yaml: size: 'True' is not a valid integer."),
        ("size: [1]", "mask.yaml: size: give one value"),
        ("size: 5", "--size 5 is out of range"),
        ("bare: 1", "mask.yaml: bare: 1 is neither true nor false."),
        ("crop: half", "mask.yaml: crop: 'half' is not one of 'face', 'none'."),
        ("per-photo: some", "mask.yaml: per-photo: 'some' is not random, all or a number."),
        ("kinds: {n95: 3}", "mask.yaml: kinds: give a list of names"),
        ("kinds: [[n95]]", "mask.yaml: kinds: give"),
        ("kinds: [kn59]", "kn95"),
        ("- size", "is no list of options"),
        ("112: size", "is no list of options"),
        ("", "is no list of options"),
        ("a: [", "mask.yaml is neither YAML nor JSON (line 1)"),
        ("size: 1\nkinds:\tn95\n\t- x: [\n", "mask.yaml is neither YAML nor JSON (line 2)"),
        ("size: \x00", "mask.yaml is neither YAML nor JSON: "),
        ("\udcff", "mask.yaml is not UTF-8 text"),
        ("a: !!python/object/apply:os.system [ls]", "mask.yaml is neither YAML nor JSON (line 1)"),
        ("[" * 5000, "mask.yaml"),
        ("seed: " + "9" * 5000, "mask.yaml holds a number of too many digits"),
        ('{"seed": ' + "9" * 5000 + "}", "mask.yaml holds a number of too many digits"),
        ('{"settings": {}, "digest": ""}', "is of an earlier version"),
    ],
)
def test_a_fault_of_the_file_is_one_sentence_with_its_name(
    source: Path, tmp_path: Path, asked: list[MaskSettings], text: str, said: str
) -> None:
    result = call("--config", config(tmp_path, text), source, tmp_path / "run")
    assert result.exit_code == 2 and asked == []
    assert said in result.output.replace("\n", " "), result.output
    assert result.output.count("Error:") == 1 and "Traceback" not in result.output
    for words in ("unicode string", "codec", "token", "constructor"):  # the parser's
        assert words not in result.output


def test_an_absent_file_is_refused(source: Path, tmp_path: Path) -> None:
    assert "does not exist" in call("--config", tmp_path / "none.yaml", source, tmp_path / "run").output


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "mask.yaml").write_bytes(b"size: \xff")
    with pytest.raises(UserError, match=r"mask\.yaml is not UTF-8 text"):
        read_config(tmp_path / "mask.yaml")
