"""A run with the stand-in masker, to be killed: python run_fake.py SOURCE RUN WORKERS [BACKEND [SCHEDULER]]."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from fake_masker import make_fake

from maskgen.core.reasons import UserError
from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings

if __name__ == "__main__":
    # What is started from a background job has interrupts ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    source, run, workers, *cluster = sys.argv[1:]
    backend, scheduler = (*cluster, None, None)[:2]
    settings = MaskSettings(
        Path(source),
        Path(run),
        workers=int(workers),
        segmentation=True,
        backend=backend or "local",
        scheduler=scheduler,
        write=os.environ.get("FAKE_WRITE", "folders"),
    )
    try:
        run_mask(settings, make_fake, print)
    except UserError as error:
        sys.exit(f"Error: {error}")
