"""Runs that are written in tars: the pictures of a run in folders, whole or absent, and read as any others."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from drawn_people import drawn_people
from support import catalogue, picture, run, tree, wait_for, write, write_people

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import Photo, encode_image
from maskgen.formats.reading import read_bytes
from maskgen.formats.tars.writer import TarWriter, json_of
from maskgen.pipelines.cli import main
from maskgen.pipelines.runs.outputs import sample_record

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def members(out: Path, top: str = "faces") -> dict[str, bytes]:
    """Everything in a run's tars, by the standard library."""
    found: dict[str, bytes] = {}
    for path in sorted((out / top).glob("*.tar")):
        with tarfile.open(path) as archive:
            for one in archive:
                file = archive.extractfile(one)
                assert file is not None and one.isreg()
                found[f"{top}/{path.name}/{one.name}"] = file.read()
    return found


def test_the_pictures_are_those_of_a_run_in_folders(source: Path, tmp_path: Path) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    options = {"bare": True, "segmentation": "classes", "per_photo": 2}
    run(source, plain, **options)
    report = run(source, out, write="tar", workers=2, **options)
    assert report.images == 72
    files = members(out) | members(out, "segmentation") | members(out, "classes")
    by_output = {(row["source_sha256"], row["kind"]): row for row in catalogue(plain)}
    for row in catalogue(out):
        same = by_output[row["source_sha256"], row["kind"]]
        for name in ("path", "segmentation", "classes"):
            assert files.pop(row[name]) == read_bytes(out, row[name]) == (plain / same[name]).read_bytes()
        told = json.loads(files.pop(row["path"].removesuffix(".jpg") + ".json"))
        assert {key: told[key] for key in ("path", "person", "kind", "source", "source_sha256")} == {
            key: row[key] for key in ("path", "person", "kind", "source", "source_sha256")
        }
    assert files == {}
    assert not list((out / "faces").rglob("*.jpg"))
    assert (out / "contact_sheet.png").read_bytes() == (plain / "contact_sheet.png").read_bytes()


