"""`maskgen demo`: the whole way from photographs to training lists, step by step, on what is built in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..options import FilePath
from .settings import DemoSettings


@click.command("demo")
@click.argument("out", type=FilePath(file_okay=False), default=Path("maskgen-demo"))
@click.option(
    "--source",
    type=FilePath(),
    default=None,
    help="Your own photographs, in a folder a person, instead of the sample.",
)
@click.option("--workers", type=int, default=None, help="Processes.  [default: one a core]")
def demo_command(**options: Any) -> None:
    """Mask a built-in sample, write its lists, and say what to open; all of it goes to OUT.

    The sample is a portrait that scikit-image carries and a dozen people that the program draws itself.
    """
    from .run import run_demo

    sys.exit(run_demo(DemoSettings(**options), click.echo))
