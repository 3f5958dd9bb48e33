"""Kernels compiled while the source is listed: before workers are forked, and only where they are of use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime

from maskgen.core.kernels import arena
from maskgen.formats.any_path import RemotePath
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.workers import kernels_ahead
from maskgen.pipelines.workers.kernels_ahead import begin_ahead, wait_ahead

CODE = """
from pathlib import Path
from maskgen.core.kernels.arena import _compiled
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.workers.forked_pool import can_fork
from maskgen.pipelines.workers.kernels_ahead import begin_ahead, wait_ahead
could = can_fork()
begin_ahead(MaskSettings(Path(), Path("run")))
wait_ahead()
print(could, can_fork(), _compiled.cache_info().currsize)
"""


def test_they_are_compiled_and_the_process_can_be_forked_afterwards(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-P", "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=True)
    could, can, compiled = ran.stdout.split()
    assert (could == can) and compiled == "1"


def test_they_are_compiled_once_and_not_where_they_are_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(kernels_ahead, "_BEGUN", [])
    monkeypatch.setattr(kernels_ahead, "compile_kernels", lambda: begun.append("compiled"))
    source, run = tmp_path / "source", tmp_path / "run"
    source.mkdir()
    run.mkdir()
    (run / "report.json").write_text("{}")
    for settings in (
        MaskSettings(source, tmp_path / "other", backend="loky"),
        MaskSettings(source, tmp_path / "other", backend="dask"),
        MaskSettings(source, RemotePath("memory://a/run")),
        MaskSettings(source, run),
        MaskSettings(tmp_path / "absent", tmp_path / "other"),
    ):
        begin_ahead(settings)
        wait_ahead()
    assert not begun
    for _ in range(2):
        begin_ahead(MaskSettings(source, tmp_path / "other"))
        wait_ahead()
    assert begun == ["compiled"]


def test_a_fault_shows_with_the_first_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(reserved: int | None) -> None:
        raise wasmtime.WasmtimeError("no memory")

    monkeypatch.setattr(arena, "_compiled", refused)
    arena.compile_kernels()
    with pytest.raises(MemoryError, match="no memory"):
        arena.Arena()
