"""`maskgen kinds`: list the mask kinds and render a preview of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..options import FilePath
from ..options_once import OnceCommand
from .settings import PREVIEWS, KindsSettings


@click.command("kinds", cls=OnceCommand)
@click.option(
    "--out",
    type=FilePath(file_okay=False),
    default=None,
    help=f"Render a preview of each kind into this folder.  [default with --kind: {PREVIEWS}]",
)
@click.option("--kind", "kinds", multiple=True, help="Render only this kind, as in `maskgen mask --kinds`; repeatable.")
@click.option("--list-only", is_flag=True, help="List the kinds; write nothing.")
@click.option(
    "--copy",
    type=(str, FilePath()),
    metavar="FORM FOLDER",
    default=None,
    help="Copy a built-in form (surgical, n95, kn95, cloth, ...) into a new folder, as a start for your own.",
)
def kinds_command(copy: tuple[str, Path] | None, **options: Any) -> None:
    """List the mask kinds, or render previews of them on the built-in portrait.

    Without --out and --kind nothing is written.
    """
    from .run import run_kinds

    form, folder = copy or (None, None)
    settings = KindsSettings(copy_form=form, copy_to=folder, **options)
    for line in run_kinds(settings):
        click.echo(line)