def test_a_webdataset_loader_takes_them(source: Path, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    write(source / "person 0" / "a.b.c.png", picture(900))
    write(source / "person 0" / ".hidden.png", picture(901))
    out = tmp_path / "out"
    run(source, out, write="tar", bare=True)
    shards = sorted(map(str, (out / "faces").glob("*.tar")))
    samples = list(wds.WebDataset(shards, shardshuffle=False).decode("rgb8"))
    rows = {row["path"]: row for row in catalogue(out)}
    assert len(samples) == len(rows) == 52
    for one in samples:
        assert one["json"]["person"] == rows[one["json"]["path"]]["person"]
        assert one["jpg"].shape == (48, 48, 3)


def test_bytes_do_not_depend_on_workers_and_tars_have_no_dates(source: Path, tmp_path: Path) -> None:
    write_people(source, people=4, each=30)
    for workers in (1, 2):
        run(source, tmp_path / str(workers), write="tar", workers=workers, segmentation=True)
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


@posix
def test_a_killed_run_goes_on_as_if_it_had_not_been(source: Path, tmp_path: Path) -> None:
    write_people(source, people=6, each=40)
    out, whole = tmp_path / "run", tmp_path / "whole"
    script = Path(__file__).parents[1] / "run_fake.py"
    for finished in (1, 3):
        killed = subprocess.Popen(
            [sys.executable, str(script), str(source), str(out), "2"],
            env={**os.environ, "FAKE_MASKER_SECONDS": "0.02", "FAKE_WRITE": "tar"},
            stderr=subprocess.DEVNULL,
        )
        wait_for(functools.partial(_has, out, finished))
        killed.kill()
        killed.wait()
        for path in (out / "faces").glob("*.tar"):
            with tarfile.open(path) as archive:
                archive.getmembers()  # whole
    run(source, out, workers=2, segmentation=True, write="tar")
    run(source, whole, segmentation=True, write="tar")
    assert tree(out) == tree(whole)


def _has(out: Path, count: int) -> bool:
    return len(list(out.glob("shards/*.json"))) >= count


def test_what_is_tried_again_is_put_where_it_would_have_been(source: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    run(source, whole, write="tar", segmentation=True)
    broken = [source / "person 0" / "00.png", source / "person 1" / "03.png", source / "person 2" / "07.png"]
    kept = [path.read_bytes() for path in broken]
    for path in broken:
        path.write_bytes(b"no picture")
    assert run(source, out, write="tar", segmentation=True).set_aside == {"not_a_picture": 3}
    for path, data in zip(broken, kept, strict=True):
        path.write_bytes(data)
    run(source, out, write="tar", segmentation=True, retry_set_aside=True)
    assert tree(out) == tree(whole)


def test_a_shard_that_gives_nothing_has_no_tar(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a" / "1.png", picture(1, "no_face"))
    report = run(tmp_path / "in", tmp_path / "out", write="tar")
    assert report.written == 0 and list((tmp_path / "out" / "faces").iterdir()) == []


@posix
def test_a_photograph_that_kills_its_worker_is_in_no_tar(source: Path, tmp_path: Path) -> None:
    write(source / "person 1" / "deadly.png", picture(5000, "crash"))
    out = tmp_path / "out"
    report = run(source, out, write="tar", workers=2)
    assert report.written == 24 and report.set_aside == {"crashed": 1}
    assert sum(name.endswith(".jpg") for name in members(out)) == 24


def test_tars_of_photographs_that_went_go_with_prune(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(source, out, write="tar")
    for path in (source / "person 1").iterdir():
        path.unlink()
    run(source, out, write="tar", prune=True)
    run(source, tmp_path / "fresh", write="tar")
    assert members(out) == members(tmp_path / "fresh")
    write(out / "faces" / "mine.tar", b"not a run's")
    run(source, out, write="tar", overwrite=True, seed=1)
    assert (out / "faces" / "mine.tar").read_bytes() == b"not a run's"


def command(*options: object) -> str:
    done = CliRunner().invoke(main, [*map(str, options)])
    assert done.exit_code == 0, done.output
    return done.output


def test_lists_of_a_run_in_tars(source: Path, tmp_path: Path) -> None:
    write_people(source, people=8, each=6)
    for form in ("folders", "tar"):
        run(source, tmp_path / form, write=form, bare=True, kinds=("n95", "kn95"))
        also = [part for name in ("bin", "rec", "tar", "lfw", "label") for part in ("--also", name)]
        lists = tmp_path / f"lists_{form}"
        command("pairs", "--run", tmp_path / form, lists, "--verify", "decode", "--picture-size", 48, *also)
        assert "Nothing is wrong" in command("pairs", "--check", lists, "--verify", "decode")
    plain, tars = tmp_path / "lists_folders", tmp_path / "lists_tar"
    for name in ("train.lst", "test.csv"):  # as many of each person
        people = [sorted(re.findall("person .", (folder / name).read_text())) for folder in (plain, tars)]
        assert people[0] == people[1] and len(people[0]) > 0
    for name in ("train_preview.png", "pairs_preview.png"):
        assert (tars / name).stat().st_size > 1000
    assert ".tar/person 1/" in (tars / "train.csv").read_text() + (tars / "test.csv").read_text()


def test_a_picture_that_is_gone_from_its_tar_is_found_out(source: Path, tmp_path: Path) -> None:
    write_people(source, people=8, each=6)
    out, lists = tmp_path / "out", tmp_path / "lists"
    run(source, out, write="tar", bare=True)
    command("pairs", "--run", out, lists)
    path = next(iter((out / "faces").glob("*.tar")))
    with tarfile.open(path) as archive:
        name = next(one.name for one in archive if one.name.endswith(".jpg"))
    path.write_bytes(path.read_bytes().replace(name.encode(), b"x" * len(name), 1))
    done = CliRunner().invoke(main, ["pairs", "--check", str(lists)])
    assert done.exit_code == 1 and "images without a file" in done.output
    again = CliRunner().invoke(main, ["pairs", "--run", str(out), str(tmp_path / "more")])
    assert again.exit_code == 2 and "missing" in again.output


def test_a_gallery_is_simulated_from_a_run_in_tars(photographs: Path, tmp_path: Path) -> None:
    for path in sorted((photographs / "lfw" / "Angela_Bassett").glob("*.jpg"))[:3]:
        write(tmp_path / "in" / "Angela" / path.name, path.read_bytes())
    out, gallery = tmp_path / "out", tmp_path / "gallery"
    command("mask", tmp_path / "in", out, "--write", "tar", "--bare", "--workers", 1)
    command("gallery", "--simulate", out, gallery, "--expect", "1,1")
    assert len(list((gallery / "faces").rglob("*.jpg"))) == 2


def test_a_loader_that_takes_types_from_the_first_samples_reads_bare_ones_first(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    masker = Masker(MaskerSettings(("n95",), size=64, bare=True))
    (_, _, portrait), *_ = drawn_people(1, 1, seed=3)
    (results,) = masker.process(["a"], [Photo(portrait.image, "a")])
    masked, bare = (one.row for one in results if isinstance(one, Output))
    missing = {"segmentation": None, "source_levels": None}
    there = {"segmentation": "segmentation/0.tar/a.png", "source_levels": "3-900"}
    with TarWriter(tmp_path / "a.tar") as tar:
        for at in range(20):
            rows = [bare | missing] if at < 10 else [masked | there, masked | there]
            tar.add(f"p/{at:02}.jpg", encode_image(portrait.image, "jpg", 90))
            tar.add(f"p/{at:02}.json", json_of(sample_record(rows)))
    found = datasets.load_dataset(
        "webdataset", data_files={"train": str(tmp_path / "a.tar")}, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["json"]["kind"] for row in found] == ["bare"] * 10 + ["n95"] * 10
    assert json.loads(found[0]["json"]["outline"]) == []
    assert json.loads(found[12]["json"]["outline"]) == masked["outline"]
    assert json.loads(found[12]["json"]["other_faces"])[0]["kind"] == "n95"
    assert found[0]["jpg"].size == portrait.image.shape[1::-1]
