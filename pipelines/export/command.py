"""`maskgen export MODEL OUT.onnx`: a model as ONNX, compared with the original."""

from __future__ import annotations

from typing import Any

import click

from maskgen.embedders.model_names import check_model

from ..options import FilePath
from ..options_once import OnceCommand
from .settings import ExportSettings

EPILOG = """\b
Examples:
  maskgen export runs/masked/best model.onnx

Exit codes: 0 written, 2 wrong usage or input.
"""
PATH = FilePath()


@click.command("export", cls=OnceCommand, epilog=EPILOG)
@click.argument("model")
@click.argument("out", metavar="OUT.onnx", type=PATH)
@click.option(
    "--trust-pickle",
    is_flag=True,
    help="Read a pickled network; its author can run any code on this machine.",
)
def export_command(**options: Any) -> None:
    """Write a model as ONNX and check it with onnxruntime.

    MODEL is a checkpoint or run of `maskgen train`, a .pth of the reference project, masked, dlib or facenet. The file
    takes `images`, float32 (n, 3, size, size), RGB from 0 to 255, or for an adapter `features`, float32 (n, d), and
    gives `embeddings`, float32 (n, dim), of length 1.
    """
    from .run import run_export

    settings = ExportSettings(**options)
    check_model(settings.model)
    click.echo(run_export(settings))
