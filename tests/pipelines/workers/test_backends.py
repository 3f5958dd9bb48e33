"""Runs on a real Dask cluster and a real Ray on this machine: workers, schedulers and runs killed in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import picture, run, set_aside, tree, wait_for, write, write_people

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

HERE = Path(__file__).parents[1]
POISON = {"person 1/05.png": "crashed"}


def environment(seconds: float, first: Path = HERE) -> dict[str, str]:
    """Of processes that find a folder's modules before all others, with a masker that takes its time."""
    path = os.pathsep.join([str(first), *filter(None, [os.environ.get("PYTHONPATH")])])
    # Else a Ray takes the token that it finds in the home folder, or puts one there for every later Ray.
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
    return {**os.environ, **token, "PYTHONPATH": path, "FAKE_MASKER_SECONDS": str(seconds)}


class Cluster:
    """A Dask scheduler and two workers with their nannies, as a person starts them."""

    def __init__(self, folder: Path, seconds: float, modules: Path = HERE) -> None:
        self.file, self.environment = folder / "scheduler.json", environment(seconds, modules)
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show")
        wait_for(self.file.exists)
        self.workers = [self.start("worker", "--nthreads", "1", "--memory-limit", "0") for _ in range(2)]

    def start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.file), "--no-dashboard", *options]
        return subprocess.Popen(command, env=self.environment, cwd=self.file.parent, stderr=subprocess.DEVNULL)

    def worker_pids(self) -> list[int]:
        """The processes that work, which the nannies start."""
        from distributed import Client

        with Client(scheduler_file=str(self.file), set_as_default=False) as client:
            return list(client.run(os.getpid).values())

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
        for process in [*self.workers, self.scheduler]:
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"), seconds=0.01)
    yield made
    made.stop()


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Four people of forty photographs, one of which ends the process that works on it."""
    source = tmp_path / "photographs"
    write_people(source, people=4, each=40)
    write(source / "person 1" / "05.png", picture(900, "crash"))
    return source


def start(source: Path, out: Path, *more: str, seconds: float = 0.01, **other: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "run_fake.py"), str(source), str(out), *more]
    return subprocess.Popen(
        command,
        env={**environment(seconds), **other},
        cwd=out.parent,  # Ray's workers look for modules where their run was started
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def shards(out: Path, count: int) -> Callable[[], bool]:
    return lambda: len(list(out.glob("shards/*.json"))) >= count


def finish(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=120)[1]


def kill_one(workers: list[int]) -> bool:
    try:
        os.kill(workers[0], signal.SIGKILL)
    except (IndexError, ProcessLookupError):
        return False  # just dying of a photograph, or not started anew yet
    return True


def test_a_dask_cluster_writes_the_same_through_the_deaths_of_workers(
    many: Path, tmp_path: Path, cluster: Cluster
) -> None:
    write(many / "person 3" / "x.png", picture(901, "crash"))
    out = tmp_path / "dask"
    running = start(many, out, "0", "dask", str(cluster.file))
    wait_for(shards(out, 2))
    wait_for(lambda: kill_one(cluster.worker_pids()))
    finish(running)
    assert running.returncode == 0
    assert set_aside(out) == {**POISON, "person 3/x.png": "crashed"}
    run(many, tmp_path / "local", segmentation=True, workers=2)
    assert tree(out) == tree(tmp_path / "local")


def test_a_run_killed_here_goes_on_there_and_back(source: Path, tmp_path: Path, cluster: Cluster) -> None:
    write_people(source, people=6, each=40)
    out, whole = tmp_path / "run", tmp_path / "whole"
    for finished, cluster_of in ((2, ()), (5, ("dask", str(cluster.file)))):
        killed = start(source, out, "0" if cluster_of else "2", *cluster_of)
        wait_for(shards(out, finished))
        killed.kill()
        killed.wait()
        assert not (out / "report.json").exists()
    run(source, out, segmentation=True)
    run(source, whole, segmentation=True)
    # What the cluster's workers had begun is at an end or comes to nothing: the run they belonged to is over.
    time.sleep(0.5)
    assert tree(out) == tree(whole)


def test_a_cluster_without_this_package_is_told(source: Path, tmp_path: Path) -> None:
    write(tmp_path / "other" / "maskgen" / "__init__.py", b"")
    other = Cluster(tmp_path, seconds=0, modules=tmp_path / "other")
    said = finish(start(source, tmp_path / "run", "0", "dask", str(other.file)))
    other.stop()
    assert "cannot import maskgen: install it on all of them" in said


def test_an_interrupt_of_all_is_told_once(source: Path, tmp_path: Path) -> None:
    write_people(source, people=6, each=40)
    out = tmp_path / "run"
    running = start(source, out, "2", "dask", seconds=0.02)
    wait_for(shards(out, 1))
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    said = finish(running)
    assert said.count("Traceback") <= 1  # of the run itself, which `maskgen` tells in a sentence
    assert "Dask Worker" not in said
    assert run(source, out, segmentation=True).written == 240


def test_a_lost_scheduler_is_told_and_the_run_goes_on_elsewhere(source: Path, tmp_path: Path) -> None:
    write_people(source, people=6, each=40)
    out = tmp_path / "run"
    mortal = Cluster(tmp_path, seconds=0.02)
    running = start(source, out, "2", "dask", str(mortal.file))
    wait_for(shards(out, 1))
    mortal.scheduler.kill()
    said = finish(running)
    mortal.stop()
    assert running.returncode == 1
    assert "was lost: start it and give the same command" in said
    assert "Traceback" not in said
    assert run(source, out, segmentation=True).written == 240


def test_ray_started_here_writes_the_same_through_the_deaths_of_workers(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "ray"
    running = start(many, out, "2", "ray", seconds=0.02)
    wait_for(shards(out, 2), seconds=90)
    wait_for(lambda: kill_one(actors_of(running.pid)))
    finish(running)
    assert running.returncode == 0
    assert set_aside(out) == POISON
    run(many, tmp_path / "local", segmentation=True, workers=2)
    assert tree(out) == tree(tmp_path / "local")


def actors_of(head: int) -> list[int]:
    """Ray's workers below a process: they call themselves after what they run."""
    import psutil

    below = psutil.Process(head).children(recursive=True)
    return [process.pid for process in below if any("PoolActor" in word for word in process.cmdline())]


