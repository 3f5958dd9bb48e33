"""`maskgen play`: options to settings, then the page until it is interrupted."""

from __future__ import annotations

from typing import Any

import click

from ..options_once import OnceCommand
from .settings import LOCAL, PORT, PlaySettings


@click.command("play", cls=OnceCommand)
@click.option(
    "--host",
    default=LOCAL,
    show_default=True,
    help="Address to serve on. With another one everybody who reaches this machine can use the page.",
)
@click.option("--port", type=int, default=PORT, show_default=True, help="0 for any free one.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@click.option("--max-megabytes", type=int, default=32, show_default=True, help="Of one picture's file.")
@click.option("--max-pixels", type=int, default=50_000_000, show_default=True, help="Of one picture.")
def play_command(**options: Any) -> None:
    """Serve a page on which masks can be tried on pictures of your own.

    Drop photographs, or use the camera; choose kind, colour, print and how the mask is worn; see the mask, its
    segmentation and the landmarks; copy the command and the Python code that give the same bytes. Pictures are held in
    memory while they are worked on and are never written to the disk. The page fetches nothing from the network. End it
    with Ctrl+C.
    """
    from .run import run_play

    run_play(PlaySettings(**options), click.echo)
