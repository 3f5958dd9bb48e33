"""Calls of `maskgen pairs`, and what lies in the folder that they wrote."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from support import lasting

from maskgen.pipelines.pairs.command import pairs_command
from maskgen.pipelines.pairs.run import run_pairs
from maskgen.pipelines.pairs.settings import PairsSettings

LISTS = ("train.csv", "eval_same.csv", "eval_diff.csv", "test.csv", "people.csv")


def write(out: Path, **options: Any) -> dict[str, Any]:
    options.setdefault("verify", "names")
    return run_pairs(PairsSettings(out=out, **options))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def called(*arguments: object) -> Result:
    return CliRunner().invoke(pairs_command, [str(argument) for argument in arguments])


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: lasting(path) for path in folder.iterdir()}
