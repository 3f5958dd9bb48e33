"""Runs in an object store: fsspec's in memory, and a real server that speaks S3, on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fake_masker import make_fake
from support import catalogue, lasting, run, write, write_people

from maskgen.core.reasons import UserError
from maskgen.formats import any_path as paths_module
from maskgen.formats.any_path import RemotePath, any_path, is_remote
from maskgen.formats.local_or_remote_files import files_below
from maskgen.formats.reading import names_in, read_bytes
from maskgen.pipelines.cli import main
from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[RemotePath]:
    import fsspec

    root = RemotePath(f"memory://{tmp_path.name}")
    yield root
    store = fsspec.filesystem("memory")
    if store.exists(f"/{tmp_path.name}"):
        store.rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server that speaks S3, which the environment names as Amazon's clients expect it."""
    moto = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    served = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)  # its processes have another environment
        forget(s3fs)
        s3fs.S3FileSystem().mkdir("bucket")
        yield f"http://{host}:{port}"
        forget(s3fs)
    served.stop()


def forget(s3fs: Any) -> None:
    """Have the environment read anew."""
    s3fs.S3FileSystem.clear_instance_cache()
    paths_module._files.cache_clear()


@pytest.fixture
def bucket(server: str, tmp_path: Path) -> RemotePath:
    return RemotePath(f"s3://bucket/{tmp_path.name}")


def far(source: Any, out: RemotePath, **options: Any) -> Any:
    return run_mask(MaskSettings(source, out, **options), make_fake)


def tree(out: RemotePath) -> dict[str, str]:
    return {
        str(path).removeprefix(f"{out}/"): hashlib.sha256(lasting(path)).hexdigest()
        for path in files_below(out)
        if path.name != "timing.json"
    }


def local_tree(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(lasting(path)).hexdigest()
        for path in out.rglob("*")
        if path.is_file() and path.name not in ("timing.json", ".lock")
    }


@pytest.mark.parametrize("form", ["folders", "tar"])
def test_a_run_in_memory_is_that_in_a_folder(source: Path, tmp_path: Path, memory: RemotePath, form: str) -> None:
    out = memory / "run"
    options = {"write": form, "segmentation": True, "bare": True}
    far(source, out, **options)
    run(source, tmp_path / "local", **options)
    assert tree(out) == local_tree(tmp_path / "local")
    far(source, out, **options)  # done before
    assert tree(out) == local_tree(tmp_path / "local")


def test_what_is_missing_is_done_again(source: Path, memory: RemotePath) -> None:
    out = memory / "run"
    far(source, out, write="tar")
    before = tree(out)
    shards = [path for path in files_below(out / "shards") if path.name.endswith(".json")]
    for path in (*shards[:1], out / "report.json", out / "faces" / shards[0].name.replace(".json", ".tar")):
        path.unlink()
    far(source, out, write="tar")
    assert tree(out) == before


def test_photographs_that_came_went_or_were_mended(source: Path, memory: RemotePath, tmp_path: Path) -> None:
    out = memory / "run"
    (source / "person 0" / "new.png").write_bytes(b"no picture")
    assert far(source, out).set_aside == {"not_a_picture": 1}
    write(source / "person 0" / "new.png", (source / "person 1" / "00.png").read_bytes())
    assert far(source, out, retry_set_aside=True).set_aside == {}
    (source / "person 2" / "03.png").unlink()
    with pytest.raises(UserError, match="--prune"):
        far(source, out)
    assert far(source, out, prune=True).written == 24
    run(source, tmp_path / "local")
    assert tree(out) == local_tree(tmp_path / "local")
    assert far(source, out, overwrite=True, seed=4).written == 24
    run(source, tmp_path / "other", seed=4)
    assert tree(out) == local_tree(tmp_path / "other")


