"""An interrupt while libraries are imported ends a command, whatever these libraries make of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPT = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(0.1)\n"
SWALLOWED = f"""
import signal
from maskgen.pipelines.interrupts import ends_at_once
BEFORE
with ends_at_once():
    try:
        {INTERRUPT.replace(chr(10), chr(10) + "        ")}
    except BaseException:
        pass
print("went on")
"""
AFTERWARDS = f"""
from maskgen.pipelines.interrupts import ends_at_once
with ends_at_once():
    pass
try:
    {INTERRUPT.replace(chr(10), chr(10) + "    ")}
except KeyboardInterrupt:
    print("raised")
"""
# A package that loses an interrupt which arrives while it is imported, and is then not to be had.
LOSES = f"""
try:
    {INTERRUPT.replace(chr(10), chr(10) + "    ")}
except BaseException:
    pass
raise ModuleNotFoundError("No module named 'torch'", name="torch")
"""


def ran(code: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Python on some code; a program in the background may have been told to ignore interrupts."""
    as_in_front = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    call = [sys.executable, "-P", "-c", as_in_front + code, *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=False, cwd=cwd)


def test_an_interrupt_that_is_lost_ends_the_process() -> None:
    run = ran(SWALLOWED.replace("BEFORE", ""))
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "\nInterrupted. The same command starts again.\n")


def test_what_must_be_put_in_order_is(tmp_path: Path) -> None:
    code = SWALLOWED.replace("BEFORE", "from pathlib import Path; from maskgen.pipelines.interrupts import tidied")
    removed = code.replace("with ends_at_once", "Path('made').touch()\nwith tidied(Path('made').unlink), ends_at_once")
    assert ran(removed, cwd=tmp_path).returncode == 130
    assert not (tmp_path / "made").exists()


def test_a_process_that_ignores_interrupts_goes_on() -> None:
    run = ran(SWALLOWED.replace("BEFORE", "signal.signal(signal.SIGINT, signal.SIG_IGN)"))
    assert (run.returncode, run.stdout, run.stderr) == (0, "went on\n", "")


def test_afterwards_an_interrupt_is_raised_again() -> None:
    assert ran(AFTERWARDS).stdout == "raised\n"


@pytest.mark.parametrize("command", ["export facenet out.onnx", "train model1 --data lists --run run"])
def test_commands_that_import_pytorch_are_ended(command: str, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(LOSES)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from maskgen.pipelines.cli import main; main()"
    run = ran(code, *command.split(), cwd=tmp_path)
    assert run.returncode == 130, run.stderr
    assert "Interrupted. The same command" in run.stderr
