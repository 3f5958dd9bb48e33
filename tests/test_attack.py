"""A small part of benchmarks/attack.py: every try has one outcome."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import attack


@pytest.mark.parametrize(("name", "count"), [("pictures", 130), ("containers", 28), ("state", 14), ("lines", 18)])
def test_every_try_has_one_outcome(name: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tally = attack.Tally(name)
    attack.ATTACKS[name](tally, count, float("inf"), 1, tmp_path)
    assert tally.faults == []
    assert tally.outcomes.total() == count
