from __future__ import annotations

from pathlib import Path

import pytest

from maskgen.core.reasons import UserError
from maskgen.pipelines.contact_sheet import spread
from maskgen.pipelines.lock import hold
from maskgen.pipelines.progress import EVERY_SECONDS, Lines


def test_lines_are_few_and_true(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with Lines(total=1000, done=100, set_aside=3, clock=lambda: now[0]) as lines:
        for _ in range(9):
            now[0] += EVERY_SECONDS / 3
            lines.add(100, 1)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4
    assert told[-1] == "1,000 of 1,000 photographs, 12 set aside, 10 a second"


def test_spread_is_even() -> None:
    assert sorted(spread(1000, 4)) == [0, 250, 500, 750]
    assert sorted(spread(3, 10)) == [0, 1, 2]
    assert spread(0, 10) == frozenset()


def test_lock_is_held_once_and_left_empty(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with hold(path):
        with pytest.raises(UserError, match="process"), hold(path):
            pass
        with pytest.raises(UserError), hold(path):
            pass
    assert path.read_bytes() == b""
    with hold(path):
        pass
