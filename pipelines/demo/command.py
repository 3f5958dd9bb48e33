"""`maskgen demo`: masks and lists of a built-in sample."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..options import FilePath
from ..options_once import OnceCommand
from .settings import DemoSettings


@click.command("demo", cls=OnceCommand)
@click.argument("out", type=FilePath(file_okay=False), default=Path("maskgen-demo"))
@click.option(
    "--source",
    type=FilePath(),
    default=None,
    help="Your own photographs, one folder per person, instead of the sample.",
)
@click.option("--workers", type=int, default=None, help="Worker processes.  [default: one per core]")
def demo_command(**options: Any) -> None:
    """Mask a built-in sample, write its lists, and name the files to open. All outputs are in OUT.

    The sample is a portrait from scikit-image and a dozen people that the program draws.
    """
    from .run import run_demo

    sys.exit(run_demo(DemoSettings(**options), click.echo))
