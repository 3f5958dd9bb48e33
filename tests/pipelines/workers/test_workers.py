from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from fake_masker import make_fake
from support import run, tree, without_packages

from maskgen.core.reasons import UserError
from maskgen.pipelines.cli import main
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.runs.attempts import Log
from maskgen.pipelines.runs.run_folder import open_run
from maskgen.pipelines.runs.shard import run_shard
from maskgen.pipelines.runs.task import ShardDone, ShardReturned, ShardTask, Start
from maskgen.pipelines.runs.versions import versions
from maskgen.pipelines.runs.worker_process import prepare_worker
from maskgen.pipelines.sources.listing import Item
from maskgen.pipelines.workers import dask_pool, loky_pool, ray_pool
from maskgen.pipelines.workers.pool import Pool
from maskgen.pipelines.workers.retry import run_with_retries
from maskgen.pipelines.workers.shard_queue import Answer, ShardQueue


@pytest.fixture
def task(source: Path, tmp_path: Path) -> Iterator[ShardTask]:
    """Two photographs, in a run that is under way."""
    settings = MaskSettings(source, tmp_path / "run")
    items = tuple(Item(f"person 1/{name}.png", "person 1", f"person 1/{name}") for name in ("03", "04"))
    with open_run(settings, 16) as (folder, _):
        yield ShardTask("shard", items, source, settings, make_fake, Start(folder.start, "digest"))


def done(task: ShardTask) -> ShardDone:
    answer = run_shard(task)
    assert isinstance(answer, ShardDone)
    return answer


def test_a_shard_leaves_no_notes_behind(task: ShardTask) -> None:
    assert done(task).report.written == 2
    assert list(task.run.scratch.iterdir()) == []


def test_a_shard_that_was_done_before_its_worker_died_is_not_done_again(task: ShardTask) -> None:
    report = done(task).report
    (task.run.faces / "person 1").rename(task.run.root / "aside")
    Log(task.log).begin(0)
    assert done(task).report == report
    assert not (task.run.faces / "person 1").exists()


def test_a_photograph_on_which_two_workers_died_is_set_aside(task: ShardTask) -> None:
    for _ in range(2):
        Log(task.log).begin(0)
        Log(task.log).at(1)
    (aside,) = done(task).report.set_aside
    assert (aside.path, aside.reason) == ("person 1/04.png", "crashed")


def test_a_shard_is_given_back_before_its_backend_gives_it_up(task: ShardTask) -> None:
    mortal = replace(task, start=replace(task.start, lives=2))
    for expected in (ShardDone, ShardReturned):
        Log(task.log).begin(0)
        Log(task.log).begin(0)
        assert isinstance(run_shard(replace(mortal, turn=1) if expected is ShardDone else mortal), expected)
        forget(task)


def forget(task: ShardTask) -> None:
    for path in (task.run.shard(task.id), task.log):
        path.unlink(missing_ok=True)


def test_a_worker_of_an_ended_start_writes_nothing(task: ShardTask) -> None:
    before = tree(task.run.root)
    with pytest.raises(UserError, match=f"not visible on {socket.gethostname()}: RUN must be on a file system"):
        run_shard(replace(task, start=replace(task.start, token="earlier")))
    assert tree(task.run.root) == before


def test_a_write_that_is_under_way_when_the_start_ends_comes_to_nothing(source: Path, tmp_path: Path) -> None:
    with open_run(MaskSettings(source, tmp_path / "run"), 16) as (earlier, _):
        pass
    with open_run(MaskSettings(source, tmp_path / "run"), 16):
        with pytest.raises(FileNotFoundError):
            earlier.place(earlier.faces / "late.jpg", b"late")
        assert list(earlier.faces.iterdir()) == []


def test_a_worker_without_the_source_or_with_other_libraries_refuses(task: ShardTask, tmp_path: Path) -> None:
    there = tuple(versions().items())
    elsewhere = replace(task, start=replace(task.start, versions=there))
    prepare_worker(elsewhere)
    with pytest.raises(UserError, match=r"SOURCE .*absent is not visible on"):
        prepare_worker(replace(elsewhere, root=tmp_path / "absent"))
    other = replace(task.start, versions=(*there[:-1], (there[-1][0], "0.0")))
    with pytest.raises(UserError, match=rf"has {there[-1][0]} .*, and this machine 0\.0: install the same"):
        prepare_worker(replace(task, start=other))


