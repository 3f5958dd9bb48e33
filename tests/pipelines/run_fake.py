"""A run with the stand-in masker, to be killed: python run_fake.py SOURCE RUN WORKERS."""

from __future__ import annotations

import sys
from pathlib import Path

from fake_masker import make_fake

from maskgen.pipelines.runner import run_mask
from maskgen.pipelines.settings import MaskSettings

if __name__ == "__main__":
    source, run, workers = sys.argv[1:4]
    run_mask(MaskSettings(Path(source), Path(run), workers=int(workers), segmentation=True), make_fake)
