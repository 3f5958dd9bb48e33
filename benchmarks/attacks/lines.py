"""Give wrong command lines."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from .tries import Tally, tries

REFUSED = {"kinds": ["--kind", "nowhere"], "demo": ["--workers", "0"], "play": ["--port", "-1"]}
ARGUMENTS = {
    "mask": ["IN", "OUT"],
    "pairs": ["OUT"],
    "gallery": ["IN", "OUT"],
    "train": ["small"],
    "evaluate": ["dlib"],
    "embed": ["dlib", "IN", "OUT"],
    "export": ["IN", "OUT"],
    "kinds": [],
    "play": [],
    "demo": ["OUT"],
}


def options_of(command: str) -> list[str]:
    """The options of a command that take a value, so that a new one is attacked too."""
    from click import Context, Option

    from maskgen.pipelines.cli import main

    found = main.get_command(Context(main), command)
    assert found is not None
    return [one.opts[0] for one in found.params if isinstance(one, Option) and not one.is_flag]


WRONG = [
    "",
    "nan",
    "-1",
    "1e999",
    "9" * 23,
    "nowhere",
    "ftp://host/x",
    "s3://",
    "[[[[",
    "\u00e9\u4e2d",
    "0,1",
    "a=b",
    "--",
    "x" * 300,
]
WRONG += ["nan,0,1", "inf,0,1", "mm=nan", "train.seed=" + "9" * 23, "broken.csv", "broken.yaml", "file.txt"]


def attack_lines(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Give command lines of which at least one part is wrong."""
    from click.testing import CliRunner

    from maskgen.pipelines.cli import main

    os.chdir(folder)
    Path("broken.csv").write_bytes(b'path;target\n"a\n\0,,')
    Path("broken.yaml").write_text("[" * 3000)
    Path("file.txt").write_text("hello")
    names = sorted(ARGUMENTS)
    options = {name: options_of(name) for name in names}

    def one(rng: np.random.Generator, number: int) -> str:
        command = names[number % len(names)]
        line = [str(rng.choice(WRONG[:-3])) if rng.random() < 0.5 else name for name in ARGUMENTS[command]]
        for option in rng.permutation(options[command])[: int(rng.integers(1, 4))]:
            line += [str(option), str(rng.choice(WRONG))]
        line += ["--no-such-option"] if rng.random() < 0.2 else REFUSED.get(command, [])
        result = CliRunner().invoke(main, [command, *line])
        wrong = result.exception is not None and not isinstance(result.exception, SystemExit)
        if wrong or result.exit_code != 2 or "Traceback" in result.output:
            raise ValueError(f"{[command, *line]}: exit {result.exit_code} {result.exception!r} {result.output[-200:]}")
        return "sentence"

    tries(tally, count, until, one, seed)
