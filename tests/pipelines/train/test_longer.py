"""--resume with more epochs goes on; with fewer, or with other settings, it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from maskgen.core.reasons import UserError
from maskgen.pipelines.runs.json_files import checksummed_bytes, remove
from maskgen.pipelines.train.folder import REPORT, TrainFolder
from maskgen.trainer import checkpoints
from maskgen.trainer.checkpoints import discard_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> TrainFolder:
    folder = TrainFolder(tmp_path)
    assert folder.begin({"train.epochs": 2, "loss.scale": 16.0}, 0, resume=False, overwrite=False) is None
    (tmp_path / "last").mkdir()
    folder.place(REPORT, checksummed_bytes({"end": "finished", "steps": 10}))
    return folder


def test_more_epochs_are_gone_on_with(folder: TrainFolder) -> None:
    longer = {"train.epochs": 5, "loss.scale": 16.0}
    assert folder.begin(longer, 0, resume=True, overwrite=False) is None
    with pytest.raises(UserError, match=r"train\.epochs"):
        folder.begin({"train.epochs": 2, "loss.scale": 16.0}, 0, resume=True, overwrite=False)


def test_a_longer_training_that_was_killed_is_not_the_finished_one(folder: TrainFolder) -> None:
    longer = {"train.epochs": 5, "loss.scale": 16.0}
    for _ in range(2):
        assert folder.begin(longer, 0, resume=True, overwrite=False) is None


def test_what_is_done_is_done(folder: TrainFolder) -> None:
    done = folder.begin({"train.epochs": 2, "loss.scale": 16.0}, 0, resume=True, overwrite=False)
    assert done is not None and done["end"] == "finished"


@pytest.mark.parametrize(("epochs", "scale", "resume"), [(5, 16.0, False), (5, 8.0, True), (1, 16.0, True)])
def test_anything_else_is_refused(folder: TrainFolder, epochs: int, scale: float, resume: bool) -> None:
    with pytest.raises(UserError, match="other settings") as refused:
        folder.begin({"train.epochs": epochs, "loss.scale": scale}, 0, resume=resume, overwrite=False)
    assert ("--resume" in str(refused.value)) == (not resume)


@pytest.mark.parametrize("data", [b"", b"[1]", b"{}", b"[" * 100_000])
def test_damaged_settings_are_a_sentence(folder: TrainFolder, data: bytes) -> None:
    (folder.root / "settings.json").write_bytes(data)
    with pytest.raises(UserError, match=r"settings\.json is damaged"):
        folder.begin({"train.epochs": 2, "loss.scale": 16.0}, 0, resume=True, overwrite=False)


@pytest.mark.parametrize("at", range(1, 13))
def test_an_overwrite_that_was_killed_is_no_finished_run(
    folder: TrainFolder, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever in the removal: what is left is a run that goes on, or nothing but what is made once."""
    same = {"train.epochs": 2, "loss.scale": 16.0}
    for name in ("best", "distances", "features"):
        (folder.root / name).mkdir()
    (folder.root / "history.csv").write_bytes(b"")
    steps = iter([True] * at)

    def step(work: Callable[[], None]) -> None:
        if not next(steps, False):
            raise KeyboardInterrupt
        work()

    def removed(root: Path, names: Iterable[str]) -> None:
        for name in names:
            step(partial(remove, root, [name]))

    with monkeypatch.context() as patch:
        patch.setattr("maskgen.pipelines.train.folder.remove", removed)
        patch.setattr(checkpoints, "discard_checkpoint", lambda of: step(partial(discard_checkpoint, of)))
        with pytest.raises(KeyboardInterrupt):
            folder.begin(same, 0, resume=False, overwrite=True)
    assert next(steps, None) is None
    assert folder.begin(same, 0, resume=True, overwrite=False) is None
    left = {path.name for path in folder.root.iterdir()} - {"settings.json", "features"}
    assert "last" in left or not left
    assert not (folder.root / REPORT).exists()
