"""Runs that are killed, interrupted, or come to a fault: what is told, and how they go on."""

from __future__ import annotations

import errno
import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import ONE_THREAD, picture, posix, run, set_aside, tree, wait_for, write, write_people

from maskgen.core.reasons import UserError
from maskgen.pipelines.runs.run_folder import RunFolder
from maskgen.pipelines.runs.shard import PhotographError

ANYWHERE = pytest.mark.parametrize("workers, backend", [(1, "local"), (2, "local"), (2, "loky")])
TWO = pytest.mark.parametrize("backend", ["local", "loky"])


def start(source: Path, out: Path, workers: int, seconds: float, backend: str = "local") -> subprocess.Popen[bytes]:
    script = Path(__file__).parents[1] / "run_fake.py"
    return subprocess.Popen(
        [sys.executable, str(script), str(source), str(out), str(workers), backend],
        env={**os.environ, **ONE_THREAD, "FAKE_MASKER_SECONDS": str(seconds)},
        stderr=subprocess.DEVNULL,
    )


def has_shards(out: Path, count: int) -> bool:
    return len(list(out.glob("shards/*.json"))) >= count


@posix
@ANYWHERE
def test_a_killed_run_goes_on_as_if_it_had_not_been(source: Path, tmp_path: Path, workers: int, backend: str) -> None:
    write_people(source, people=6, each=40)
    out, whole = tmp_path / "run", tmp_path / "whole"
    for finished in (1, 3):
        killed = start(source, out, workers, 0.02, backend)
        wait_for(functools.partial(has_shards, out, finished))
        killed.kill()
        killed.wait()
        assert not (out / "report.json").exists()
    run(source, out, workers=2, segmentation=True)
    run(source, whole, segmentation=True)
    assert tree(out) == tree(whole)


@posix
@TWO
def test_workers_end_with_the_run_that_started_them(source: Path, tmp_path: Path, backend: str) -> None:
    write_people(source, people=6, each=40)
    out = tmp_path / "run"
    killed = start(source, out, 2, 0.02, backend)
    wait_for(lambda: any(out.glob("shards/*.json")))
    killed.kill()
    killed.wait()
    wait_for(lambda: _is_still(out))


def _is_still(out: Path) -> bool:
    before = tree(out)
    time.sleep(0.3)
    return tree(out) == before


@posix
@TWO
def test_an_interrupted_run_says_nothing_of_its_workers(source: Path, tmp_path: Path, backend: str) -> None:
    write_people(source, people=6, each=40)
    out = tmp_path / "run"
    running = start(source, out, 2, 0.02, backend)
    wait_for(lambda: any(out.glob("shards/*.json")))
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=20) != 0
    assert run(source, out, segmentation=True).written == 240


@posix
def test_a_second_run_in_the_folder_is_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = start(source, out, 1, seconds=0.2)
    wait_for(lambda: (out / "settings.json").exists())
    with pytest.raises(UserError, match=rf"process {first.pid} on .*wait for it"):
        run(source, out)
    first.kill()
    first.wait()
    assert run(source, out, segmentation=True).written == 24


def test_photographs_that_kill_their_worker_are_found_out(source: Path, tmp_path: Path) -> None:
    write_people(source, people=4, each=20)
    write(source / "person 1" / "05.png", picture(900, "crash"))
    write(source / "person 3" / "x.png", picture(901, "crash"))
    report = run(source, tmp_path / "run", workers=2)
    assert set_aside(tmp_path / "run") == {"person 1/05.png": "crashed", "person 3/x.png": "crashed"}
    assert (report.photographs, report.written) == (81, 79)
    assert not (tmp_path / "run" / "scratch").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fault_of_the_program_names_the_photograph(source: Path, tmp_path: Path, workers: int) -> None:
    write(source / "person 1" / "03.png", picture(900, "bug"))
    with pytest.raises(PhotographError, match=r"person 1/03\.png: ZeroDivisionError"):
        run(source, tmp_path / "run", workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_missing_model_is_no_fault_of_a_photograph(source: Path, tmp_path: Path, workers: int) -> None:
    write(source / "person 1" / "03.png", picture(900, "no_model"))
    with pytest.raises(UserError, match=r"^a model is missing$"):
        run(source, tmp_path / "run", workers=workers)


def test_a_full_disk_stops_the_run_and_it_goes_on_later(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = RunFolder.place

    def full(self: RunFolder, path: Path, data: bytes, durable: bool = False) -> None:
        if path.name.startswith("05"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        place(self, path, data)

    out = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(RunFolder, "place", full)
        run(source, out)
    assert not (out / "report.json").exists()
    run(source, out)
    run(source, tmp_path / "fresh")
    assert tree(out) == tree(tmp_path / "fresh")
