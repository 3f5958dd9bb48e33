"""Workers import the tests' stand-ins by name, so their folder is on the path that workers inherit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import write_people


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three people of eight small photographs each."""
    folder = tmp_path / "photographs"
    write_people(folder, people=3, each=8)
    return folder
