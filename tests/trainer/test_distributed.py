"""Two processes that train one model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from list_makers import write_lists
from runs import report, train

from maskgen.core.reasons import UserError
from maskgen.pipelines.train.report import exit_code
from maskgen.trainer.checkpoints import load_checkpoint
from maskgen.trainer.distributed import joined
from maskgen.trainer.monitoring.history import read_history
from maskgen.trainer.told_once import ToldElsewhereError

# Layer norm in place of batch norm, which on CPUs sees each process's share only.
SAME = ("model.backbone=timm:test_convnext", "model.neck=none", "optimizer.name=sgd", "optimizer.lr=0.01")
SETTINGS = ("--epochs", "2", *(word for setting in SAME for word in ("--set", setting)))


# maskgen.trainer, which then prints of its threads those that outlive the group: such a one can abort the interpreter's
# end, and torchrun then calls a finished training failed.
TRAINED_AND_LEFT = """
import runpy
import sys
from pathlib import Path

try:
    runpy.run_module("maskgen.trainer", run_name="__main__", alter_sys=True)
except SystemExit as end:
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
    sys.stdout.write(f"{sum('gloo' in name for name in names)} left;")
    sys.exit(end.code)
"""


def torchrun(folder: Path, processes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`torchrun -m -- maskgen.trainer ...`, or another module, at a port that is free, not in the checkout."""
    command = [sys.executable, "-P", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, "-m", "--", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=environment,
        cwd=folder,
    )


def train_by_two(
    folder: Path, lists: Path, run: Path, *options: str, module: str = "maskgen.trainer"
) -> subprocess.CompletedProcess[str]:
    """Two processes on the CPU that train the small recipe on lists."""
    where = ("--data", str(lists), "--run", str(run), "--device", "cpu")
    return torchrun(folder, 2, module, "small", *where, *options)


def test_two_processes_take_the_steps_of_one_with_the_whole_batch_and_leave_no_thread(tmp_path: Path) -> None:
    lists = write_lists(tmp_path / "lists", people=4, each=8)
    two, one = tmp_path / "two", tmp_path / "one"
    shared = ("--set", "data.size=32", "--set", "schedule.warmup_steps=0", "--threads", "1", "--batch-size", "4")
    (tmp_path / "trained_and_left.py").write_text(TRAINED_AND_LEFT)
    done = train_by_two(tmp_path, lists, two, *shared, *SETTINGS, module="trained_and_left")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("0 left;") == 2, done.stdout
    train(lists, one, *SETTINGS, "--batch-size", "8")
    assert done.stdout.count("best IOU") == 1
    assert (report(two)["processes"], report(two)["steps"]) == (2, 8)
    assert report(two)["best"]["iou"] == pytest.approx(report(one)["best"]["iou"], abs=1e-6)
    wholes, shares = (load_checkpoint(run / "last") for run in (one, two))
    for name in ("model_state", "loss_state"):
        whole, share = getattr(wholes, name), getattr(shares, name)
        assert set(whole) == set(share)
        for key in whole:
            assert torch.allclose(whole[key], share[key], atol=1e-5), key
    losses = [[row.loss for row in read_history(run / "history.csv")] for run in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_unreadable_pictures_are_no_failure_to_torchrun(tmp_path: Path) -> None:
    lists = write_lists(tmp_path / "lists", people=4, each=8)
    (lists / "faces/6/1.png").write_bytes(b"no picture")
    done = train_by_two(
        tmp_path, lists, tmp_path / "run", "--epochs", "1", "--batch-size", "4", "--set", "data.size=32"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("faces/6/1.png: not_a_picture") == 1
    assert report(tmp_path / "run")["unreadable"] == 1


@pytest.mark.parametrize(("end", "unreadable", "processes", "code"), [
    ("finished", 0, 1, 0), ("finished", 2, 1, 3), ("finished", 2, 4, 0), ("collapsed", 0, 1, 3), ("collapsed", 0, 4, 3),
])  # fmt: skip
def test_exit_codes(end: str, unreadable: int, processes: int, code: int) -> None:
    assert exit_code({"end": end, "unreadable": unreadable, "processes": processes}) == code


def faults(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The sentences of the program, not of torchrun."""
    return [line.removeprefix("Error: ") for line in done.stderr.splitlines() if line.startswith("Error: ")]


def test_what_is_wrong_is_said_once(tmp_path: Path) -> None:
    lists = write_lists(tmp_path / "lists", people=4, each=8)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/thesis.txt").write_text("")
    done = train_by_two(tmp_path, lists, tmp_path / "foreign")
    assert done.returncode != 0
    assert done.stderr.count("holds files that no training wrote") == 1


# maskgen.trainer, whose first process is the slower one.
SLOW_FIRST = """
import os
import runpy
import time

if os.environ["RANK"] == SLOW:
    time.sleep(1.5)
runpy.run_module("maskgen.trainer", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("slow", ["0", "1"])
def test_what_is_wrong_before_they_meet_is_said_once_whichever_is_slow(tmp_path: Path, slow: str) -> None:
    """torchrun ends all processes when the first one has failed: one with nothing to tell must not be that."""
    (tmp_path / "slow_first.py").write_text(f"SLOW = {slow!r}\n{SLOW_FIRST}")
    done = train_by_two(tmp_path, tmp_path / "nowhere", tmp_path / "run", module="slow_first")
    assert done.returncode != 0
    assert faults(done) == [
        f"{tmp_path / 'nowhere'} is not there: give a folder that `maskgen pairs` wrote, or a .rec or tars."
    ]


# maskgen.trainer, in one of whose processes the disk is full at the first checkpoint, or the pictures are unreadable.
FAILS = """
import errno
import os
import runpy

from maskgen.core.reasons import UserError
from maskgen.trainer import loop

def fail(*_):
    raise FAULT

if os.environ["RANK"] == FAILING:
    loop.Loop._check_collapse = fail
runpy.run_module("maskgen.trainer", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("failing", "fault", "sentence"),
    [
        (
            *("0", 'OSError(errno.ENOSPC, "full", "last")'),
            "The disk is full at last: free some space and give the same command again with --resume.",
        ),
        ("1", 'UserError("None of 100 pictures can be read.")', "None of 100 pictures can be read."),
    ],
)
def test_a_fault_of_one_process_is_said_by_it_and_is_no_traceback_in_the_others(
    tmp_path: Path, failing: str, fault: str, sentence: str
) -> None:
    lists = write_lists(tmp_path / "lists", people=4, each=8)
    (tmp_path / "fails.py").write_text(f"FAILING = {failing!r}\n{FAILS.replace('FAULT', fault)}")
    small = ("--set", "data.size=32", "--batch-size", "4", "--epochs", "2")
    done = train_by_two(tmp_path, lists, tmp_path / "run", *small, module="fails")
    assert done.returncode != 0
    assert faults(done) == [sentence]
    assert "[rank" not in done.stderr and "gloo" not in done.stderr  # torchrun's own end is a traceback


def test_too_few_gpus_are_said_by_the_process_that_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name, value in {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="none is 1; start fewer") as caught, joined("cuda"):
        pass
    assert not isinstance(caught.value, ToldElsewhereError)


def test_a_process_that_nobody_ends_tells_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    for name, value in {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    assert "nowhere is not there" in train(tmp_path / "nowhere", tmp_path / "run", code=2).output
    assert len(waited) == 1
