"""Runs to make lists of; the tests of this folder import what they share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "manifests"))

from manifest_makers import Row, rows, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of 30 people, two photographs each, in two masks and bare; names only."""
    return write_run(tmp_path / "masked", rows(30, 2, ("n95", "kn95", "bare")))


@pytest.fixture
def drawn_run(tmp_path: Path) -> Path:
    """A run of eight people with small pictures, some names as awkward as names get."""
    odd = ["Anna, B", 'say "x"', "Жанна [1]", "two__under", "d.o.t", " space ", "#hash", "p"]
    wanted = [Row(name, f"{i}.jpg", kind) for name in odd for i in (1, 2, 3) for kind in ("n95", "bare")]
    return write_run(tmp_path / "masked", wanted, pictures=True)
