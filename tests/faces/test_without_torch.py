"""Masking a photograph imports nothing that only maskgen[train] installs."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
for name in ("torch", "torchvision", "facenet_pytorch", "onnxruntime", "timm"):
    sys.modules[name] = None  # an import of it fails
from maskgen.pipelines.cli import main
from skimage.data import astronaut
import maskgen
import maskgen.pipelines.mask.command
import maskgen.pipelines.runs.shard
print(maskgen.mask_photo(astronaut(), "n95").record["kind"])
"""


def test_a_photograph_is_masked_without_pytorch() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["n95"], done.stderr
