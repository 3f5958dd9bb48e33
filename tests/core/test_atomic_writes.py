"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from full_disk import full_after

from maskgen.core.atomic_writes import (
    atomic_file,
    atomic_path,
    remove_parts,
    remove_parts_of,
    save_array,
    write_atomic,
)


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


def test_two_writers_of_one_process_number_do_not_mix(tmp_path: Path) -> None:
    """Threads, or containers on one disk."""
    path = tmp_path / "a.bin"
    with atomic_file(path) as first, atomic_file(path) as second:
        first.write(b"the first")
        second.write(b"another one, longer")
        first.flush()
    assert path.read_bytes() == b"the first"
    assert [one.name for one in tmp_path.iterdir()] == ["a.bin"]


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
    stale = [tmp_path / name for name in (".a[1].csv.77.part", ".a[1].csv.77-0a1b2c3d.part", ".b.csv.1234.part")]
    others = [tmp_path / name for name in (".a[1].csv.x.part", "a[1].csv.77.part", ".c.csv.77.part", "a[1].csv")]
    for path in (*stale, *others):
        path.write_bytes(b"half")
    remove_parts_of(tmp_path / "a[1].csv", tmp_path / "b.csv", tmp_path / "nowhere" / "c.csv")
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_file_that_a_library_opens_by_name_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.tar"
    with atomic_path(path) as part:
        part.write_bytes(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    with pytest.raises(OSError, match="no room") as caught, atomic_path(path) as part:
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "no room")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"whole" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.arange(24).reshape(4, 6)[:, ::2],
        np.asfortranarray(np.eye(3)[:2]),
        np.zeros(0, np.bool_),
        np.zeros((0, 68, 2), np.float32),
        np.array([True, False]),
    ],
)
def test_an_array_is_saved_as_numpy_does(tmp_path: Path, array: np.ndarray) -> None:
    save_array(tmp_path / "a.npy", array)
    assert np.array_equal(np.load(tmp_path / "a.npy"), array)
    file = io.BytesIO()
    np.save(file, np.array(array, order="C"))
    assert (tmp_path / "a.npy").read_bytes() == file.getvalue()


def test_a_full_disk_under_an_array_is_the_systems_fault(tmp_path: Path) -> None:
    with full_after(5_000), pytest.raises(OSError, match="File too large") as caught:
        save_array(tmp_path / "a.npy", np.zeros(10_000))
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "a.npy"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("letter", ["n", "é"])
def test_a_name_as_long_as_the_file_system_allows_is_written(tmp_path: Path, letter: str) -> None:
    """The unfinished file's name has more letters; pictures of `gallery` and labels for YOLO have such names."""
    letters = 250 // len(letter.encode())
    first, second = (tmp_path / f"{letter * letters}{end}.txt" for end in "ab")
    with atomic_file(first) as one, atomic_file(second) as other:
        one.write(b"first")
        other.write(b"second")
    assert first.read_bytes() == b"first" and second.read_bytes() == b"second"
    with atomic_path(first) as part:
        part.write_bytes(b"again")
    assert first.read_bytes() == b"again"


def test_an_unfinished_file_with_a_long_name_is_removed(tmp_path: Path) -> None:
    long, other = tmp_path / f"{'n' * 250}a", tmp_path / f"{'n' * 250}b"
    with atomic_file(long):
        (unfinished,) = tmp_path.iterdir()
        kept = unfinished.name
    (tmp_path / kept).write_bytes(b"left by a killed process")
    remove_parts_of(other)
    assert (tmp_path / kept).exists()
    remove_parts_of(long)
    assert not (tmp_path / kept).exists()
