"""The kept form of a shape predictor: the same numbers, and no fault of the cache's that shows."""

from __future__ import annotations

import os
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from maskgen.faces import shape_predictor_cache
from maskgen.faces.landmarks import default_model
from maskgen.faces.shape_predictor_cache import MOST, cached_forests
from maskgen.faces.shape_predictor_file import RegressionForests, load_forests


@pytest.fixture(scope="module")
def forests() -> RegressionForests:
    return load_forests(default_model())


@pytest.fixture
def cache(tmp_path: Path, forests: RegressionForests, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; dlib's file is read once for all tests."""
    monkeypatch.setenv("MASKGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shape_predictor_cache, "load_forests", lambda path, points: forests)
    return tmp_path / "cache"


def check(found: RegressionForests, forests: RegressionForests) -> None:
    for part in fields(RegressionForests):
        ours, theirs = getattr(found, part.name), getattr(forests, part.name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_what_was_kept_is_what_was_read(
    cache: Path, forests: RegressionForests, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_forests(default_model())
    monkeypatch.setattr(shape_predictor_cache, "load_forests", lambda path, points: pytest.fail("read again"))
    check(cached_forests(default_model()), forests)
    assert [path.suffix for path in cache.iterdir()] == [""]


@pytest.mark.parametrize("fault", ["empty", "short", "long", "other", "index"])
def test_a_file_that_is_not_whole_is_read_anew(cache: Path, forests: RegressionForests, fault: str) -> None:
    cached_forests(default_model())
    (kept,) = cache.iterdir()
    data = bytearray(kept.read_bytes())
    if fault == "index":
        data[64:72] = (1 << 40).to_bytes(8, "little")
    kept.unlink()  # not changed in place, for another process may have it mapped
    changed = {"empty": b"", "short": data[:-4], "long": data + b"\0", "other": b"x" + data[1:], "index": data}
    kept.write_bytes(changed[fault])
    check(cached_forests(default_model()), forests)
    check(cached_forests(default_model()), forests)
    assert kept.stat().st_size > 1 << 20


def test_a_place_that_cannot_be_written_is_no_fault(cache: Path, forests: RegressionForests) -> None:
    cache.write_text("a file where the folder should be")
    check(cached_forests(default_model()), forests)


def test_a_model_that_changed_is_read_anew(
    cache: Path, tmp_path: Path, forests: RegressionForests, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cache
    model = Path(shutil.copy(default_model(), tmp_path / "model.dat"))
    cached_forests(model)
    model.write_bytes(b"another")
    monkeypatch.setattr(shape_predictor_cache, "load_forests", load_forests)
    with pytest.raises(ValueError, match=r"."):
        cached_forests(model)


def test_only_the_newest_files_are_kept(cache: Path) -> None:
    cache.mkdir()
    for number in range(MOST + 3):
        old = cache / f"forests-1-{number:024x}"
        old.write_bytes(b"old")
        os.utime(old, (number, number))
    other = cache / "other-file"
    other.write_bytes(b"of something else")
    cached_forests(default_model())
    left = sorted(path.name for path in cache.iterdir())
    assert len(left) == MOST + 1 and other.name in left
    assert [name for name in left if name.startswith("forests-2-")]
    assert f"forests-1-{MOST + 2:024x}" in left and f"forests-1-{3:024x}" not in left
