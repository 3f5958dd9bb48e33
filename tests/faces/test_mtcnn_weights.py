"""Files that are no weights are refused, and nothing in them runs."""

from __future__ import annotations

import importlib.util
import os
import pickle
from pathlib import Path

import joblib
import lz4.frame
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maskgen.core.reasons import UserError
from maskgen.faces.mtcnn.weights import load_weights, read_arrays


def test_arrays_come_back_as_joblib_reads_them(tmp_path: Path) -> None:
    arrays = [np.random.default_rng(0).normal(size=shape).astype(np.float32) for shape in ((3, 4), (5,), (2, 1, 3))]
    arrays.append(np.asfortranarray(arrays[0]))
    joblib.dump(arrays, tmp_path / "a.lz4")
    for ours, theirs in zip(read_arrays(tmp_path / "a.lz4"), arrays, strict=True):
        np.testing.assert_array_equal(ours, theirs)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch evil",)


@pytest.mark.parametrize("what", [Evil(), [1, 2], [np.zeros(3)], {"a": 1}, [Path("a")], [np.array(["a"], object)]])
def test_other_pickles_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: object) -> None:
    monkeypatch.chdir(tmp_path)
    joblib.dump(what, tmp_path / "a.lz4")
    with pytest.raises(ValueError, match=r"."):
        read_arrays(tmp_path / "a.lz4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.lz4"]


@example(b"].")  # a list of nothing
@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_bytes_do_more_than_be_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("weights") / "a.lz4"
    path.write_bytes(lz4.frame.compress(data))
    with pytest.raises(ValueError, match=r"."):
        read_arrays(path)


def test_a_package_that_is_missing_or_another_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install 'mtcnn"):
        load_weights("pnet")
    spec = importlib.machinery.ModuleSpec("mtcnn", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(UserError, match="not the weights of mtcnn"):
        load_weights("pnet")
    folder = tmp_path / "assets" / "weights"
    folder.mkdir(parents=True)
    for data in (b"", pickle.dumps([1]), lz4.frame.compress(pickle.dumps([]))):
        (folder / "pnet.lz4").write_bytes(data)
        with pytest.raises(UserError, match="not the weights of mtcnn"):
            load_weights("pnet")
