"""`maskgen train RECIPE --data OUT --run TRAIN`: options to settings, then the run and its table."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from maskgen.core.reasons import UserError
from maskgen.trainer.told_once import ToldElsewhereError, is_first, told_once

from ..alignment_checks import allow_misaligned
from ..interrupts import ends_at_once
from ..options import FilePath
from ..options_once import OnceCommand
from ..system_errors import AGAIN, explain, was_interrupted
from .report import exit_code, table
from .settings import TrainSettings

PATH = FilePath()
# Seconds in which torchrun ends a process that leaves a fault to another one; without torchrun it then tells itself.
_PATIENCE = 20

EPILOG = """\b
Examples:
  maskgen train small --data lists --run trained
  maskgen train model1 --data lists --run trained --epochs 2 --set optimizer.lr=0.01
  maskgen train my_recipe.yaml --data lists --run trained --set data.masks=online
  torchrun --nproc-per-node 4 -m -- maskgen.trainer model1 --data lists --run trained

\b
Exit codes: 0 trained, 2 wrong usage or input, 3 trained without some unreadable images, or
collapsed and stopped, 130 interrupted.
"""


@click.command("train", cls=OnceCommand, epilog=EPILOG)
@click.argument("recipe")
@click.option(
    "--data", type=PATH, required=True, help="A folder that `maskgen pairs` wrote, or a .csv, a .rec, a .tar in it."
)
@click.option("--run", type=PATH, required=True, help="Run folder of this training: checkpoints, history, plots.")
@click.option("--epochs", type=int, help="Number of epochs; overrides the recipe.")
@click.option("--max-steps", type=int, help="Stop after this many steps; --resume continues later.")
@click.option("--batch-size", type=int, help="Images per step on each device; overrides the recipe.")
@click.option("--seed", type=int, help="The same seed, lists and settings give the same weights on a CPU.")
@click.option(
    "--set",
    metavar="SECTION.SETTING=VALUE",
    multiple=True,
    help="Change any setting of the recipe; may be given several times.",
)
@click.option("--no-pretrained", "pretrained", flag_value=False, default=True, help="Start from random weights.")
@click.option(
    "--device", metavar="auto|cpu|cuda|cuda:N", default="auto", show_default=True, help="Device for training."
)
@click.option("--workers", type=int, help="Processes that load images; overrides the recipe.")
@click.option("--threads", type=int, default=0, help="Threads of the network on a CPU.  [default: the remaining cores]")
@click.option(
    "--on-collapse",
    metavar="stop|lower|go_on",
    help="If the embeddings collapse: stop, return to the last good checkpoint with a tenth of the learning rate, or "
    "continue. Overrides the recipe.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Resume the run in --run, with more --epochs too, or start one if there is none.",
)
@click.option("--overwrite", is_flag=True, help="Remove the run in --run and start again.")
@allow_misaligned
def train_command(**options: Any) -> None:
    """Train a model on the lists in --data.

    RECIPE is a name (model1, model2, model3, effnet-b2, effnet-b3, effnet-b4, adapter, masked, small) or a YAML
    file. --run receives last/ and best/ (the lowest IOU), report.html to open in a browser, history.csv, loss.png,
    distances/, tensorboard/ and report.json.
    """
    with _left_to_another(), told_once():
        settings = TrainSettings(**options)
    _train(settings)


def _train(settings: TrainSettings) -> None:
    """Train; an interruption, or a fault of the system, ends with a sentence on how to go on."""
    try:
        _run(settings)
    except (Exception, KeyboardInterrupt) as error:
        if was_interrupted(error):
            if is_first():
                click.echo(f"\n{_interrupted(settings)}", err=True)
            sys.exit(130)
        if isinstance(error, OSError) and error.errno != errno.EPIPE:
            raise UserError(explain(error, f"{AGAIN}{_how_to_resume(settings)}")) from error
        raise


@contextmanager
def _left_to_another() -> Iterator[None]:
    """Let another process tell of a fault that is its to tell."""
    try:
        yield
    except ToldElsewhereError:
        time.sleep(_PATIENCE)
        raise


def _interrupted(settings: TrainSettings) -> str:
    return f"Interrupted. The same command{_how_to_resume(settings)} continues after the last checkpoint."


def _how_to_resume(settings: TrainSettings) -> str:
    """What to change in the command; --resume without a checkpoint starts the run."""
    if settings.resume:
        return ""
    return " with --resume" + (" in place of --overwrite" if settings.overwrite else "")


def _run(settings: TrainSettings) -> None:
    first = is_first()
    with ends_at_once(_interrupted(settings) if first else ""):
        from .run import run_train

    with _left_to_another():
        report = run_train(settings, (lambda sentence: click.echo(sentence, err=True)) if first else _unsaid)
    if first:
        click.echo(table(report))
        distances = settings.run / "distances"
        seen = f" and {distances}" if distances.is_dir() else ""  # none without evaluation
        click.echo(f"Open {settings.run / 'report.html'}, or look at {settings.run / 'loss.png'}{seen}.")
    # Of several processes the first alone may end with a code: torchrun kills the others, one that still writes too.
    sys.exit(exit_code(report) if first else 0)


def _unsaid(_: str) -> None:
    """Silence messages of all processes but the first."""
