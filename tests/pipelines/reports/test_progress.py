from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from maskgen.core.reasons import UserError
from maskgen.pipelines.reports.contact_sheet import spread
from maskgen.pipelines.reports.progress import EMBEDDED, EVERY_SECONDS, Bar, Lines, show_progress, time_left
from maskgen.pipelines.runs.lock import hold


def test_lines_are_few_and_true(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with Lines(total=1000, done=100, set_aside=3, clock=lambda: now[0]) as lines:
        for _ in range(9):
            now[0] += EVERY_SECONDS / 3
            lines.add(100, 1)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4
    assert told[0] == "400 of 1,000 photographs, 6 set aside, 10 a second, about 1 min left"
    assert told[-1] == "1,000 of 1,000 photographs, 12 set aside, 10 a second"


def test_pictures_that_are_no_photographs_are_named_as_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with Lines(90, 0, 0, EMBEDDED, clock=lambda: now[0]) as lines:
        now[0] += 40
        lines.add(60, 0)
        now[0] += 20
        lines.add(30, 2)
    first, last = capsys.readouterr().err.splitlines()
    assert first == "60 of 90 pictures embedded, 1.5 a second, about 20 s left"
    assert last == "90 of 90 pictures embedded, 2 unreadable, 1.5 a second"


def test_the_bar_tells_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(4, 0, 0) as bar:
        bar.add(4, 1)
    last = capsys.readouterr().err.split("\r")[-1].strip()
    assert last.startswith("100% |")
    assert "4 of 4 photographs, " in last
    assert last.endswith("00:00 left, 1 set aside")


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (24, 0), (0, 100), (24, 100)])
def test_a_terminal_that_tells_no_size_shows_a_bar_too(rows: int, columns: int) -> None:
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with os.fdopen(terminal, "w") as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", stderr)
        with show_progress(4, 0, 0) as shown:
            shown.add(4, 1)
        print("end", file=stderr, flush=True)
        told = ""
        while "end" not in told:
            told += os.read(screen, 4096).decode(errors="replace")  # a read may cut a character
    os.close(screen)
    assert "4 of 4 photographs, " in told


def test_what_is_left_is_told_as_roughly_as_it_is_known() -> None:
    assert [time_left(seconds) for seconds in (0, 54, 56, 3570, 90000)] == [
        "about 10 s left",
        "about 50 s left",
        "about 1 min left",
        "about 1 h 0 min left",
        "about 25 h 0 min left",
    ]


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


KILLED = """
import os, signal, sys, time
from pathlib import Path
from maskgen.pipelines.runs.lock import hold
with hold(Path(sys.argv[1])):
    child = os.fork()
    if not child:
        os.close(1)  # whoever reads the parent's words waits for the end of all copies
        time.sleep(60)
        os._exit(0)
    print(child, flush=True)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_killed_runs_children_do_not_hold_its_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    run = subprocess.run([sys.executable, "-P", "-c", KILLED, str(path)], stdout=subprocess.PIPE, check=False)
    try:
        with hold(path):
            pass
    finally:
        os.kill(int(run.stdout), signal.SIGKILL)
