"""`maskgen evaluate MODEL`: options to settings, then the report and its table."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..options import FilePath, model_options
from .settings import EvaluateSettings

EPILOG = """\b
Examples:
  maskgen evaluate dlib --data lists
  maskgen evaluate runs/masked/best --data lists --report report
  maskgen evaluate runs/masked --gallery gallery/gallery.csv --far 0.01
  maskgen evaluate model2.pth --data lists --device cuda

Exit codes: 0 judged, 2 something to mend first, 3 judged, but pictures could not be read.
"""
PATH = FilePath()


@click.command("evaluate", epilog=EPILOG)
@click.argument("model")
@click.option("--data", type=PATH, help="Lists that `maskgen pairs` wrote, or one CSV file of pairs.")
@click.option(
    "--gallery",
    type=PATH,
    help="OUT of `maskgen gallery`, or its gallery.csv: enrol its bare faces, probe with the masked.",
)
@click.option("--report", type=PATH, help="Folder of the report.  [default: judged/MODEL beside what is judged on]")
@click.option("--far", type=float, help="With --gallery: share of false accepts that is borne.  [default: 0.01]")
@click.option(
    "--replicates", type=int, default=1000, show_default=True, help="How often people are drawn for the intervals."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals and the ten folds.")
@model_options
def evaluate_command(**options: Any) -> None:
    """Judge a model: how well it tells people apart, bare and masked.

    MODEL is a checkpoint or run of `maskgen train`, a model file of the reference's (.pth), or dlib or facenet, which
    others trained. The report is results.json, results.md and pictures; the hardest errors are in errors.png.
    """
    settings = EvaluateSettings(**options)

    def notify(text: str) -> None:
        click.echo(text, err=True)

    if settings.gallery is not None:
        from .identification import run_gallery_evaluation, summary

        results = run_gallery_evaluation(settings, notify)
        click.echo(summary(results))
    else:
        from .run import run_evaluate
        from .text import summary

        results = run_evaluate(settings, notify)
        click.echo(summary(results))
    click.echo(f"Look at {settings.folder / 'results.md'} and {settings.folder / 'errors.png'}.")
    sys.exit(3 if results["pictures"]["unreadable"] else 0)
