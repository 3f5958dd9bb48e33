"""Forked workers: when there are any, and what becomes of them and of their shards when one dies."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ONE_THREAD, picture, run, set_aside, tree, wait_for, write, write_people

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import RemotePath
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.workers import backends, forked_pool
from maskgen.pipelines.workers.forked_pool import can_fork
from maskgen.pipelines.workers.loky_pool import LokyPool

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted on Linux only")
HERE = Path(__file__).parents[1]


def start(source: Path, out: Path, backend: str = "local", seconds: float = 0.01) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "run_fake.py"), str(source), str(out), "2", backend],
        env={**os.environ, **ONE_THREAD, "FAKE_MASKER_SECONDS": str(seconds)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(process: subprocess.Popen[Any]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_over(pid: int) -> bool:
    """Whether a process has ended; nobody may have asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def has_shards(out: Path, count: int = 1) -> Callable[[], bool]:
    return lambda: len(list(out.glob("shards/*.json"))) >= count


@pytest.fixture
def many(source: Path) -> Path:
    """Seven people, six of whom have forty photographs."""
    write_people(source, people=6, each=40)
    return source


def test_a_command_forks_its_workers_and_loky_starts_python_anew(many: Path, tmp_path: Path) -> None:
    for backend, forked in (("local", True), ("loky", False)):
        out = tmp_path / backend
        running = start(many, out, backend)
        wait_for(has_shards(out))
        workers = children(running)
        assert len(workers) >= 2
        assert all((command(pid) == command(running.pid)) == forked for pid in workers)
        assert running.wait(timeout=60) == 0
    assert tree(tmp_path / "local") == tree(tmp_path / "loky")


def test_a_process_with_several_threads_is_not_forked(tmp_path: Path) -> None:
    ended = threading.Event()
    other = threading.Thread(target=ended.wait)
    other.start()
    try:
        assert not can_fork()
        settings = MaskSettings(tmp_path / "source", tmp_path / "run", workers=2)
        with backends.open_pool(settings, 2, print) as pool:
            assert isinstance(pool, LokyPool)
    finally:
        ended.set()
        other.join()


def test_a_system_that_does_not_tell_its_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(forked_pool, "THREADS", tmp_path / "absent")
    assert not can_fork()


def test_no_more_workers_are_forked_than_there_are_shards(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(backends, "can_fork", lambda: True)
    monkeypatch.setattr(backends, "open_forked", asked.append)
    settings = MaskSettings(source, tmp_path / "run", workers=8)
    for shards in (0, 1, 8, backends.FORKED_SHARDS):
        backends.open_pool(settings, shards, print)
    assert asked == [1, 8, 8]
    with backends.open_pool(settings, backends.FORKED_SHARDS + 1, print) as pool:
        assert isinstance(pool, LokyPool)


def test_workers_of_a_run_in_an_object_store_are_not_forked(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would have a copy of a store in memory."""
    monkeypatch.setattr(backends, "can_fork", lambda: True)
    with backends.open_pool(MaskSettings(source, RemotePath("memory://a/run"), workers=2), 2, print) as pool:
        assert isinstance(pool, LokyPool)


def test_an_idle_worker_does_not_outlive_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, time; from maskgen.pipelines.workers.forked_pool import open_forked\n"
        "with open_forked(2): print(os.getpid(), flush=True); time.sleep(600)"
    )
    idle = subprocess.Popen(
        [sys.executable, "-P", "-c", code], env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE
    )
    assert idle.stdout is not None and int(idle.stdout.readline()) == idle.pid
    workers = children(idle)
    assert len(workers) == 2
    idle.send_signal(signal.SIGKILL)
    wait_for(lambda: all(map(is_over, workers)))


def test_interrupts_are_left_to_the_process_that_starts_workers(many: Path, tmp_path: Path) -> None:
    """A terminal sends them to all."""
    running = start(many, tmp_path / "run", seconds=10)
    wait_for(lambda: any((tmp_path / "run" / "scratch").rglob("*.log")))
    workers = children(running)
    assert all(signal.SIGINT in blocked(pid) for pid in workers) and signal.SIGINT not in blocked(running.pid)
    running.kill()
    wait_for(lambda: all(map(is_over, workers)))


def blocked(pid: int) -> set[int]:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigBlk:")]
    return {number + 1 for number in range(64) if int(line.split()[1], 16) >> number & 1}


def test_photographs_that_kill_forked_workers_are_found_out(many: Path, tmp_path: Path) -> None:
    write(many / "person 1" / "05.png", picture(900, "crash"))
    write(many / "person 3" / "x.png", picture(901, "crash"))
    running = start(many, tmp_path / "run")
    assert running.wait(timeout=120) == 0
    assert set_aside(tmp_path / "run") == {"person 1/05.png": "crashed", "person 3/x.png": "crashed"}
    run(many, tmp_path / "loky", workers=2, backend="loky", segmentation=True)
    assert tree(tmp_path / "run") == tree(tmp_path / "loky")


def test_a_worker_that_is_killed_loses_nothing(many: Path, tmp_path: Path) -> None:
    running = start(many, tmp_path / "run")
    wait_for(has_shards(tmp_path / "run"))
    os.kill(children(running)[0], signal.SIGKILL)
    assert running.wait(timeout=120) == 0
    run(many, tmp_path / "whole", segmentation=True)
    assert tree(tmp_path / "run") == tree(tmp_path / "whole")


def test_forked_workers_do_not_outlive_a_killed_run(many: Path, tmp_path: Path) -> None:
    running = start(many, tmp_path / "run", seconds=0.05)
    wait_for(has_shards(tmp_path / "run"))
    workers = children(running)
    running.kill()
    wait_for(lambda: all(map(is_over, workers)))


def test_an_interrupt_does_not_wait_for_the_shards_under_way(many: Path, tmp_path: Path) -> None:
    running = start(many, tmp_path / "run", seconds=10)  # minutes a shard
    wait_for(lambda: any((tmp_path / "run" / "scratch").rglob("*.log")))
    workers = children(running)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=90)[1]
    assert said.count("Traceback") == 1  # of the run itself, which `maskgen` tells in a sentence
    assert all(map(is_over, workers))


@pytest.mark.parametrize("mark, said", [("bug", "person 1/03.png: ZeroDivision"), ("no_model", "Error: a model is")])
def test_a_fault_in_a_forked_worker_is_told(source: Path, tmp_path: Path, mark: str, said: str) -> None:
    write(source / "person 1" / "03.png", picture(900, mark))
    running = start(source, tmp_path / "run")
    assert said in running.communicate(timeout=60)[1]
    assert running.returncode == 1


@pytest.mark.parametrize(
    ("of", "call", "fault"),
    [
        (os, "fork", BlockingIOError(errno.EAGAIN, "busy")),
        (forked_pool, "ProcessPoolExecutor", OSError(30, "/dev/shm")),
    ],
)
def test_workers_that_cannot_be_forked_are_told(
    monkeypatch: pytest.MonkeyPatch, of: Any, call: str, fault: OSError
) -> None:
    def refused(*_: Any) -> Any:
        raise fault

    monkeypatch.setattr(of, call, refused)
    with (
        pytest.raises(UserError, match="No worker process can be started here: give --workers 1"),
        forked_pool.open_forked(2),
    ):
        pass


def test_workers_look_for_no_cycles_in_what_they_inherit() -> None:
    code = """
import gc
from maskgen.pipelines.workers.forked_pool import open_forked
inherited = len(gc.get_objects())
with open_forked(1) as pool:
    print(pool._processes.submit(gc.get_freeze_count).result() >= inherited)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"]
