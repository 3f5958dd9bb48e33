"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from maskgen.core.atomic_writes import atomic_file, remove_parts, remove_parts_of, write_atomic


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.bin"
    write_atomic(file, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write_atomic(file, b"new", durable=True)
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_file_that_fails_half_way_does_not_appear(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), atomic_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("named", [True, False])
def test_a_fault_of_the_system_names_the_file_that_was_wanted(tmp_path: Path, named: bool) -> None:
    with pytest.raises(OSError, match="the system says") as caught, atomic_file(tmp_path / "a.csv") as file:
        raise OSError(errno.ENOSPC, "so the system says", *([file.name] if named else []))
    assert caught.value.filename == str(tmp_path / "a.csv")
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(FileNotFoundError) as other, atomic_file(tmp_path / "a.csv"):
        (tmp_path / "b.csv").open()
    assert other.value.filename == str(tmp_path / "b.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_an_unfinished_file_that_is_still_written_is_not_removed(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a.csv") as file:
        file.write(b"whole")
        remove_parts_of(tmp_path / "a.csv")
        remove_parts(tmp_path)
    assert (tmp_path / "a.csv").read_bytes() == b"whole"
    (tmp_path / ".a.csv.77.part").write_bytes(b"half")
    remove_parts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_unfinished_files_of_these_files_are_removed_and_no_others(tmp_path: Path) -> None:
    stale = [tmp_path / ".a[1].csv.77.part", tmp_path / ".b.csv.1234.part"]
    others = [tmp_path / name for name in (".a[1].csv.x.part", "a[1].csv.77.part", ".c.csv.77.part", "a[1].csv")]
    for path in (*stale, *others):
        path.write_bytes(b"half")
    remove_parts_of(tmp_path / "a[1].csv", tmp_path / "b.csv", tmp_path / "nowhere" / "c.csv")
    assert sorted(tmp_path.iterdir()) == sorted(others)
