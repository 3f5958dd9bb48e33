"""What is kept in the cache folder: what was made, and no fault of the cache's that shows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from maskgen.core.cache import kept_files
from maskgen.core.cache.kept_files import (
    ALIGNED,
    MOST,
    build_of,
    files_state,
    found_arrays,
    keep_arrays,
    kept_array,
    kept_arrays,
    kept_bytes,
)

ARRAYS: dict[str, np.ndarray] = {
    "whole": np.arange(6, dtype=np.int32).reshape(2, 3),
    "none": np.zeros((0, 4), np.float32),
    "fine": np.linspace(0, 1, 9),
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("MASKGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def not_again() -> bytes:
    pytest.fail("made again")


def test_what_was_kept_is_what_was_made() -> None:
    assert kept_bytes("one", "about", lambda: b"made") == b"made"
    assert kept_bytes("one", "about", not_again) == b"made"
    assert kept_bytes("one", "about another", lambda: b"other") == b"other"
    assert kept_bytes("another", "about", lambda: b"third") == b"third"


def test_arrays_keep_their_names_types_and_shapes() -> None:
    kept_arrays("arrays", "about", lambda: ARRAYS)
    found = kept_arrays("arrays", "about", lambda: pytest.fail("made again"))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)
        assert not array.size or (found[name].ctypes.data - found["whole"].ctypes.data) % ALIGNED == 0
        with pytest.raises(ValueError, match="read-only"):
            found[name][...] = 0


def test_without_a_name_nothing_is_kept(cache: Path) -> None:
    assert kept_arrays("arrays", None, lambda: ARRAYS) is ARRAYS
    assert not cache.exists()


def test_arrays_are_kept_in_place_of_earlier_ones(cache: Path) -> None:
    assert found_arrays("grown", "about") is None
    for count in (3, 5):
        keep_arrays("grown", "about", {"numbers": np.arange(count)})
        found = found_arrays("grown", "about")
        assert found is not None and found["numbers"].tolist() == list(range(count))
    assert found_arrays("grown", "another") is None and found_arrays("grown", None) is None
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert found_arrays("grown", "about") is None


def test_an_array_of_a_build_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept_array("one", "maskgen.masks", lambda: ARRAYS["fine"])
    again = kept_array("one", "maskgen.masks", lambda: pytest.fail("made again"))
    np.testing.assert_array_equal(made, again)
    monkeypatch.setattr(kept_files, "build_of", lambda *packages: f"another build of {packages}")
    assert kept_array("one", "maskgen.masks", lambda: ARRAYS["whole"]).shape == (2, 3)


def test_what_a_killed_start_left_is_removed_when_the_file_is_made(cache: Path) -> None:
    kept_bytes("one", "about", lambda: b"made")
    (path,) = cache.iterdir()
    path.rename(cache / f".{path.name}.4711-0a1b2c3d.part")
    kept_bytes("one", "about", lambda: b"made")
    assert list(cache.iterdir()) == [path]


@pytest.mark.parametrize(("length", "end"), [(0, b""), (-1, b""), (-1, b"x"), (None, b"x")])
def test_a_damaged_file_is_made_again(cache: Path, length: int | None, end: bytes) -> None:
    kept_bytes("one", "about", lambda: b"made")
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:length] + end)
    assert kept_bytes("one", "about", lambda: b"made again") == b"made again"
    assert kept_bytes("one", "about", not_again) == b"made again"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no numbers of users")
def test_a_file_of_another_user_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_bytes("one", "about", lambda: b"made")
    own = os.getuid()
    monkeypatch.setattr(kept_files.os, "getuid", lambda: own + 1)
    assert kept_bytes("one", "about", lambda: b"own") == b"own"


def test_a_place_that_cannot_be_written_is_no_fault(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert kept_bytes("one", "about", lambda: b"made") == b"made"
    keep_arrays("arrays", "about", ARRAYS)
    assert found_arrays("arrays", "about") is None


def test_only_the_newest_of_a_kind_are_kept(cache: Path) -> None:
    cache.mkdir()
    for number in range(MOST + 2):
        old = cache / f"one-{number:024x}"
        old.write_bytes(b"old")
        os.utime(old, (number, number))
    (cache / "other-1").write_bytes(b"of another kind")
    kept_bytes("one", "about", lambda: b"made")
    left = sorted(path.name for path in cache.iterdir())
    assert len(left) == MOST + 1 and "other-1" in left
    assert f"one-{MOST + 1:024x}" in left and f"one-{2:024x}" not in left


def test_a_build_is_told_by_its_files(tmp_path: Path) -> None:
    module = tmp_path / "within" / "module.py"
    module.parent.mkdir()
    module.write_text("a = 1")
    os.utime(module, (1, 1))
    before = files_state(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "module.pyc").write_bytes(b"compiled")
    assert files_state(tmp_path) == before
    os.utime(module, (2, 2))
    assert files_state(tmp_path) != before
    build = build_of("maskgen.masks") or ""
    assert "template.py" in build and "kernels.wasm" in build