def test_other_settings_and_strange_files_are_refused(source: Path, memory: RemotePath) -> None:
    far(source, memory / "run")
    with pytest.raises(UserError, match="other settings: --seed"):
        far(source, memory / "run", seed=1)
    (memory / "other" / "mine.txt").write_bytes(b"x")
    with pytest.raises(UserError, match="holds files that no run wrote"):
        far(source, memory / "other")
    with pytest.raises(UserError, match="inside SOURCE"):
        far(memory / "run", memory / "run" / "deeper")
    with pytest.raises(UserError, match="commits"):
        MaskSettings(source, RemotePath("hf://datasets/me/faces"))


def test_a_mark_that_a_killed_run_left_is_told_and_taken_over_when_asked(source: Path, memory: RemotePath) -> None:
    out = memory / "run"
    mark = {"pid": 7, "host": "elsewhere", "since": "2020-01-01T00:00:00+00:00"}
    (out / ".lock").write_bytes(json.dumps(mark).encode())
    with pytest.raises(UserError, match=r"process 7 on elsewhere, since 2020.*--take-over"):
        far(source, out)
    assert far(source, out, take_over=True).written == 24
    assert not (out / ".lock").exists() and not any("scratch" in str(path) for path in files_below(out))
    assert far(source, out).written == 24


def test_a_start_that_another_took_over_writes_no_more(source: Path, memory: RemotePath) -> None:
    from maskgen.pipelines.runs.run_folder import RunFolder
    from maskgen.pipelines.runs.shard_records import ShardReport, save_shard

    out = memory / "run"
    far(source, out)
    before = tree(out)
    with pytest.raises(UserError, match="took over"):
        save_shard(RunFolder(out, "an earlier start"), "0" * 32, [], ShardReport(0, 0))
    assert tree(out) == before


@pytest.mark.parametrize("form", ["folders", "tar"])
def test_source_and_run_on_a_server_that_speaks_s3(bucket: RemotePath, tmp_path: Path, source: Path, form: str) -> None:
    for path in source.rglob("*.png"):
        (bucket / "in" / path.relative_to(source).as_posix()).write_bytes(path.read_bytes())
    report = far(bucket / "in", bucket / "run", workers=2, write=form)
    run(source, tmp_path / "local", write=form)
    assert report.written == 24
    wanted = {name: found for name, found in local_tree(tmp_path / "local").items() if name.endswith((".jpg", ".csv"))}
    found = tree(bucket / "run")
    assert {name: found[name] for name in wanted} == wanted
    row = catalogue(tmp_path / "local")[0]
    if form == "folders":
        assert read_bytes(bucket / "run", row["path"]) == (tmp_path / "local" / row["path"]).read_bytes()
    assert not any(".lock" in name or "scratch" in name for name in found)


def test_a_run_on_a_server_goes_on_with_several_workers(bucket: RemotePath, tmp_path: Path, source: Path) -> None:
    write_people(source, people=4, each=24)
    far(source, bucket / "run", write="tar", segmentation=True)
    before = tree(bucket / "run")
    done = [path for path in files_below(bucket / "run" / "shards") if path.name.endswith(".json")]
    assert len(done) > 2  # one is kept, and each of two workers has one to do
    for path in (*done[1:], bucket / "run" / "report.json", *files_below(bucket / "run" / "segmentation")):
        path.unlink()
    far(source, bucket / "run", write="tar", segmentation=True, workers=2)
    lost = {f"segmentation/{done[0].name.removesuffix('.json')}.tar"}
    assert {name: one for name, one in before.items() if name not in lost} == tree(bucket / "run")


def test_lists_of_a_run_on_a_server(bucket: RemotePath, tmp_path: Path) -> None:
    source = tmp_path / "photographs"
    write_people(source, people=6, each=2)
    far(source, bucket / "run", write="tar", bare=True)
    lists = tmp_path / "lists"
    options = ["--also", "rec", "--also", "tar", "--also", "bin", "--picture-size", "48", "--verify", "decode"]
    done = CliRunner().invoke(main, ["pairs", "--run", str(bucket / "run"), str(lists), *options])
    assert done.exit_code == 0, done.output
    assert f"{bucket}/run/faces/" in (lists / "train.csv").read_text()
    done = CliRunner().invoke(main, ["pairs", "--check", str(lists)])
    assert done.exit_code == 0 and "Nothing is wrong" in done.output, done.output
    path = (lists / "train.csv").read_text().splitlines()[1].rpartition(",")[0]
    assert read_bytes("/elsewhere", path)[:2] == b"\xff\xd8"
    folder, _, name = path.rpartition("/")
    assert name in names_in("/elsewhere", folder) and "no" not in names_in("/elsewhere", folder)


