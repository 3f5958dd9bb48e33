"""`maskgen kinds`: the masks there are, and a preview picture of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..options import FilePath
from .settings import PREVIEWS, KindsSettings


@click.command("kinds")
@click.option(
    "--out",
    type=FilePath(file_okay=False),
    default=PREVIEWS,
    show_default=True,
    help="Where the previews go.",
)
@click.option("--kind", "kinds", multiple=True, help="Only this one, typed as for `maskgen mask --kinds`; repeatable.")
@click.option("--list-only", is_flag=True, help="List the masks; write nothing.")
@click.option(
    "--copy",
    nargs=2,
    metavar="FORM FOLDER",
    default=None,
    help="Write a built-in form (surgical, n95, kn95 or cloth) as a folder of your own to change.",
)
def kinds_command(copy: tuple[str, str] | None, **options: Any) -> None:
    """List the masks, and draw a preview of each on the built-in portrait."""
    from .run import run_kinds

    form, folder = copy or (None, None)
    settings = KindsSettings(copy_form=form, copy_to=Path(folder) if folder else None, **options)
    for line in run_kinds(settings):
        click.echo(line)
