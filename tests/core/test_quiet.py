"""Standard error that cannot be written does not end the program."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
SAYS = """
import os, sys
from maskgen.core.quiet import quieten
if sys.argv[1] == "closed":
    os.close(2)
    sys.stderr = None
quieten()
for _ in range(3):
    print("progress " * 2000, file=sys.stderr, flush=True)
print("done")
"""


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize("how", ["full", "gone", "closed"])
def test_a_log_that_cannot_be_written_is_left_out(how: str) -> None:
    with FULL.open("w") as full:
        stderr = subprocess.PIPE if how == "gone" else full
        running = subprocess.Popen(
            [sys.executable, "-P", "-c", SAYS, how], stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        if running.stderr is not None:
            running.stderr.close()
            running.stderr = None
        assert running.communicate(timeout=120)[0] == "done\n"
    assert running.returncode == 0
