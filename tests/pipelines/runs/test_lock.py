"""The lock of a folder that leaves no file behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskgen.core.reasons import UserError
from maskgen.pipelines.runs import lock


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_a_lock_that_its_holder_has_removed_is_not_held_by_who_opened_it_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, opened = tmp_path / lock.LOCK, os.open

    def open_and_lose(path: Path, flags: int, mode: int) -> int:
        handle = opened(path, flags, mode)
        path.unlink()  # as the holder does at its end
        return handle

    with lock.hold(place, keep=False):
        assert place.exists()
    assert not place.exists()
    monkeypatch.setattr(os, "open", open_and_lose)
    with pytest.raises(UserError, match="is working in"), lock.hold(place, keep=False):
        pass