class Forgetful(Pool):
    """Gives every shard back once."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def run(self, feed: ShardQueue) -> Iterator[Answer]:
        for one in feed:
            self.seen.append((one.id, one.turn))
            yield ShardDone(one.id, None) if one.turn else ShardReturned(one.id)  # type: ignore[arg-type]


def test_shards_that_are_given_back_are_handed_out_again(task: ShardTask) -> None:
    pool = Forgetful()
    tasks = [replace(task, id=name) for name in "abc"]
    assert sorted(answer.id for answer in run_with_retries(tasks, pool)) == ["a", "b", "c"]
    assert sorted(pool.seen) == [(name, turn) for name in "abc" for turn in (0, 1)]


class Threads:
    """A Dask client whose workers come one by one."""

    def __init__(self, *numbers: int) -> None:
        self.numbers, self.there = numbers, 0

    def nthreads(self) -> dict[int, int]:
        self.there += 1
        return dict(enumerate(self.numbers[: self.there]))


def test_dask_workers_are_waited_for_and_have_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_pool.time, "sleep", lambda seconds: None)
    told: list[str] = []
    dask_pool._wait_for(Threads(1, 1, 1), 3, told.append)
    assert told == ["Waiting for 3 Dask workers; 1 is connected."]
    with pytest.raises(UserError, match="--nthreads 1"):
        dask_pool._wait_for(Threads(1, 4), 2, told.append)


class Resources:
    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 8.0, "GPU": 1.0}


def test_ray_has_as_many_workers_as_there_are_cores() -> None:
    assert ray_pool._workers(Resources(), 0, "CPU") == 8
    assert ray_pool._workers(Resources(), 3, "CPU") == 3
    with pytest.raises(UserError, match="has 8 CPUs: give --workers 8 at most"):
        ray_pool._workers(Resources(), 9, "CPU")
    with pytest.raises(UserError, match="two workers or more"):
        ray_pool._workers(Resources(), 0, "GPU")


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_a_backend_that_is_not_installed_is_said(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    without_packages(monkeypatch)
    with pytest.raises(UserError, match=rf"pip install 'maskgen\[{backend}\]'"):
        run(source, tmp_path / "run", workers=2, backend=backend)


def test_no_scheduler_is_said(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_pool, "PATIENCE", 1)
    command = ["mask", str(source), str(tmp_path / "run"), "--backend", "dask", "--scheduler"]
    for address in ("127.0.0.1:1", "nowhere", "tcp://[::"):
        said = CliRunner().invoke(main, [*command, address])
        assert said.exit_code == 2, said.output
        assert f"No Dask scheduler answers at {address}" in said.output


@pytest.mark.skipif(sys.platform != "linux", reason="what glibc does")
def test_a_worker_keeps_its_memory_where_dask_had_it_given_back() -> None:
    code = (
        "import resource, numpy; from maskgen.pipelines.runs.worker_process import keep_freed_memory\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(20): numpy.ones(1 << 20)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "before = faults(); keep_freed_memory(); faults(); print(before, faults())"
    )
    told = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask's nannies set it
    done = subprocess.run([sys.executable, "-P", "-c", code], env=told, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after < before / 10


@pytest.mark.skipif(sys.platform != "linux", reason="what glibc does")
def test_a_worker_gives_memory_back_that_holds_nothing() -> None:
    code = (
        "import re, numpy; from maskgen.pipelines.runs.worker_process import RELEASED_AFTER, release_memory\n"
        "def held(): return int(re.findall(r'VmRSS:\\s+(\\d+)', open('/proc/self/status').read())[0]) >> 10\n"
        "first, many = held(), [numpy.ones(1000) for _ in range(10_000)]\n"
        "pinned = many.pop(); del many\n"
        "before = held(); release_memory(RELEASED_AFTER); print(first, before, held())"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    first, before, after = map(int, done.stdout.split())
    assert before > first + 60  # 80 MB, kept for the one array that is left at their end
    assert after < first + 20


def test_workers_that_cannot_be_started_are_told(task: ShardTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """joblib's helper process is the one that fails first, and its broken pipe would end the command without a word."""

    def broken(*args: object, **config: object) -> Iterator[Answer]:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        yield

    monkeypatch.setattr(loky_pool, "through_joblib", broken)
    with pytest.raises(UserError, match="No worker process can be started here: give --workers 1"):
        list(loky_pool.LokyPool(2).run(ShardQueue([task])))
