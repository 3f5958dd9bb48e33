"""`maskgen evaluate MODEL`: options to settings, then the report and its table."""

from __future__ import annotations

import sys
from typing import Any

import click

from maskgen.embedders.model_names import check_input, check_model

from ..alignment_checks import allow_misaligned
from ..options import FilePath, model_options
from ..options_once import OnceCommand
from ..reports.progress import Notify
from .folder import held
from .settings import EvaluateSettings

EPILOG = """\b
Examples:
  maskgen evaluate dlib --data lists
  maskgen evaluate runs/masked/best --data lists --report report
  maskgen evaluate runs/masked --gallery gallery/gallery.csv --far 0.01
  maskgen evaluate model2.pth --data lists --device cuda
  maskgen evaluate model.onnx --input input.toml --data lists
  maskgen evaluate masked --benchmark mfr2 mfr2

Exit codes: 0 evaluated, 2 wrong usage or input, 3 evaluated without some images.
"""
PATH = FilePath()


@click.command("evaluate", cls=OnceCommand, epilog=EPILOG)
@click.argument("model")
@click.option("--data", type=PATH, help="Lists that `maskgen pairs` wrote, or one CSV file of pairs.")
@click.option(
    "--gallery",
    type=PATH,
    help="OUT of `maskgen gallery`, or its gallery.csv: bare faces are enrolled, masked faces are probes.",
)
@click.option(
    "--benchmark",
    type=(str, PATH),
    metavar="NAME FOLDER",
    help="A public benchmark as it is distributed: mfr2, lfw, rmfrd, or bin (any .bin file of InsightFace). Its faces "
    "are cut once, into faces-NAME (of a file, faces-NAME-FILE) beside the report.",
)
@click.option(
    "--report",
    type=PATH,
    help="Folder of the report.  [default: judged/MODEL in the folder of the data; judged/MODEL-FILE for a file of "
    "pairs or a .bin, judged/MODEL-NAME for another benchmark]",
)
@click.option(
    "--far", type=float, help="With --gallery: the false match rate that sets the threshold.  [default: 0.01]"
)
@click.option(
    "--replicates",
    type=int,
    default=1000,
    show_default=True,
    help="Bootstrap replicates for the confidence intervals; people are resampled.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap and of the ten folds.")
@model_options
@allow_misaligned
def evaluate_command(**options: Any) -> None:
    """Evaluate a model: verification on pairs or a benchmark, or identification on a gallery.

    MODEL is a checkpoint or run of `maskgen train`, a .pth of the reference project, any recogniser's .onnx with
    --input, the built-in model masked, or the pretrained dlib or facenet. The report is report.html to open in a
    browser, results.json, results.md and images; errors.png shows the hardest errors.
    """
    settings = EvaluateSettings(**options)
    check_model(settings.model)
    check_input(settings.model, settings.input_file)

    def notify(text: str) -> None:
        click.echo(text, err=True)

    with held(settings.folder):
        results, printed = _evaluated(settings, notify)
    click.echo(printed)
    click.echo(f"Open {settings.folder / 'report.html'}, or read {settings.folder / 'results.md'}.")
    left_out = (results.get("benchmark") or {}).get("pairs_left_out", 0)
    sys.exit(3 if results["pictures"]["unreadable"] or left_out else 0)


def _evaluated(settings: EvaluateSettings, notify: Notify) -> tuple[dict[str, Any], str]:
    """The content of results.json, and the printed summary."""
    if settings.gallery is not None:
        from . import identification

        results = identification.run_gallery_evaluation(settings, notify)
        return results, identification.summary(results)
    from .results_text import summary

    if settings.benchmark is not None:
        from .benchmark import run_benchmark

        results = run_benchmark(settings, notify)
    else:
        from .run import run_evaluate

        results = run_evaluate(settings, notify)
    return results, summary(results)