def test_faces_are_reused_from_a_run_on_a_server(bucket: RemotePath, tmp_path: Path, photographs: Path) -> None:
    for path in sorted((photographs / "lfw" / "Angela_Bassett").glob("*.jpg"))[:2]:
        write(tmp_path / "in" / "Angela" / path.name, path.read_bytes())
    for out, more in ((bucket / "first", []), (tmp_path / "second", ["--seed", "1", "--reuse", str(bucket / "first")])):
        done = CliRunner().invoke(main, ["mask", str(tmp_path / "in"), str(out), "--workers", "1", *more])
        assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "second" / "timing.json").read_text())["faces_reused"] == 2


def test_a_bucket_that_is_not_there_is_one_sentence(bucket: RemotePath, source: Path) -> None:
    done = CliRunner().invoke(main, ["mask", str(source), "s3://no-such-bucket/run"])
    assert done.exit_code == 2 and "no such bucket" in done.output, done.output


def test_a_store_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    s3fs = pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    forget(s3fs)
    done = CliRunner().invoke(main, ["mask", "s3://bucket/x", str(tmp_path / "out")])
    forget(s3fs)
    assert done.exit_code == 2 and "Could not connect" in done.output and "Traceback" not in done.output


def test_addresses_that_are_no_stores_are_one_sentence(tmp_path: Path) -> None:
    for address in ("http://127.0.0.1:9/x", "https://127.0.0.1:9/x.tar", "s4://bucket/x"):
        done = CliRunner().invoke(main, ["mask", address, str(tmp_path / "out")])
        assert done.exit_code == 2 and f"{address} cannot be read" in done.output.replace("\n", " "), done.output


class NoConnectionError(ConnectionError):
    """A fault as aiohttp makes them: with arguments of its own."""

    def __init__(self, key: str, error: OSError) -> None:
        super().__init__(error.errno, error.strerror)


def test_faults_of_stores_name_the_address(memory: RemotePath, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NoConnectionError("key", OSError(111, "refused"))

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.find", fail)
    with pytest.raises(ConnectionError, match=r"refused.*memory://"):
        memory.walk()


def test_places_as_they_are_typed(tmp_path: Path) -> None:
    assert any_path("s3://bucket/faces/") == RemotePath("s3://bucket/faces")
    assert any_path("S3://bucket/a") == RemotePath("s3://bucket/a")
    assert any_path(f"file://{tmp_path}/a b") == tmp_path / "a b"
    assert any_path("a/b") == Path("a/b") and not is_remote("C:/x") and not is_remote("./s3://x")
    assert (
        RemotePath("s3://b/x") / "y" == RemotePath("s3://b/x/y")
        and (RemotePath("s3://b/x.rec")).with_suffix(".idx").name == "x.idx"
    )
    with pytest.raises(UserError, match="names no bucket"):
        any_path("s3://")


def test_a_local_file_system_by_its_address_is_a_folder(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert far(any_path(f"file://{source}"), any_path(f"file://{out}")).written == 24  # type: ignore[arg-type]
    assert len(catalogue(out)) == 24


@pytest.mark.parametrize(("scheme", "extra"), [("gs", "gs"), ("s3", "s3"), ("hf", "hf")])
def test_an_extra_that_is_missing_is_one_sentence(scheme: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    paths_module._files.cache_clear()
    for name in ("gcsfs", "s3fs", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    done = CliRunner().invoke(main, ["mask", f"{scheme}://bucket/x", "out"])
    assert done.exit_code == 2 and f"pip install 'maskgen[{extra}]'" in done.output
