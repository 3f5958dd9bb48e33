"""No command writes into, or clears, the folder of another one, whatever --overwrite says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support import run, tree, write, write_people

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.reasons import UserError
from maskgen.pipelines.cli import main
from maskgen.pipelines.config import read_config
from maskgen.pipelines.demo.folder import begin
from maskgen.pipelines.folder_owner import COMMAND, SETTINGS, Owner, owner_of
from maskgen.pipelines.gallery.folder import GalleryFolder
from maskgen.pipelines.gallery.settings import GallerySettings
from maskgen.pipelines.train.folder import TrainFolder

WHAT = {
    "mask": "a masking run",
    "gallery": "a gallery",
    "train": "a training",
    "pairs": "training lists",
    "evaluate": "an evaluation",
    "demo": "a demo",
}
WITH_SETTINGS = ("mask", "gallery", "train")
TRAINING = {"maskgen version": "1", "train.epochs": 2, "the training list": "ab"}


def call(*args: object) -> Result:
    return CliRunner().invoke(main, [*map(str, args)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of each command, and photographs."""
    root = tmp_path_factory.mktemp("made")
    write_people(root / "photographs", people=6, each=4)
    run(root / "photographs", root / "mask", bare=True)
    gallery = GalleryFolder(root / "gallery")
    gallery.root.mkdir()
    gallery.begin(GallerySettings(root / "photographs", gallery.root).deciding("ab"), overwrite=False, notify=print)
    write(gallery.root / "faces" / "Ann" / "bare" / "1__n95.jpg", b"a face")
    write(gallery.root / "report.json", b"{}")
    training = TrainFolder(root / "train")
    training.make()
    training.begin(TRAINING, 0, resume=False, overwrite=False)
    write(training.root / "best" / "model.safetensors", b"weights")
    done = call("pairs", "--run", root / "mask", "--verify", "names", "--people", "0.4,0.3,0.3", root / "pairs")
    assert done.exit_code == 0, done.output
    stored = {"maskgen": "0", "model": {}, "pictures": {}}
    write(root / "evaluate" / "results.json", json.dumps(stored).encode())
    write(root / "evaluate" / "report.html", b"<html>")
    begin(root / "demo")
    return root


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "made"))


def commands(own: Path, out: Path) -> dict[str, list[object]]:
    source = own / "photographs"
    return {
        "mask": ["mask", source, out],
        "gallery": ["gallery", source, out],
        "train": ["train", "small", "--data", own / "pairs", "--run", out],
        "pairs": ["pairs", "--run", own / "mask", "--verify", "names", out],
    }


def as_before(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The settings.json as `change` makes it."""
    stored = parse_checksummed((folder / SETTINGS).read_bytes())
    (folder / SETTINGS).write_text(json.dumps(add_checksum(change(stored))))


def unmarked(stored: dict[str, Any]) -> dict[str, Any]:
    """As earlier versions wrote it."""
    return {key: value for key, value in stored.items() if key != COMMAND}


@pytest.mark.parametrize("age", ["now", "earlier", "damaged"])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("command", ["mask", "gallery", "train", "pairs"])
@pytest.mark.parametrize("owner", WITH_SETTINGS)
def test_the_folder_of_another_command_is_refused(
    own: Path, owner: str, command: str, overwrite: bool, age: str
) -> None:
    if command == owner:
        return
    folder = own / owner
    if age == "earlier":
        as_before(folder, unmarked)
    if age == "damaged":
        (folder / SETTINGS).write_bytes(b"")
        write(folder / {"mask": "shards/x", "gallery": "gallery.csv", "train": "last/x"}[owner], b"")
    before = tree(folder)
    result = call(*commands(own, folder)[command], *(["--overwrite"] if overwrite else []))
    assert result.exit_code == 2, result.output
    told = " ".join(result.output.split())
    assert f"is the folder of {WHAT[owner]}: choose another" in told or "is the folder of a run" in told
    assert "--overwrite" not in told.partition("Error")[2]
    assert tree(folder) == before


@pytest.mark.parametrize("command", ["mask", "gallery", "train", "pairs"])
@pytest.mark.parametrize("owner", ["pairs", "evaluate", "demo"])
def test_so_is_one_of_lists_or_of_an_evaluation(own: Path, owner: str, command: str) -> None:
    if command == owner:
        return
    before = tree(own / owner)
    result = call(*commands(own, own / owner)[command], "--overwrite")
    assert result.exit_code == 2
    assert f"is the folder of {WHAT[owner]}: choose another" in " ".join(result.output.split())
    assert tree(own / owner) == before


@pytest.mark.parametrize("content", [b'{"theme": "dark"}', b'{ // mine\n "theme": 1 }', b"[1, 2]", b"theme = dark"])
@pytest.mark.parametrize("command", WITH_SETTINGS)
def test_settings_of_another_program_are_not_taken_for_ones_own(
    own: Path, tmp_path: Path, command: str, content: bytes
) -> None:
    write(tmp_path / "web" / SETTINGS, content)
    for options in ([], ["--overwrite"]):
        result = call(*commands(own, tmp_path / "web")[command], *options)
        assert result.exit_code == 2
        assert f"that `maskgen {command}` did not write" in " ".join(result.output.split())
    assert (tmp_path / "web" / SETTINGS).read_bytes() == content


def test_folders_of_earlier_versions_go_on(made: Path, own: Path) -> None:
    for name in WITH_SETTINGS:
        as_before(own / name, unmarked)
        assert owner_of(own / name) == name
    before = tree(own / "mask")
    run(made / "photographs", own / "mask", bare=True)
    assert tree(own / "mask") == before
    training = TrainFolder(own / "train")
    (training.root / "last").mkdir()
    assert training.begin(TRAINING, 0, resume=True, overwrite=False) is None
    (own / "gallery" / "report.json").unlink()
    settings = GallerySettings(made / "photographs", own / "gallery").deciding("ab")
    assert GalleryFolder(own / "gallery").begin(settings, overwrite=False, notify=print) is None


def test_each_command_says_who_wrote_its_settings(made: Path) -> None:
    for name in (*WITH_SETTINGS, "demo"):
        assert json.loads((made / name / SETTINGS).read_text())[COMMAND] == name
    assert {owner_of(made / name) for name in WHAT} == set(Owner)
    assert owner_of(made / "photographs") is None and owner_of(made / "none") is None


def test_config_takes_the_settings_of_masking_alone(own: Path) -> None:
    assert "kinds" in read_config(own / "mask" / SETTINGS)
    as_before(own / "mask", unmarked)
    assert "kinds" in read_config(own / "mask" / SETTINGS)
    for name in ("gallery", "train", "demo"):
        with pytest.raises(UserError, match=f"is of maskgen {name}: name a file of options"):
            read_config(own / name / SETTINGS)
