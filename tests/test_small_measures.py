"""Parts of benchmarks that compute: the step of cloth_light.py."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from cloth_light import step_across


def test_the_step_is_that_of_two_halves() -> None:
    halves = np.where(np.arange(60) < 25, 40.0, 52.0) + np.zeros((33, 1))
    assert step_across(halves) == pytest.approx(12.0)
    slope = np.arange(60) * 0.1 + np.zeros((33, 1))
    assert step_across(slope) == pytest.approx(0.8)  # two strips of 6 columns, 2 apart
