"""`maskgen embed MODEL LIST OUT`: the embedding of each image of a list, as a Parquet file."""

from __future__ import annotations

import sys
from typing import Any

import click

from maskgen.core.reasons import counted
from maskgen.embedders.model_names import check_input, check_model

from ..alignment_checks import allow_misaligned
from ..options import FilePath, model_options
from ..options_once import OnceCommand
from .settings import EmbedSettings

EPILOG = """\b
Examples:
  maskgen embed dlib lists/train.csv train.parquet
  maskgen embed runs/masked/best lists/test.csv test.parquet
  maskgen embed runs/masked/best gallery/gallery.csv gallery.parquet

Exit codes: 0 written, 2 wrong usage or input, 3 written without some unreadable images.
"""
PATH = FilePath()


@click.command("embed", cls=OnceCommand, epilog=EPILOG)
@click.argument("model")
@click.argument("list_file", metavar="LIST.csv", type=PATH)
@click.argument("out", metavar="OUT.parquet", type=PATH)
@model_options
@allow_misaligned
def embed_command(**options: Any) -> None:
    """Write the embeddings of all images of a list.

    MODEL is as for `maskgen evaluate`. LIST.csv is any list of `maskgen pairs` or `maskgen gallery`, or another with a
    column path. OUT.parquet has the list's columns and `embedding`, of length 1; for a list of pairs it has each image
    once, with path and, where the list names the people, target.
    """
    from .run import run_embed

    settings = EmbedSettings(**options)
    check_model(settings.model)
    check_input(settings.model, settings.input_file)
    written = run_embed(settings, lambda text: click.echo(text, err=True))
    click.echo(
        f"{counted(written.rows, 'embedding')} of {counted(written.dim, 'number')} in {settings.out}; "
        f"{counted(written.unreadable, 'picture')} could not be read."
    )
    sys.exit(3 if written.unreadable else 0)
