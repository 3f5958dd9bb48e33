"""Masking a photograph imports nothing that only maskgen[train] installs, and what needs it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import sys
for name in ("torch", "torchvision", "facenet_pytorch", "onnxruntime", "timm"):
    sys.modules[name] = None  # an import of it fails
"""
CODE = """
from maskgen.pipelines.cli import main
from skimage.data import astronaut
import maskgen
import maskgen.pipelines.mask.command
import maskgen.pipelines.runs.shard
print(maskgen.mask_photo(astronaut(), "n95").record["kind"])
"""


def test_a_photograph_is_masked_without_pytorch() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", WITHOUT + CODE], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["n95"], done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "train small --data lists --run trained",
        "evaluate dlib --data lists",
        "embed dlib lists/train.csv out.parquet",
        "export checkpoint out.onnx",
    ],
)
def test_what_needs_pytorch_says_how_to_get_it(command: str, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "lists" / "train.csv").write_text("path,target\na.png,0\nb.png,1\n")
    (tmp_path / "lists" / "test.csv").write_text("path,target,pair_path,pair_target\na.png,0,b.png,1\n")
    code = f"{WITHOUT}\nfrom maskgen.pipelines.cli import main\nmain({command.split()!r})"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr == "Error: This needs the package torch: pip install 'maskgen[train]' brings it.\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "lists"]