@pytest.fixture
def ray_address() -> Iterator[str]:
    """A Ray of two cores, as a person starts it, and its address.

    It is asked for by that, and ended by its own process: `auto` may find a Ray that another test is just ending, and
    `ray stop` ends all that this machine has. Its folder has a short name, for sockets in it may have 107 letters.
    """
    folder = Path(tempfile.mkdtemp(prefix="ray"))
    options = ["--head", "--block", "--port=0", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats"]
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, f"--temp-dir={folder}"]
    head = subprocess.Popen(command, env=environment(0), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = folder / "ray_current_cluster"
    try:
        wait_for(lambda: address.exists() and ":" in address.read_text("utf-8"), seconds=90)
        yield address.read_text("utf-8")
    finally:
        head.terminate()
        head.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def test_a_ray_that_is_there_takes_up_a_run(source: Path, tmp_path: Path, ray_address: str) -> None:
    write_people(source, people=6, each=40)
    out, whole = tmp_path / "run", tmp_path / "whole"
    killed = start(source, out, "2")
    wait_for(shards(out, 2))
    killed.kill()
    killed.wait()
    # Whoever has no token is told, after fewer tries than Ray's twenty of a second each.
    without = {"RAY_AUTH_MODE": "disabled", "RAY_NUM_REDIS_GET_RETRIES": "1"}
    refused = start(source, out, "0", "ray", ray_address, **without)
    assert "set RAY_AUTH_MODE=token" in finish(refused)
    running = start(source, out, "0", "ray", ray_address)
    said = finish(running)
    assert running.returncode == 0, said
    run(source, whole, segmentation=True)
    assert tree(out) == tree(whole)
