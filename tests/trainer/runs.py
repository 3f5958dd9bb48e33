"""Training runs of the real command, small enough for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from maskgen.pipelines.cli import main

USUAL = {"--device": "cpu", "--batch-size": "8", "--threads": "1"}
SMALL = ("--set", "data.size=32", "--set", "schedule.warmup_steps=0")
TINY = (*SMALL, *(word for pair in USUAL.items() for word in pair))


def train(data: Path, run: Path, *options: str, recipe: str = "small", code: int = 0) -> Result:
    """`maskgen train` in this process, whose exit code must be `code`."""
    usual = [word for name, value in USUAL.items() if name not in options for word in (name, value)]
    arguments = ["train", recipe, "--data", str(data), "--run", str(run), *SMALL, *usual, *options]
    result = CliRunner().invoke(main, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def report(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "report.json").read_text())
    return found


def weights(run: Path, name: str = "last") -> tuple[bytes, bytes]:
    """A checkpoint's tensors, as they are in its files."""
    folder = run / name
    return (folder / "model.safetensors").read_bytes(), (folder / "training.safetensors").read_bytes()
