"""A run that broke off and went on ends with the same bytes as one that did not."""

from __future__ import annotations

import csv
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from drawn import crops
from list_makers import png, write_csv, write_lists
from runs import TINY, report, train, weights

from maskgen.embedders.by_name import checkpoint_path
from maskgen.pipelines.runs.lock import hold
from maskgen.trainer.loop import Loop

# Ten steps, five an epoch.
LONG = ("--epochs", "2", "--set", "train.save_every=2")


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lists(tmp_path_factory.mktemp("lists"), people=5, each=8)


@pytest.fixture(scope="module")
def whole(lists: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    run = tmp_path_factory.mktemp("whole") / "run"
    train(lists, run, *LONG)
    return run


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Interrupts runs at these steps, in the middle of the step."""
    steps: list[int] = []
    move = Loop._optimizer_step

    def moved(loop: Loop) -> None:
        if loop.state.progress.step in steps:
            steps.remove(loop.state.progress.step)
            raise KeyboardInterrupt
        move(loop)

    monkeypatch.setattr(Loop, "_optimizer_step", moved)
    yield steps


@pytest.mark.skipif(sys.platform == "win32", reason="the death of a worker is told by a signal")
def test_a_loaders_worker_that_dies_during_a_step_is_one_sentence(
    lists: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move, before = Loop._optimizer_step, multiprocessing.active_children()

    def moved(loop: Loop) -> None:
        if loop.state.progress.step == 5:
            for worker in set(multiprocessing.active_children()) - set(before):  # other tests may have left some
                worker.kill()
                assert worker.pid is not None
                os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # left for PyTorch's handler of the signal
        move(loop)

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_optimizer_step", moved)
        said = train(lists, tmp_path / "run", *LONG, "--workers", "1", code=2).output
    assert "A process that loads pictures died" in said and "fewer --workers" in said
    train(lists, tmp_path / "run", *LONG, "--resume")
    assert weights(tmp_path / "run") == weights(whole)


def losses(run: Path) -> list[tuple[str, str, str]]:
    with (run / "history.csv").open(newline="") as file:
        return [(row["kind"], row["step"], row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("dies_at", [(1, 5), (3, 8)])
def test_an_interrupted_run_goes_on_as_if_nothing_had_been(
    lists: Path, whole: Path, tmp_path: Path, killed_at: list[int], dies_at: tuple[int, int]
) -> None:
    """Before anything is kept and between two epochs, and in the middle of either epoch."""
    killed_at += dies_at
    assert "--resume" in train(lists, tmp_path / "broken", *LONG, code=130).output
    train(lists, tmp_path / "broken", *LONG, "--resume", code=130)
    assert killed_at == []
    assert weights(tmp_path / "broken") != weights(whole)
    train(lists, tmp_path / "broken", *LONG, "--resume")
    for name in ("last", "best"):
        assert weights(tmp_path / "broken", name) == weights(whole, name)
    assert losses(tmp_path / "broken") == losses(whole)
    assert report(tmp_path / "broken")["best"] == report(whole)["best"]


def test_a_stop_inside_an_epoch_is_not_evaluated(lists: Path, whole: Path, tmp_path: Path) -> None:
    """The best checkpoint is one of an epoch's end, however often the run is stopped."""
    run = tmp_path / "stopped"
    said = train(lists, run, *LONG, "--max-steps", "3").output
    assert "IOU 0" not in said
    assert "best IOU              none: a run is evaluated after each epoch, and none is finished" in said
    assert "No epoch is the best: a run is evaluated after each" in (run / "report.html").read_text("utf-8")
    assert not (run / "best").exists() and not (run / "distances").exists()
    for most in ("4", "5", "7", "9"):
        train(lists, run, *LONG, "--max-steps", most, "--resume")
        assert (run / "best").exists() == (int(most) >= 5)
    train(lists, run, *LONG, "--resume")
    for name in ("last", "best"):
        assert weights(run, name) == weights(whole, name)
    assert report(run)["best"] == report(whole)["best"]


@pytest.mark.parametrize(
    "settings",
    [
        ("model.dropout=0.3", "train.accumulate=2", "schedule.name=onecycle"),
        ("optimizer.name=sgd", "optimizer.nesterov=true", "schedule.name=multistep", "schedule.milestones=1"),
        ("optimizer.name=adadelta", "loss.kind=both", "data.sampler=pk", "data.people=2", "data.images=4"),
        ("optimizer.name=rmsprop", "train.precision=fp16", "train.clip_norm=1"),
    ],
)
def test_whatever_the_recipe_all_of_its_state_is_kept(lists: Path, tmp_path: Path, settings: tuple[str, ...]) -> None:
    options = [*LONG, *(word for setting in settings for word in ("--set", setting))]
    train(lists, tmp_path / "whole", *options)
    train(lists, tmp_path / "broken", *options, "--max-steps", "4")
    assert report(tmp_path / "broken")["end"] == "max_steps"
    train(lists, tmp_path / "broken", *options, "--resume")
    assert weights(tmp_path / "broken") == weights(tmp_path / "whole")


def test_a_process_that_is_killed_leaves_a_run_that_goes_on(lists: Path, tmp_path: Path) -> None:
    more = ["--epochs", "3", "--set", "train.save_every=1", "--set", "optimizer.lr=0.001"]
    code = "from maskgen.pipelines.cli import main; main()"
    command = [sys.executable, "-P", "-c", code, "train", "small", "--data", str(lists), "--run"]
    working = subprocess.Popen([*command, str(tmp_path / "run"), *TINY, *more])
    until = time.monotonic() + 240  # of waiting on a loaded machine
    while not (tmp_path / "run/best").is_dir():
        assert working.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    working.send_signal(signal.SIGKILL)
    working.wait()
    assert not (tmp_path / "run/report.json").exists()
    assert "resuming after step" in train(lists, tmp_path / "run", *more, "--resume").output
    train(lists, tmp_path / "whole", *more)
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")


def killed_between_renames(run: Path, name: str) -> None:
    """As `save_checkpoint` leaves a folder that it was about to replace."""
    shutil.copytree(run / name, run / f".{name}.part")
    (run / name).rename(run / f".{name}.before")


def test_overwrite_starts_again_wherever_the_run_was_killed(lists: Path, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(lists, run, *LONG, "--seed", "7")
    for name in ("last", "best"):
        killed_between_renames(run, name)
    (run / "report.json").unlink()
    assert "resuming" not in train(lists, run, *LONG, "--overwrite").output
    assert weights(run) == weights(whole)
    assert losses(run) == losses(whole)
    assert sorted(path.name for path in run.iterdir()) == sorted(path.name for path in whole.iterdir())


def test_what_a_killed_save_left_is_put_right(lists: Path, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(lists, run, *LONG)
    for name in ("last", "best"):
        killed_between_renames(run, name)
    assert checkpoint_path(str(run)) == run / "best"
    (run / "report.json").unlink()
    (run / ".history.csv.4711.part").write_bytes(b"kind")
    train(lists, run, *LONG, "--resume")
    assert [weights(run, name) for name in ("last", "best")] == [weights(whole, name) for name in ("last", "best")]
    assert sorted(path.name for path in run.iterdir()) == sorted(path.name for path in whole.iterdir())


def test_a_start_that_was_killed_while_it_wrote_its_settings_can_be_repeated(lists: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".settings.json.4711.part").write_bytes(b"{")
    train(lists, tmp_path / "run", "--max-steps", "1")
    assert not list((tmp_path / "run").glob(".*.part"))


def test_a_longer_training_is_the_training_of_that_length_from_the_start(tmp_path: Path) -> None:
    """On drawn people, with a schedule that does not depend on the length."""
    lists = tmp_path / "lists"
    rows = []
    for person, own in enumerate(crops(4, 4)):
        for number, image in enumerate(own):
            path = lists / f"faces/{person}/{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(image))
            rows.append((f"faces/{person}/{number}.png", person))
    write_csv(lists / "train.csv", ("path", "target"), rows)
    same = ("--set", "schedule.name=multistep", "--set", "schedule.milestones=1")
    train(lists, tmp_path / "whole", *same, "--epochs", "3")
    train(lists, tmp_path / "longer", *same, "--epochs", "1")
    assert weights(tmp_path / "longer") != weights(tmp_path / "whole")
    train(lists, tmp_path / "longer", *same, "--epochs", "3", "--resume")
    assert weights(tmp_path / "longer") == weights(tmp_path / "whole")
    assert losses(tmp_path / "longer") == losses(tmp_path / "whole")


def test_resume_begins_where_there_is_nothing(lists: Path, tmp_path: Path) -> None:
    train(lists, tmp_path / "run", "--max-steps", "2", "--resume")
    assert report(tmp_path / "run")["steps"] == 2
    assert "holds this training already" in train(lists, tmp_path / "run", "--max-steps", "2", "--resume").output


def test_resume_and_overwrite_exclude_each_other(lists: Path, tmp_path: Path) -> None:
    assert "give one of them" in train(lists, tmp_path / "run", "--resume", "--overwrite", code=2).output


def test_two_runs_do_not_share_a_folder(lists: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with hold(tmp_path / "run/.lock"):
        assert "is working in" in train(lists, tmp_path / "run", "--max-steps", "1", code=2).output


def test_a_damaged_checkpoint_is_a_sentence(lists: Path, tmp_path: Path) -> None:
    train(lists, tmp_path / "run", *LONG, "--max-steps", "2")
    (tmp_path / "run/last/training.safetensors").write_bytes(b"{}")
    assert "damaged" in train(lists, tmp_path / "run", *LONG, "--resume", code=2).output
