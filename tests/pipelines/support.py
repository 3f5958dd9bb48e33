"""Small photographs for runs, and what a run's folder holds, for comparison."""

from __future__ import annotations

import csv
import errno
import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from fake_masker import make_fake

from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.reports.page.page import without_start
from maskgen.pipelines.reports.run_report import Report

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and names of POSIX")

# A process that starts with these has one thread, as every `maskgen` command, and its workers are forked.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

MARKS = {
    "no_face": (255, 0, 0),
    "crash": (0, 255, 0),
    "bug": (0, 0, 255),
    "no_model": (0, 255, 255),
    "two_faces": (255, 255, 0),
    "no_two_faces": (255, 0, 255),
}


def picture(number: int, mark: str | None = None, side: int = 48) -> bytes:
    """A PNG of its own for each number; a mark in its corner tells the stand-in masker what to do with it."""
    image = np.random.default_rng(number).integers(60, 200, (side, side, 3)).astype(np.uint8)
    if mark:
        image[:8, :8] = MARKS[mark]
    return cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))[1].tobytes()


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_people(folder: Path, people: int, each: int) -> None:
    for person in range(people):
        for number in range(each):
            write(folder / f"person {person}" / f"{number:02}.png", picture(100 * person + number))


def run(source: Path, out: Path, **options: Any) -> Report:
    return run_mask(MaskSettings(source, out, **options), make_fake)


def tree(out: Path) -> dict[str, str]:
    """The hash of every file of a run but the one that tells times; of the report, but for the lines that do."""
    return {
        str(path.relative_to(out)): hashlib.sha256(lasting(path)).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "timing.json"
    }


def lasting(path: Any) -> bytes:
    """A file's bytes without what tells of one start of a run alone."""
    data: bytes = path.read_bytes()
    return without_start(data) if path.name == "report.html" else data


def catalogue(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / "catalogue.parquet").to_pylist()
    return rows


def set_aside(out: Path) -> dict[str, str]:
    with (out / "set_aside.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["reason"] for row in csv.DictReader(file)}


def forbid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder one of mode 000, for root as well, who may read everything: neither listed nor looked into."""
    scandir, is_file = os.scandir, Path.is_file

    def no_scandir(path: str | Path | int) -> Any:
        if str(path) == str(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    def no_is_file(path: Path) -> bool:
        if folder in path.parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return is_file(path)

    monkeypatch.setattr(os, "scandir", no_scandir)
    monkeypatch.setattr(Path, "is_file", no_is_file)


def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no optional package be installed."""

    def without(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("maskgen.core.extras.importlib", SimpleNamespace(import_module=without))


def wait_for(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("waited in vain")
        time.sleep(0.01)
