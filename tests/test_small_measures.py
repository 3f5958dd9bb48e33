"""Parts of benchmarks that compute: the step of cloth_light.py, the mean of own_landmarks_mean.py."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from cloth_light import step_across
from own_landmarks_mean import mean_of


def test_the_step_is_that_of_two_halves() -> None:
    halves = np.where(np.arange(60) < 25, 40.0, 52.0) + np.zeros((33, 1))
    assert step_across(halves) == pytest.approx(12.0)
    slope = np.arange(60) * 0.1 + np.zeros((33, 1))
    assert step_across(slope) == pytest.approx(0.8)  # two strips of 6 columns, 2 apart


def test_the_mean_is_of_each_array(tmp_path: Path) -> None:
    for name, value in (("old", 1.0), ("new", 2.0)):
        np.savez(tmp_path / f"{name}.npz", w=np.full((2, 3), value, np.float16), b=np.full(2, -value, np.float16))
    with np.load(io.BytesIO(mean_of(tmp_path / "old.npz", tmp_path / "new.npz"))) as mean:
        assert (mean["w"] == 1.5).all()
        assert (mean["b"] == -1.5).all()


def test_weights_of_two_networks_have_no_mean(tmp_path: Path) -> None:
    for name, shape in (("old", (2, 3)), ("new", (1, 3))):
        np.savez(tmp_path / f"{name}.npz", w=np.zeros(shape, np.float16))
    with pytest.raises(SystemExit, match="not weights of one network"):
        mean_of(tmp_path / "old.npz", tmp_path / "new.npz")
