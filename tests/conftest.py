"""What several tests share: real photographs where this machine has them, a skip that says so where it does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # xdist starts a process a core: threads of several processes would only wait for each other, busily.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import pytest
from hypothesis import settings

from maskgen.pipelines.workers.cores import usable_cores

sys.path.insert(0, str(Path(__file__).parent))  # for what the tests of several folders share

# Machines are shared: how long an example takes says nothing about the code. The same examples each time: a fault that
# a new one finds would look like the fault of the change at hand. HYPOTHESIS_PROFILE=default searches for others.
settings.register_profile("maskgen", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "maskgen"))


WORKER_BYTES = 3 << 30  # what one process of `pytest -n auto` takes at most, PyTorch and OpenVINO loaded


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many processes `pytest -n auto` starts: one a core that this process may use, as far as the memory goes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(usable_cores(), memory // WORKER_BYTES, 4))


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder of real development photographs: $MASKGEN_FACES, or `shared/faces` beside the checkout."""
    root = Path(os.environ.get("MASKGEN_FACES", Path(__file__).parents[2] / "shared" / "faces"))
    if not (root / "lfw").is_dir():
        pytest.skip("no real photographs here: set MASKGEN_FACES to a folder that holds lfw/ and landmarks68/")
    return root
